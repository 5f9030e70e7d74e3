"""Which of the models that a server lists are there to chat with."""

from __future__ import annotations

import re
from collections.abc import Callable

from .listing import Told

#: Models of providers that do other things than to chat, by their names.
NO_CHAT = re.compile(
    r"embed|whisper|\btts\b|-tts|dall-e|moderation|transcribe|realtime|image|audio|sora|rerank|imagen"
    r"|veo-|davinci|babbage|guard|\bocr\b|-ocr",
    re.IGNORECASE,
)


def only_one(provider: str, told: Told, may_be_used: Callable[[str], bool]) -> str | None:
    """Return the id of the one model among a server's that chats and may be used.

    Many a server lists one that only embeds beside it.
    """
    ids = (f"{provider}:{name}" for name in told if not NO_CHAT.search(name))
    usable = [each for each in ids if may_be_used(each)]
    return usable[0] if len(usable) == 1 else None
