"""What of a message's text goes into a frame: what the client lacks, and not too much at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_stop_chat.engine.changes import Change, MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.wire.objects import LeftOut, Message, Part
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

#: The most text in one frame, in UTF-16 code units. Of a message that is being made, deltas bring
#: the rest; of one that has ended, the client asks for it.
MOST_TEXT = 256 * 1024
#: The longest reasoning, attachment, or argument or result of a tool that goes into a list, and
#: how much of all of them goes into one frame.
MOST_DETAIL = 2 * 1024
MOST_DETAILS = 64 * 1024
#: A list has so many messages in one frame at most, and so many characters of names and the like.
MOST_MESSAGES = 500
MOST_LISTED = 256 * 1024
#: About what a message takes in a list by itself, and each of its tool calls.
MESSAGE_SIZE = 400
TOOL_SIZE = 150


def tail(message: Message, have: int = 0, most: int = MOST_TEXT) -> Message:
    """Leave out the text that a client has, and what is too much for one frame.

    :param have: how much of it the client has, in UTF-16 code units.
    """
    start = min(have, message.text_length)
    if start == message.text_length or most <= 0:
        return message.model_copy(update={"text": "", "text_offset": start})
    if start == 0 and message.text_length <= most:
        return message
    start = character_start(message.text, start)
    text = utf16_slice(message.text, start, start + most)
    return message.model_copy(update={"text": text, "text_offset": start})


def character_start(text: str, offset: int) -> int:
    """Return where the character at an offset begins: it may be in a surrogate pair."""
    return utf16_length(utf16_slice(text, 0, offset))


def bare(message: Message, offset: int) -> Message:
    """Leave out all text: a client has it, or deltas bring it."""
    return message.model_copy(update={"text": "", "text_offset": offset, "reasoning": None})


class Opening:
    """What puts the answer to an `open` together: what was read, and what happened meanwhile.

    The newest messages come first, and have their text first; of a long chat the older ones
    come in further pages. What a page leaves out is named in it, and is read by itself.

    :param held: what the followers of the chat were told while the store was read.
    :param find: finds what makes a message now.
    :ivar messages: the newest messages, in order.
    :ivar making: what is being made, and how much of its text and reasoning is in the answer.
    :ivar earlier: how many messages come before those that were listed.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        held: Sequence[Change],
        find: Callable[[str], Generation | None],
        offsets: Mapping[str, int],
    ) -> None:
        self.making: list[tuple[Generation, int, int]] = []
        self.earlier = len(messages)
        self._all = messages
        self._find = find
        self._offsets = offsets
        self._most = MOST_TEXT
        self._room_for_details = 0
        self._whole = True
        self._moved = {
            change.message.id: change.message
            for change in held
            if isinstance(change, MessageMoved) and not change.carries_text
        }
        #: What is made further up than the first page: deltas bring it behind the last one.
        self._later: dict[str, Message] | None = None
        self.messages: list[Message] = self.next_page()
        self._later = {}
        for message in messages[: self.earlier]:
            generation = self._live(message.id)
            if generation is not None:
                self._later[message.id] = bare(generation.snapshot(), 0)
                self.making.append((generation, 0, 0))
        known = {message.id for message in messages}
        #: The messages of which others told something meanwhile: what was read may be older.
        self.in_doubt = {id_ for change in held if (id_ := _of_others(change)) in known}
        #: What the answer does not tell, in order.
        self.rest = [
            change
            for change in held
            if not isinstance(change, ChatChanged) and _message_of(change) not in known
        ]

    @property
    def whole(self) -> bool:
        """Tell whether the client has all of the text of what has ended."""
        return self._whole and self.earlier == 0

    def lacks(self, message_id: str) -> bool:
        """Tell whether a message comes in a page that is still to come."""
        return any(message.id == message_id for message in self._all[: self.earlier])

    def next_page(self) -> list[Message]:
        """Return what comes before the messages that were listed, as much as one frame has."""
        page: list[Message] = []
        room = MOST_LISTED
        self._room_for_details = MOST_DETAILS
        while self.earlier > 0 and len(page) < MOST_MESSAGES and room > 0:
            self.earlier -= 1
            page.append(self._listed(self._all[self.earlier]))
            room -= _size(page[-1])
        page.reverse()
        return page

    def _listed(self, message: Message) -> Message:
        """Return a message as the list has it."""
        if self._later is not None and message.id in self._later:
            return self._lightened(self._later[message.id])
        have = self._offsets.get(message.id, 0)
        generation = self._live(message.id) if self._later is None else None
        if generation is not None:
            return self._listed_live(generation, have)
        message = tail(self._moved.get(message.id, message), have, self._most)
        length = utf16_length(message.text)
        self._whole = self._whole and message.text_offset + length == message.text_length
        self._most -= length
        return self._lightened(message)

    def _listed_live(self, generation: Generation, have: int) -> Message:
        if generation.thought_from:
            return self._listed_thinking(generation)
        start = min(have, generation.text.length)
        if generation.text.is_within_pair(start):
            start -= 1
        text = generation.text.read(start, self._most)
        message = generation.snapshot().model_copy(update={"text": text, "text_offset": start})
        self._most -= utf16_length(text)
        reasoning = generation.reasoning.length
        if reasoning > self._most:  # deltas bring it
            message = message.model_copy(update={"reasoning": ""})
            reasoning = 0
        self._most -= reasoning
        self.making.append((generation, start + utf16_length(text), reasoning))
        told = message.reasoning
        light = self._lightened(message.model_copy(update={"reasoning": None}))
        return light.model_copy(update={"reasoning": told})

    def _listed_thinking(self, generation: Generation) -> Message:
        """List what had a thought in its text: the client is told next where that began.

        What it may have of the thought stays until then, and is the beginning of the reasoning.
        """
        text = generation.text.read(0, min(*generation.thought_from, self._most))
        self._most -= utf16_length(text)
        self.making.append((generation, utf16_length(text), 0))
        update = {"text": text, "text_offset": 0, "reasoning": None}
        light = self._lightened(generation.snapshot().model_copy(update=update))
        return light.model_copy(update={"reasoning": ""})

    def _lightened(self, message: Message) -> Message:
        """Leave out of a message what is long beside its text, and name it."""
        left: list[LeftOut] = []

        def kept(part: Part, at: int, text: str | None) -> bool:
            if not text:
                return True
            if len(text) > min(MOST_DETAIL, self._room_for_details):
                left.append(LeftOut(part=part, at=at, length=utf16_length(text)))
                return False
            self._room_for_details -= utf16_length(text)
            return True

        update: dict[str, Any] = {}
        if not kept("reasoning", 0, message.reasoning):
            update["reasoning"] = None
        update["attachments"] = tuple(
            each if kept("attachment", at, each.text) else each.model_copy(update={"text": ""})
            for at, each in enumerate(message.attachments)
        )
        tools = []
        for at, call in enumerate(message.tools):
            args = call.args if kept("tool_args", at, call.args) else None
            result = call.result if kept("tool_result", at, call.result) else None
            tools.append(call.model_copy(update={"args": args, "result": result}))
        if not left:
            return message
        update |= {"tools": tuple(tools), "left_out": tuple(left)}
        return message.model_copy(update=update)

    def _live(self, message_id: str) -> Generation | None:
        generation = self._find(message_id)
        return generation if generation is not None and generation.is_accepted else None


def _size(message: Message) -> int:
    """Tell about how many characters a message takes in a list, besides its texts."""
    names = [each.name for each in message.attachments] + [each.name for each in message.tools]
    return MESSAGE_SIZE + sum(map(len, names)) + TOOL_SIZE * len(names)


def _of_others(change: Change) -> str | None:
    """Return the reply of another process that a change is of, if it is."""
    match change:
        case MessageMoved(message) if change.carries_text:
            return message.id
        case Accepted() if change.message.made_elsewhere:
            return change.message.id
    return None


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
