"""What of a message's text goes into a frame: what the client lacks, and not too much at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jupyter_stop_chat.bus import Change, MessageMoved
from jupyter_stop_chat.generation import Generation
from jupyter_stop_chat.protocol import Accepted, ChatChanged, Message
from jupyter_stop_chat.utf16 import utf16_length, utf16_slice

#: The most text in one frame, in UTF-16 code units. Of a message that is being made, deltas bring
#: the rest; of one that has ended, the client asks for it by opening the chat again.
MOST_TEXT = 256 * 1024


def tail(message: Message, have: int = 0, most: int = MOST_TEXT) -> Message:
    """Leave out the text that a client has, and what is too much for one frame.

    :param have: how much of it the client has, in UTF-16 code units.
    """
    start = min(have, message.text_length)
    if start == message.text_length or most <= 0:
        return message.model_copy(update={"text": "", "text_offset": start})
    if start == 0 and message.text_length <= most:
        return message
    # An offset in the middle of a surrogate pair is no place to begin at.
    start = utf16_length(utf16_slice(message.text, 0, start))
    text = utf16_slice(message.text, start, start + most)
    return message.model_copy(update={"text": text, "text_offset": start})


def bare(message: Message, offset: int) -> Message:
    """Leave out all text: a client has it, or deltas bring it."""
    return message.model_copy(update={"text": "", "text_offset": offset, "reasoning": None})


class Opening:
    """Put the answer to an `open` together: what was read, and what happened meanwhile.

    :param held: what the followers of the chat were told while the store was read.
    :param find: finds what makes a message now.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        held: Sequence[Change],
        find: Callable[[str], Generation | None],
        offsets: Mapping[str, int],
    ) -> None:
        self.messages: list[Message] = []
        #: What is being made, and how much of its text is in the answer.
        self.making: list[tuple[Generation, int, int]] = []
        #: Whether the client has all of what has ended.
        self.whole = True
        self._most = MOST_TEXT
        moved = {
            change.message.id: change.message
            for change in held
            if isinstance(change, MessageMoved)
        }
        for message in messages:
            have = offsets.get(message.id, 0)
            generation = find(message.id)
            if generation is not None and is_accepted(generation):
                self._add_live(generation, have)
            else:
                self._add(tail(moved.get(message.id, message), have, self._most))
        known = {message.id for message in messages}
        #: What the answer does not tell, in order.
        self.rest = [
            change
            for change in held
            if not isinstance(change, ChatChanged) and _message_of(change) not in known
        ]

    def _add(self, message: Message) -> None:
        length = utf16_length(message.text)
        self.whole = self.whole and message.text_offset + length == message.text_length
        self._most -= length
        self.messages.append(message)

    def _add_live(self, generation: Generation, have: int) -> None:
        start = min(have, generation.text.length)
        if start and utf16_length(generation.text.read(start - 1, 2)[:1]) == 2:
            start -= 1  # an offset in the middle of a surrogate pair is no place to begin at
        text = generation.text.read(start, self._most)
        message = generation.snapshot().model_copy(update={"text": text, "text_offset": start})
        self._most -= utf16_length(text)
        reasoning = generation.reasoning.length
        if reasoning > self._most:  # deltas bring it
            message = message.model_copy(update={"reasoning": ""})
            reasoning = 0
        self._most -= reasoning
        self.messages.append(message)
        self.making.append((generation, start + utf16_length(text), reasoning))


def is_accepted(generation: Generation) -> bool:
    """Tell whether a request was accepted: until then its message is as it was before."""
    accepted = generation.accepted
    return accepted.done() and not accepted.cancelled() and accepted.exception() is None


def _message_of(change: Change) -> str | None:
    match change:
        case MessageMoved(message):
            return message.id
        case Accepted():
            return change.message.id
        case ChatChanged():
            return None
    generation = getattr(change, "generation", None)
    return generation.id if generation is not None else getattr(change, "message_id", None)
