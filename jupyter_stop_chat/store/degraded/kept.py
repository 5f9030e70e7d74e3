"""A message as memory keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_stop_chat.wire.objects import TERMINAL, Message, MessageState
from jupyter_stop_chat.wire.utf16 import utf16_length, whole


@dataclass(slots=True)
class Kept:
    """A message and what was appended to it.

    :ivar reopened: it went on from an end that the database may still hold.
    :ivar amended: it is a prompt that the database may hold in an earlier shape.
    :ivar earlier_requests: by which other requests it is found, unless the database knows: what
        it had answered before it went on, and what changed its prompt while it waited.
    :ivar owner: whose it is, where that is not its chat's owner.
    """

    message: Message
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    reopened: bool = False
    amended: bool = False
    earlier_requests: list[str] = field(default_factory=list)
    owner: str | None = None

    @property
    def live(self) -> bool:
        """Tell whether the message is still being made."""
        return self.message.state not in TERMINAL

    @property
    def can_go_on(self) -> bool:
        """Tell whether it is a reply that ended before its end."""
        message = self.message
        cut = message.finish_reason == "length"
        ended_well = message.state is MessageState.COMPLETED and not cut
        return not self.live and message.role == "assistant" and not ended_well

    def whole(self) -> Message:
        """Return the message with all that was appended."""
        if self.text or self.reasoning:
            text = self.message.text + "".join(self.text)
            reasoning = (self.message.reasoning or "") + "".join(self.reasoning)
            self.text, self.reasoning = [], []
            self.message = self.message.model_copy(
                update={
                    "text": text,
                    "text_length": utf16_length(text),
                    "reasoning": reasoning or self.message.reasoning,
                }
            )
        return self.message


def clean_message(message: Message) -> Message:
    """Return a message as a database gives it back."""
    text = whole(message.text)
    reasoning = None if message.reasoning is None else whole(message.reasoning)
    clean = {"text": text, "text_length": utf16_length(text), "reasoning": reasoning}
    return message.model_copy(update=clean)
