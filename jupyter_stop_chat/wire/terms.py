"""What the objects and the frames of the wire contract are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
)

from .utf16 import whole

Id = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
]


#: Free text from outside.
Text = Annotated[str, AfterValidator(whole)]
#: What a character that is seen is, as a pattern: no blank, no control, nothing of no width. It is
#: spelt out, as what `\s` and the classes of Unicode hold differs with the language and the year.
SEEN = (
    r"[^\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff]"
)
#: The SHA-256 of a text, or of a picture's bytes.
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: Where a file is below the server's root, as Jupyter Server's contents have it.
Place = Annotated[Text, Field(min_length=1, max_length=1000)]
Offset = Annotated[int, Field(ge=0, le=2**53 - 1)]
ModelId = Annotated[Text, Field(min_length=1, max_length=500)]


#: Models are built when they are first used, and not while the server starts.
AT_FIRST_USE = ConfigDict(defer_build=True)


class WireModel(BaseModel):
    """A model of what goes over the wire: nothing unknown in it, nothing that changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Stored(WireModel):
    """A model read back from the store or from JSON, where enums are plain strings."""

    model_config = ConfigDict(strict=False)
