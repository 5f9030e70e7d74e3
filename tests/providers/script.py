"""What a loopback provider is told to do with a request, and what it notes about it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_stop_chat.testing import Flag

#: What a provider can refuse a request for; each provider has its own body for it.
Trouble = Literal[
    "bad_key",
    "forbidden",
    "no_such_model",
    "timeout",
    "too_large",
    "context_length",
    "content_filter",
    "rate_limit",
    "bad_request",
    "server_error",
    "overloaded",
]


@dataclass(frozen=True)
class ToolUse:
    """One call of a tool that the model makes.

    :ivar raw: the arguments as the model writes them, where they are not those.
    :ivar stalls: wait for `resume` in the middle of the arguments.
    """

    name: str
    args: dict[str, Any] = field(default_factory=dict)
    call_id: str = "call_1"
    raw: str | None = None
    stalls: bool = False


@dataclass
class Script:
    """What tells a provider what to do with a request.

    :ivar tokens: how many tokens, or the tokens themselves.
    :ivar rate: tokens a second; None sends them as fast as they are taken.
    :ivar stall: wait for `resume` before the headers, or after them.
    :ivar stall_after: wait for `resume` after so many tokens.
    :ivar trouble: answer with this error instead.
    :ivar trouble_after: begin well, and tell of the trouble after so many tokens.
    :ivar drop_after: cut the connection after so many tokens, in the middle of the body.
    :ivar headers: what the headers of an error say besides.
    :ivar usage: tell how many tokens were used, where the protocol and the request ask for it.
    :ivar filtered: end with the provider's word for "the content filter cut this".
    :ivar finish: end with this word instead; OpenAI's chat completions and Anthropic only.
    :ivar ends_early: end the body behind the last token, without a word; likewise.
    """

    tokens: int | Sequence[str] = 5
    rate: float | None = None
    stall: Literal["before_headers", "after_headers"] | None = None
    stall_after: int | None = None
    resume: Flag = field(default_factory=Flag)
    trouble: Trouble | None = None
    trouble_after: int | None = None
    drop_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    usage: bool = True
    filtered: bool = False
    finish: str | None = None
    ends_early: bool = False
    reasoning: Sequence[str] = ()
    tool_calls: Sequence[ToolUse] = ()

    def each_token(self) -> Iterator[str]:
        """Yield the tokens, one by one, never all at once: there may be very many."""
        if isinstance(self.tokens, int):
            return (f"t{n} " for n in range(self.tokens))
        return iter(self.tokens)

    @property
    def count(self) -> int:
        """Return how many tokens there are."""
        return self.tokens if isinstance(self.tokens, int) else len(self.tokens)


@dataclass(eq=False)
class Request:
    """What notes what was asked and what became of it. Times are those of `time.perf_counter`.

    :ivar closed: set when the client's socket was seen to close, before or after the end.
    :ivar closed_at: when that was.
    :ivar completed: the whole answer was sent.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    received_at: float = field(default_factory=time.perf_counter)
    headers_sent_at: float | None = None
    token_times: list[float] = field(default_factory=list)
    tokens_sent: int = 0
    completed: bool = False
    closed_at: float | None = None
    closed: Flag = field(default_factory=Flag)
    #: Set when a stall began.
    stalled: Flag = field(default_factory=Flag)

    def note_token(self) -> None:
        """Note that a token went out."""
        self.tokens_sent += 1
        if len(self.token_times) < 10_000:
            self.token_times.append(time.perf_counter())

    def note_close(self) -> None:
        """Note that the client is gone."""
        if self.closed_at is None:
            self.closed_at = time.perf_counter()
            self.closed.set()

    def to_json(self) -> dict[str, Any]:
        """Return what another process may want to know."""
        return {
            "path": self.path,
            "body": self.body,
            "received_at": self.received_at,
            "headers_sent_at": self.headers_sent_at,
            "tokens_sent": self.tokens_sent,
            "last_token_at": self.token_times[-1] if self.token_times else None,
            "completed": self.completed,
            "closed": self.closed.is_set(),
            "closed_at": self.closed_at,
            "stalled": self.stalled.is_set(),
        }


@dataclass(frozen=True)
class Frame:
    """Some bytes of an answer; `token` when they hold one token of the reply."""

    data: bytes
    token: bool = False
    stalls: bool = False


def sse(data: Any, event: str | None = None) -> bytes:
    """Write one server-sent event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


def pieces(tool: ToolUse) -> list[str]:
    """Cut a tool call's arguments in two, as providers do."""
    text = json.dumps(tool.args) if tool.raw is None else tool.raw
    half = len(text) // 2
    return [text[:half], text[half:]]


def written(tool: ToolUse, write: Callable[[str], bytes]) -> Iterator[Frame]:
    """Write a tool call's arguments, piece by piece."""
    for at, piece in enumerate(pieces(tool)):
        yield Frame(write(piece), stalls=tool.stalls and at == 1)


def script_from_json(fields: dict[str, Any]) -> Script:
    """Make a script from what another process sent."""
    fields = dict(fields)
    fields["tool_calls"] = [ToolUse(**tool) for tool in fields.get("tool_calls", [])]
    return Script(**fields)


new_number = itertools.count(1)
