"""What an administrator says of MCP servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class McpRules:
    """What an administrator says of MCP servers.

    :ivar servers: the administrator's own, by their names.
    :ivar own: people may have servers of their own; None: where the server has one owner.
    :ivar allowed: patterns of what those may be; empty: anything.
    :ivar idle_s: seconds without a call after which a session is ended; 0: it never is.
    :ivar one_owner: the one owner of a server that does not know people.
    """

    servers: Mapping[str, Any] = field(default_factory=dict)
    own: bool | None = None
    allowed: tuple[str, ...] = ()
    one_owner: str = "server"
    idle_s: float = 1800.0

    def lets(self, owner: str) -> bool:
        """Tell whether somebody may have servers of their own."""
        return owner == self.one_owner if self.own is None else self.own
