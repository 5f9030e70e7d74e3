"""Pictures for tests, made by hand."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def drawn(width: int = 40, height: int = 30, form: str = "PNG", **more: Any) -> bytes:
    """Draw a picture: a light ground, a dark bar that leans to the right at its top."""
    image = Image.new(more.pop("mode", "RGB"), (width, height), more.pop("ground", "white"))
    for row in range(height):
        left = width // 4 + (height - row) * width // (4 * height)
        for column in range(left, left + max(1, width // 6)):
            image.putpixel((column, row), more.get("ink", (20, 60, 160)))
    more.pop("ink", None)
    file = io.BytesIO()
    image.save(file, form, **more)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """Read a picture."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
