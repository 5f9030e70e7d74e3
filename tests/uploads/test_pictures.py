"""Pictures that were uploaded: what is kept of them, and what is refused."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import threading
import zlib
from typing import Any

import pytest
from PIL import Image

from jupyter_stop_chat.uploads import pictures
from jupyter_stop_chat.uploads.pictures import LARGEST, LONGEST_SIDE, MOST_PIXELS, Pictures
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.pictures import drawn, opened


@pytest.fixture
def made(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Any:
    reader = Pictures()
    yield lambda raw: reader.made(raw, "anna")
    jp_asyncio_loop.run_until_complete(reader.close())


@pytest.mark.parametrize(
    ("raw", "mime_type", "mode"),
    [
        (drawn(), "image/png", "RGB"),
        (drawn(mode="RGBA", ground=(0, 0, 0, 0)), "image/png", "RGBA"),
        (drawn(mode="L", ground=250, ink=9), "image/png", "L"),
        (drawn(mode="I;16", ground=65_000, ink=9), "image/png", "L"),
        (drawn(mode="1", ground=1, ink=0), "image/png", "RGB"),
        (drawn(form="JPEG"), "image/jpeg", "RGB"),
        (
            drawn(form="JPEG", mode="CMYK", ground=(0, 0, 0, 0), ink=(9, 9, 9, 200)),
            "image/jpeg",
            "RGB",
        ),
        (drawn(form="WEBP"), "image/jpeg", "RGB"),
        (drawn(form="WEBP", mode="RGBA", ground=(0, 0, 0, 0)), "image/png", "RGBA"),
        (drawn(form="GIF"), "image/png", "RGB"),
    ],
)
async def test_each_kind_is_kept_as_png_or_jpeg(
    made: Any, raw: bytes, mime_type: str, mode: str
) -> None:
    """W21: which every provider takes; its pixels are those that were sent."""
    kept = await made(raw)
    picture = kept.picture
    assert (picture.mime_type, picture.width, picture.height) == (mime_type, 40, 30)
    assert picture.size == len(kept.data)
    image = opened(kept.data)
    assert image.mode == mode
    if mode != "RGBA":
        light, dark = (image.convert("L").getpixel(at) for at in ((1, 1), (13, 28)))
        assert light > 200
        assert dark < 120
    assert await made(raw) == kept, "the same picture is kept once"


async def test_an_animation_is_its_first_picture(made: Any) -> None:
    first, second = Image.new("P", (9, 9), 0), Image.new("P", (9, 9), 1)
    first.putpalette([255, 0, 0, 0, 0, 255])
    second.putpalette([255, 0, 0, 0, 0, 255])
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=[second] * 5)
    image = opened((await made(file.getvalue())).data)
    assert getattr(image, "n_frames", 1) == 1
    assert image.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


async def test_what_a_camera_wrote_is_left_out_and_it_stands_upright(made: Any) -> None:
    """W21: where somebody was is nobody's business; EXIF's turn is made."""
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held to its side
    exif[0x010E] = "at home with Ada"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    raw = drawn(80, 40, form="JPEG", exif=exif, comment=b"secret words")
    assert b"at home" in raw
    assert b"secret words" in raw
    kept = await made(raw)
    assert (kept.picture.width, kept.picture.height) == (40, 80)
    assert b"at home" not in kept.data
    assert b"secret words" not in kept.data
    assert not opened(kept.data).getexif()


async def test_what_stands_behind_a_picture_or_in_its_words_is_left_out(made: Any) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "Ada of nowhere")
    raw = drawn(pnginfo=info) + b"<script>alert(1)</script>"
    kept = await made(raw)
    assert b"Ada" not in kept.data
    assert b"script" not in kept.data


async def test_a_large_picture_is_made_small(made: Any) -> None:
    """W21: as small as models see it; a transparent one that stays too large becomes a photo."""
    kept = (await made(drawn(3200, 10))).picture
    assert (kept.width, kept.height) == (LONGEST_SIDE, 5)
    raw = await asyncio.to_thread(_noise, 1010)
    assert len(raw) > LARGEST
    kept = (await made(raw)).picture
    assert kept.mime_type == "image/jpeg"
    assert kept.size <= LARGEST


def _noise(side: int) -> bytes:
    """Make a transparent picture that no packing makes smaller."""
    file = io.BytesIO()
    Image.frombytes("RGBA", (side, side), os.urandom(4 * side * side)).save(
        file, "PNG", compress_level=1
    )
    return file.getvalue()


def _png_that_says(width: int, height: int) -> bytes:
    """Make a PNG whose head says how large it is; its body is next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", ErrorCode.NO_PICTURE),
        (b"just words", ErrorCode.NO_PICTURE),
        (b"\x89PNG\r\n\x1a\n and then nothing of one", ErrorCode.BROKEN_PICTURE),
        (b"\xff\xd8\xff\xe0 it only begins as one", ErrorCode.BROKEN_PICTURE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ErrorCode.NO_PICTURE),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", ErrorCode.NO_PICTURE),
        (drawn(form="BMP"), ErrorCode.NO_PICTURE),
        (drawn(form="TIFF"), ErrorCode.NO_PICTURE),
        (drawn(300, 300, form="JPEG")[:-900], ErrorCode.BROKEN_PICTURE),
        (drawn(300, 300)[:-300], ErrorCode.BROKEN_PICTURE),
        (_png_that_says(8000, 8001), ErrorCode.PICTURE_TOO_LARGE),
        (_png_that_says(12_000, 12_000), ErrorCode.PICTURE_TOO_LARGE),
        (_png_that_says(60_000, 60_000), ErrorCode.PICTURE_TOO_LARGE),
        (_png_that_says(400, 400), ErrorCode.BROKEN_PICTURE),
    ],
)
async def test_what_is_no_sound_picture_is_refused(made: Any, raw: bytes, code: ErrorCode) -> None:
    """W21: by what is in it, not by its name; a bomb before it is unpacked."""
    assert MOST_PIXELS < 8000 * 8001
    with pytest.raises(StopChatError) as refused:
        await made(raw)
    assert refused.value.code is code


async def test_one_that_takes_too_long_is_given_up_and_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """W21: threads cannot be ended; what they hold is given to new ones."""
    go_on = threading.Event()
    real = pictures.made_of
    monkeypatch.setattr(pictures, "made_of", lambda raw: go_on.wait() and real(raw))
    reader = Pictures(limit=0.0)
    for _ in range(3):
        with pytest.raises(StopChatError) as refused:
            await reader.made(b"slow", "anna")
        assert refused.value.code is ErrorCode.FILE_TOO_SLOW
    monkeypatch.setattr(pictures, "made_of", real)
    reader._limit = 30.0
    assert (await reader.made(drawn(), "anna")).picture.width == 40
    go_on.set()
    await reader.close()
