"""A picture that was uploaded, as it is kept: checked, turned, made small, nothing else in it.

Pillow reads it and writes it anew. What is kept are its pixels alone: where and by which camera
it was taken, and whatever else a file may carry besides, is not.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from typing import TYPE_CHECKING

from jupyter_stop_chat.ports.pictures import Made, Picture
from jupyter_stop_chat.threads import Threads
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .room import Room

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

#: The longest side that is kept, in pixels: Anthropic makes larger ones so small before its models
#: see them ("Vision", in its documentation), and OpenAI's are made smaller still.
LONGEST_SIDE = 1568
#: The largest picture that is kept, in bytes: Anthropic takes 5 MB of one, counted as base64.
LARGEST = 5 * 1024 * 1024 * 3 // 4
#: The most pixels that are unpacked: about what the largest cameras of telephones make without
#: being asked to, and 256 MB of memory at four bytes each.
MOST_PIXELS = 64_000_000
#: How long reading one may take, in seconds; one of 64 million pixels takes two or three.
LONGEST_S = 30.0
#: So many are read at once, and so many of one owner; the others wait.
_AT_ONCE, _SHARE = 3, 2
#: The formats that are read; others of Pillow's many decoders are not even asked.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
#: JPEG's quality, the best first: a lower one is for what is still too large.
_QUALITIES = (90, 80, 65, 50)
#: How a camera was held, as EXIF has it, and what puts its picture upright again.
_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


class Pictures:
    """What makes of uploaded files pictures that can be kept, beside the event loop.

    :param limit: how long one may take, in seconds.
    """

    def __init__(self, limit: float = LONGEST_S) -> None:
        self._limit = limit
        self._threads = Threads(_AT_ONCE, "stop-chat-picture")
        self._room = Room(_AT_ONCE, _SHARE)

    async def made(self, raw: bytes, owner: str) -> Made:
        """Make a picture of a file's bytes.

        :param owner: who waits for it.
        :raises StopChatError: `no_picture`, `broken_picture`, `picture_too_large` or
            `file_too_slow`.
        """
        async with self._room.place(owner):
            try:
                async with asyncio.timeout(self._limit):
                    return await self._threads.run(lambda: made_of(raw))
            except TimeoutError:
                # A thread cannot be ended: what it makes is thrown away, and others get its room.
                self._threads.end()
                self._threads = Threads(_AT_ONCE, "stop-chat-picture")
                raise StopChatError(ErrorCode.FILE_TOO_SLOW) from None

    async def close(self) -> None:
        """Let the threads end."""
        self._threads.end()


def made_of(raw: bytes) -> Made:
    """Make a picture of a file's bytes. Blocks.

    The first picture of an animation is taken. What is transparent stays so while it fits.

    :raises StopChatError: `no_picture`, `broken_picture` or `picture_too_large`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        opened = Image.open(io.BytesIO(raw), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise StopChatError(ErrorCode.PICTURE_TOO_LARGE, "pixels") from error
    except UnidentifiedImageError as error:
        begins = raw.startswith(_BEGINNINGS)
        raise StopChatError(
            ErrorCode.BROKEN_PICTURE if begins else ErrorCode.NO_PICTURE
        ) from error
    except Exception as error:
        raise StopChatError(ErrorCode.BROKEN_PICTURE, type(error).__name__) from error
    with opened:
        width, height = opened.size
        if width * height > MOST_PIXELS:
            raise StopChatError(ErrorCode.PICTURE_TOO_LARGE, "pixels")
        is_photo = opened.format in {"JPEG", "WEBP"}
        try:
            # JPEG's decoder can leave out what is made small anyway.
            opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
            orientation = opened.getexif().get(_ORIENTATION)
            image = _in_plain_colours(opened)
            # Small first: each step makes a copy of what may be 64 million pixels.
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            if (turn := _TURNS.get(orientation or 1)) is not None:
                image = image.transpose(Image.Transpose[turn])
            mime_type, data = _written(image, as_photo=is_photo and image.mode != "RGBA")
        except MemoryError as error:
            raise StopChatError(ErrorCode.PICTURE_TOO_LARGE, "memory") from error
        except Exception as error:
            raise StopChatError(ErrorCode.BROKEN_PICTURE, type(error).__name__) from error
    digest = hashlib.sha256(data).hexdigest()
    return Made(Picture(digest, mime_type, image.width, image.height, len(data)), data)


def _in_plain_colours(image: Image) -> Image:
    """Return a picture in a mode that PNG and JPEG have, with eight bits a colour."""
    if image.mode in {"L", "RGB", "RGBA"} and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        # Sixteen bits: the upper eight of them.
        return image.convert("I").point(lambda value: value / 256).convert("L")
    clear = image.mode in {"LA", "PA", "La", "RGBa"} or "transparency" in image.info
    return image.convert("RGBA" if clear else "RGB")


def _written(image: Image, *, as_photo: bool) -> tuple[str, bytes]:
    """Write a picture as what it is; one that is too large so, as a photo."""
    from PIL import Image

    image.info.clear()
    if not as_photo:
        file = io.BytesIO()
        image.save(file, "PNG")
        if file.tell() <= LARGEST:
            return "image/png", file.getvalue()
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    for quality in _QUALITIES:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        if file.tell() <= LARGEST:
            break
    return "image/jpeg", file.getvalue()
