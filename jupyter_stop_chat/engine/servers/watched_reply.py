"""One reply of another process that somebody here looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jupyter_stop_chat.wire.objects import Chat, Message, MessageState


@dataclass(slots=True)
class WatchedReply:
    """A reply of another process, as all who follow its chat know it.

    :ivar prompt: the one that it answers, if they know it.
    :ivar listed: its chat is in a list that its owner was given.
    :ivar told: all who follow its chat know of it.
    :ivar in_doubt: somebody may have been told what is older: it is told of again as it is.
    :ivar sure: so much of its text begins alike with all of them.
    :ivar prompt_is_final: its prompt was looked at after it could not be changed any more.
    """

    chat: Chat
    message: Message
    prompt: Message | None = None
    listed: bool = False
    told: bool = False
    in_doubt: bool = False
    sure: float = math.inf
    prompt_is_final: bool = False

    @property
    def waits(self) -> bool:
        """Tell whether its prompt may still be changed, and put in another place."""
        return self.message.state is MessageState.QUEUED or not self.message.text_length
