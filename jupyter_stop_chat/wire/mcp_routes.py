"""What the HTTP routes of MCP servers are sent and what they answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .terms import Id, WireModel


class McpTool(WireModel):
    """One tool of an MCP server. What describes it are the server's own words, as plain text.

    `name` is the one by which models know it. `allowed`: it acts unasked in all of your chats;
    `allowed_chats`: in these. It is asked for again where its server describes it otherwise:
    `digest` is of all that it says of it. `left_out`: it is on, and no model is offered it, as a
    request has room for so many tools only, or as it needs one of `left_out_arguments`: of those
    no model is told, as not every provider takes their names.
    """

    name: str
    own_name: str
    description: str
    digest: str
    on: bool
    allowed: bool = False
    allowed_chats: tuple[Id, ...] = ()
    left_out: Literal["no_room", "arguments"] | None = None
    left_out_arguments: tuple[str, ...] = ()


class McpServer(WireModel):
    """One MCP server, and the tools that it offers, or offered when it was there last.

    `source` is `settings` for the administrator's, `own` for one of your file. `gone`: it has
    ended, and is started again when it is needed; `idle`: likewise, as it was not used for long.
    `failure` says in words why it is not there. `left_out`: how many tools more it has.
    """

    name: str
    kind: Literal["stdio", "http"]
    source: Literal["settings", "own"]
    state: Literal["not_started", "starting", "ready", "idle", "failed", "gone"]
    failure: str | None = None
    tools: tuple[McpTool, ...] = ()
    left_out: int = 0


class McpServers(WireModel):
    """Your MCP servers.

    `failure` says in words what is wrong with your file of them; `may_own`: whether you may have
    such a file; `locked`: the administrator has each tool asked for each time.
    """

    servers: tuple[McpServer, ...]
    may_own: bool
    locked: bool = False
    failure: str | None = None


class McpSwitch(WireModel):
    """Whether models may use a tool."""

    on: bool


class McpAllow(WireModel):
    """A tool that is to act unasked in all of your chats, as the list showed it with `digest`."""

    digest: str = Field(min_length=1, max_length=128)


class McpLog(WireModel):
    """The last lines that an MCP server wrote, without keys."""

    lines: tuple[str, ...]
