"""The interface of a chat handler, which plugin authors implement.

A handler is asked for one reply at a time and answers with events, as an asynchronous
generator. Stop cancels the task that reads the generator, so `asyncio.CancelledError` (or
`GeneratorExit`) is raised inside `reply` at its own `await` or `yield`: close there, in
`finally`, what was opened. The engine closes the generator itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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
    """An event: tell what the provider counted; several of them add up."""

    input_tokens: int | None = None
    output_tokens: int | None = None


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
class TurnMessage:
    """One message of the history that the model is given.

    :ivar id: of the chat's message; of the first one, where several were put together.
    """

    role: Literal["user", "assistant"]
    text: str
    id: str = ""


@dataclass(slots=True)
class Turn:
    """What one reply is made from, and what its maker reports back.

    :ivar messages: the history, oldest first; the last one is the prompt. It is valid for every
        provider: roles alternate, nothing is empty.
    :ivar model: the name after the colon of the model id.
    :ivar prefix: the partial reply to go on from; empty for a new reply.
    :ivar asked: the handler has reported a request.
    """

    chat_id: str
    message_id: str
    messages: list[TurnMessage]
    model: str
    prefix: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    asked: bool = False
    _stopped: Callable[[], bool] = lambda: False
    _report: Callable[[str], None] = lambda what: None

    @property
    def stopped(self) -> bool:
        """Tell whether the reply was stopped: a loop that cannot be cancelled must look."""
        return self._stopped()

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
