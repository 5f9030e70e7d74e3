"""The settings of MCP servers: which there are, and who may have some of their own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from traitlets import Bool, Bunch, Dict, HasTraits, List, validate

from jupyter_stop_chat.ports.mcp import McpRules

from .kinds import Amount, Pattern
from .masking import mask


class McpServersByName(Dict):
    """Servers by their names, each as other editors write it."""

    def why(self, value: Any) -> str | None:
        """Say what is missing for such servers, if anything."""
        if isinstance(value, Mapping) and value and find_spec("mcp") is None:
            return "the package mcp is not installed: pip install 'jupyter-stop-chat[mcp]'"
        return None

    def validate(self, obj: HasTraits, value: Any) -> Any:
        """Refuse what is no server, and servers that nothing could reach."""
        if not isinstance(value, Mapping) or not all(map(_is_server, value.items())):
            self.error(obj, value)
        if self.why(value) is not None:
            self.error(obj, value)
        return super().validate(obj, value)

    def info(self) -> str:
        """Say what it may be."""
        return (
            "a dictionary by name, of {'command': …, 'args': […], 'env': {…}} or "
            "{'url': 'https://…', 'headers': {…}}"
        )


def _is_server(named: tuple[Any, Any]) -> bool:
    name, said = named
    if not isinstance(name, str) or not name.strip() or not isinstance(said, Mapping):
        return False
    return isinstance(said.get("command", said.get("url")), str)


class McpSettings(HasTraits):
    """The settings of MCP servers, as a part of the extension's."""

    mcp = Bool(
        True, help="Let chats use the tools of MCP servers. False: none at all, whosever they are."
    ).tag(config=True)
    mcp_servers = McpServersByName(
        help="The MCP servers that everybody has, by their names, as other editors write them: "
        '{"files": {"command": "uvx", "args": ["…"], "env": {"KEY": "${env:KEY}"}}} or '
        '{"wiki": {"url": "https://…", "headers": {…}}}. ${env:NAME} is the server\'s variable.',
    ).tag(config=True)
    allow_own_mcp_servers = Bool(
        None,
        allow_none=True,
        help="Let people have MCP servers of their own, by the file stop-chat/mcp.json in "
        "Jupyter's data folder: commands in it run as the server's user. None: where the server "
        "has one owner, and not where people have names.",
    ).tag(config=True)
    allowed_mcp_servers = List(
        Pattern(),
        help="The only MCP servers that people may have of their own, as patterns of the url, or "
        "of the command with its arguments, such as https://mcp.example.org/*. Their env is not "
        "allowed then. Empty: any.",
    ).tag(config=True)

    mcp_idle_minutes = Amount(
        30.0,
        zero=True,
        help="Minutes without a call after which a person's session with an MCP server, and its "
        "process, are ended; the next call starts them anew. 0: they run until the server ends.",
    ).tag(config=True)

    @validate("mcp_servers")
    def _mask_servers(self, proposal: Bunch) -> dict[str, Any]:
        """Keep keys so that no print-out of the settings shows them."""
        return mask(proposal["value"])

    def mcp_rules(self, one_owner: str) -> McpRules:
        """Return what the settings say of MCP servers; they may change while the server runs.

        :param one_owner: of a server that does not know people.
        """
        if not self.mcp:
            return McpRules(own=False)
        servers, own = dict(self.mcp_servers), self.allow_own_mcp_servers
        allowed, idle_s = tuple(self.allowed_mcp_servers), self.mcp_idle_minutes * 60
        return McpRules(servers, own, allowed, one_owner, idle_s)
