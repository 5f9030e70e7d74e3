"""The interface of a chat handler, which plugin authors implement.

A handler is asked for one reply at a time and answers with events, as an asynchronous
generator. Stop cancels the task that reads the generator, so `asyncio.CancelledError` (or
`GeneratorExit`) is raised inside `reply` at its own `await` or `yield`: close there, in
`finally`, what was opened. The engine closes the generator itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from jupyter_stop_chat.ports.pictures import Picture
from jupyter_stop_chat.ports.tools import Gate, NoTools, Told
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.objects import FinishReason


@dataclass(frozen=True, slots=True)
class Text:
    """An event: add text to the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """An event: add to what the model thinks before and while it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class WasThought:
    """An event: tell that text which was added was a thought: it belongs to the reasoning.

    :ivar length: of so much text at the end, in UTF-16 code units; None: of all that this turn
        added.
    """

    length: int | None = None


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """An event: tell that a tool call began."""

    call_id: str
    name: str
    args: str | None = None


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """An event: tell that a tool call ended; `failed` when it raised."""

    call_id: str
    result: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """An event: tell what the provider counted; several of them add up.

    :ivar input_tokens: all that was read, also from the provider's cache.
    :ivar output_tokens: all that was made, thoughts too.
    :ivar cache_read_tokens: those of the input that were read from the provider's cache.
    :ivar cache_write_tokens: those of the input that were written to it.
    :ivar reasoning_tokens: those of the output that were thought.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Retrying:
    """An event: tell that the provider did not answer, and is asked again after a wait.

    :ivar wait: in seconds.
    :ivar attempt: which request will be made then; the first one was 1.
    :ivar code: why.
    """

    wait: float
    attempt: int
    code: ErrorCode


@dataclass(frozen=True, slots=True)
class HistoryCut:
    """An event: tell that older messages are not sent to the model.

    :ivar first: the id of the first message that is.
    """

    first: str


@dataclass(frozen=True, slots=True)
class Finished:
    """An event: the reply ended not by its own end, but at a limit, by a filter, or broken off."""

    reason: FinishReason


Event = (
    Text
    | Reasoning
    | WasThought
    | ToolStarted
    | ToolEnded
    | TokensUsed
    | Retrying
    | HistoryCut
    | Finished
)


@dataclass(frozen=True, slots=True)
class TurnPicture:
    """A picture of a message; `Turn.read` brings its bytes.

    :ivar name: as the message's text calls it.
    """

    name: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """One message of the history that the model is given.

    :ivar id: of the chat's message; of the first one, where several were put together.
    :ivar pictures: those that go with it, PNG and JPEG.
    :ivar calls: the tool calls of a reply, in order; `at` is a place in `text`.
    """

    role: Literal["user", "assistant"]
    text: str
    id: str = ""
    pictures: tuple[TurnPicture, ...] = ()
    calls: tuple[Told, ...] = ()


async def _nothing(digest: str) -> bytes | None:
    return None


@dataclass(slots=True)
class Turn:
    """What one reply is made from, and what its maker reports back.

    :ivar messages: the history, oldest first; the last one is the prompt. It is valid for every
        provider: roles alternate, nothing is empty.
    :ivar model: the name after the colon of the model id.
    :ivar prefix: the partial reply to go on from; empty for a new reply, or where it has no words.
    :ivar calls: the tool calls of that partial reply; `at` is a place in `prefix`.
    :ivar system: the instructions, for a handler that takes them; None where there are none.
    :ivar gate: the tools that the model may call, for a handler that offers them to it, and the
        only way to call them.
    :ivar asked: the handler has reported a request.
    """

    chat_id: str
    message_id: str
    messages: list[TurnMessage]
    model: str
    prefix: str = ""
    calls: tuple[Told, ...] = ()
    system: str | None = None
    gate: Gate = field(default_factory=NoTools)
    parameters: dict[str, Any] = field(default_factory=dict)
    asked: bool = False
    _stopped: Callable[[], bool] = lambda: False
    _read: Callable[[str], Awaitable[bytes | None]] = _nothing
    _report: Callable[[str], None] = lambda what: None

    @property
    def stopped(self) -> bool:
        """Tell whether the reply was stopped: a loop that cannot be cancelled must look."""
        return self._stopped()

    async def read(self, picture: TurnPicture) -> bytes | None:
        """Return the bytes of a picture; None where they are gone.

        They are read when they are sent, and held no longer: a chat may have many.
        """
        return await self._read(picture.picture.digest)

    def provider_started(self) -> None:
        """Report that a request to the provider is about to be made."""
        self.asked = True
        self._report("started")

    def provider_closed(self) -> None:
        """Report that nothing runs at the provider any more and its connection is closed."""
        self._report("closed")

    def still_finishing(self) -> None:
        """Report that sync code goes on in a thread of its own although nobody listens."""
        self._report("still_finishing")


class ChatHandler(Protocol):
    """What makes replies.

    One that must not be asked for the titles of chats, since its replies have effects or cost
    much, has an attribute `makes_titles = False`. A title's turn has the parameter `max_tokens`.

    One that sends `turn.system` to its model, each character of it, has an attribute
    `takes_instructions`: `"all"`, or `"given"` where the built-in ones do not fit its model. It is
    given none without.

    One that shows its model the pictures of messages has an attribute `takes_pictures`: True, or
    None where only the model's provider knows. A prompt with pictures is refused without.

    One that offers its model the tools of `turn.gate`, and has their calls carried out there, has
    an attribute `uses_tools`: True, or None where only the model's provider knows. A prompt in the
    mode `agent` is refused without.

    `max_input_tokens`, where it has that, keeps the instructions to a half of the room.
    """

    def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        """Make one reply, event by event.

        :param turn: the history and the channel back.
        :raises StopChatError: with a code of the table, for what a person can mend. Any other
            exception becomes `generation_failed`, and its text stays in the log.
        """
        ...

    async def close(self) -> None:
        """Release what the handler holds, at the server's shutdown."""
        ...
