"""What one owner has: servers, what each offers, and which of that models are offered."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from jupyter_stop_chat.ports.tools import Tool

from .config import Entry, Kind, Source
from .offered import Offered, names_of
from .text import Log

if TYPE_CHECKING:
    from .session import Session

#: So many tools one request may have, ours among them: some providers take no more.
MOST_IN_REQUEST = 128

State = Literal["not_started", "starting", "ready", "idle", "failed", "gone"]
#: A request has room for so many tools only, or an argument that it needs is left out.
LeftOut = Literal["no_room", "arguments"]
#: A server, and its own name for a tool.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """One tool of a server, as people are told of it.

    :ivar name: by which models know it.
    :ivar own_name: its server's.
    :ivar edition: the digest of all that its server says of it.
    :ivar rule: what a rule about it is kept under.
    :ivar left_out: why it is on, and no model is offered it.
    :ivar unfit: arguments of it that models are not told of.
    """

    name: str
    own_name: str
    description: str
    edition: str
    rule: str
    on: bool
    left_out: LeftOut | None = None
    unfit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """One server, as people are told of it.

    :ivar failure: why it is not there, in words.
    :ivar unread: how many tools more it has, at the least, which nobody has read.
    """

    name: str
    kind: Kind
    source: Source
    state: State
    failure: str | None = None
    tools: tuple[ToolInfo, ...] = ()
    unread: int = 0


@dataclass(slots=True)
class One:
    """One server of one owner.

    :ivar known: what it offered when it was last there.
    :ivar unread: how many tools more it had then.
    :ivar tried: when it was last started.
    :ivar beginning: it is about to be started.
    :ivar waited: a reply has waited for it.
    :ivar calls: how many calls it has now.
    :ivar used: when it had its last one, or was started.
    :ivar is_idle: it was ended because it had none for long.
    """

    entry: Entry
    stamp: str
    log: Log = field(default_factory=Log)
    session: Session | None = None
    known: list[Offered] = field(default_factory=list)
    unread: int = 0
    tried: float = 0.0
    beginning: bool = False
    waited: bool = False
    calls: int = 0
    used: float = 0.0
    is_idle: bool = False

    @property
    def state(self) -> State:
        """Tell how it is."""
        if self.entry.failure is not None:
            return "failed"
        if self.session is None:
            if self.beginning:
                return "starting"
            return "idle" if self.is_idle else "not_started"
        if not self.session.opened.done():
            return "failed" if self.session.ended.done() else "starting"
        return "gone" if self.session.ended.done() else "ready"


@dataclass(slots=True)
class Owned:
    """The servers of one owner.

    :ivar off: the tools that are switched off.
    :ivar tools: what models are offered.
    :ivar names: of all tools that are known, by which models know them.
    :ivar left_out: why some are on, and not offered.
    :ivar fault: what is wrong with the person's file.
    """

    servers: dict[str, One] = field(default_factory=dict)
    off: frozenset[Key] = frozenset()
    tools: tuple[Tool, ...] = ()
    names: dict[Key, str] = field(default_factory=dict)
    left_out: dict[Key, LeftOut] = field(default_factory=dict)
    fault: str | None = None
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def choose(self, taken: Collection[str]) -> list[tuple[One, Offered]]:
        """Name the tools that are known, and return those that models are offered.

        Where there is not room for all, each server has its first ones in.

        :param taken: the names of other tools, which come before.
        """
        known = [
            (n, one, each) for one in self.servers.values() for n, each in enumerate(one.known)
        ]
        names = names_of([(one.entry.name, each.name) for _, one, each in known], taken)
        keys = [(one.entry.name, each.name) for _, one, each in known]
        self.names = dict(zip(keys, names, strict=True))
        on = [found for found, key in zip(known, keys, strict=True) if key not in self.off]
        fit = [found for found in on if found[2].can_be_called]
        room = max(0, MOST_IN_REQUEST - len(taken))
        chosen = {(one.entry.name, each.name) for _, one, each in _in_turn(fit)[:room]}
        self.left_out = {
            key: "no_room" if each.can_be_called else "arguments"
            for _, one, each in on
            if (key := (one.entry.name, each.name)) not in chosen
        }
        return [(one, each) for _, one, each in fit if (one.entry.name, each.name) in chosen]

    def told(self, one: One) -> ServerInfo:
        """Tell people of a server."""
        entry, session = one.entry, one.session
        failure = entry.failure
        if failure is None and session is not None and session.ended.done():
            failure = session.failure
        tools = []
        for each in one.known:
            key = (entry.name, each.name)
            tools.append(
                ToolInfo(
                    name=self.names[key],
                    own_name=each.name,
                    description=each.description,
                    edition=each.edition,
                    rule=f"{self.names[key]}@{each.edition}",
                    on=key not in self.off,
                    left_out=self.left_out.get(key),
                    unfit=each.unfit,
                )
            )
        return ServerInfo(
            *(entry.name, entry.kind, entry.source, one.state, failure, tuple(tools), one.unread)
        )


def _in_turn(found: Sequence[tuple[int, One, Offered]]) -> list[tuple[int, One, Offered]]:
    """Put the first tool of each server before the second of any."""
    return sorted(found, key=lambda each: each[0])
