"""What a picture is to the engine, a store and a chat handler; its bytes lie in the store."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

#: So many pixels are one token, as Anthropic counts; OpenAI's models count fewer tokens for each
#: picture of the size that is kept, so that what is estimated is rather too much.
_PIXELS_PER_TOKEN = 750
_FEWEST_TOKENS = 85


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept.

    :ivar digest: the SHA-256 of its bytes, in hexadecimal digits.
    :ivar width: in pixels, as is `height`.
    :ivar size: in bytes.
    """

    digest: str
    mime_type: str
    width: int
    height: int
    size: int

    @property
    def tokens(self) -> int:
        """Estimate how many tokens a model takes it for."""
        return tokens_of(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that can be kept, with its bytes."""

    picture: Picture
    data: bytes


class PictureMaker(Protocol):
    """What makes pictures as models take them, whatever they are made of."""

    async def made(self, raw: bytes, owner: str) -> Made:
        """Make a picture of a file's bytes.

        :param owner: who waits for it.
        :raises StopChatError: it is none, broken, too large, or takes too long.
        """
        ...


def tokens_of(width: int | None, height: int | None) -> int:
    """Estimate how many tokens a picture of so many pixels is."""
    pixels = (width or 1) * (height or 1)
    return max(_FEWEST_TOKENS, math.ceil(pixels / _PIXELS_PER_TOKEN))


class BlobStore(Protocol):
    """What keeps pictures, each owner's apart.

    One is kept as long as a message holds it. What was uploaded and is in no message yet stays for
    a day, for whoever is still writing.
    """

    async def keep(self, owner: str, picture: Picture, data: bytes, most: int) -> None:
        """Keep a picture for somebody who is about to send it.

        :param most: so many bytes the owner's pictures may have together; 0: any number.
        :raises StopChatError: `too_many_pictures`, or `pictures_not_saved` while nothing can be.
        """
        ...

    async def known(self, owner: str, digests: Sequence[str]) -> Mapping[str, Picture]:
        """Return those of some pictures that an owner has, by their digests."""
        ...

    async def read(self, owner: str, digest: str) -> bytes | None:
        """Return the bytes of an owner's picture; None where there is no such."""
        ...

    async def sweep(self) -> None:
        """Delete what was uploaded long ago and is in no message."""
        ...
