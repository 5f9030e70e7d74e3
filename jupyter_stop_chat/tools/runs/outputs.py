"""What a model is told of a cell's outputs: within a budget, and without what only eyes are for.

What is cut says so. It may be long, and is for a thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_stop_chat.ports.fences import fenced
from jupyter_stop_chat.wire.utf16 import whole

from .progress import COLOURS, text_of

#: So much of all outputs is told, and so much of one HTML page or traceback, in characters.
MOST, MOST_HTML, MOST_TRACEBACK = 20_000, 4_000, 6_000
#: So many outputs are told: the first and the last of them.
MOST_OUTPUTS = 40
#: So many frames of a traceback are: the first and the last of them.
FIRST_FRAMES, LAST_FRAMES = 2, 4
#: So many pictures are shown, of so many characters of base64 at most.
MOST_PICTURES, LARGEST_PICTURE = 4, 16 * 1024 * 1024
#: What a model sees, if it sees.
_PICTURES = ("image/png", "image/jpeg")
#: What is told in the place of each other, the best first.
_TEXTS = ("text/plain", "text/markdown", "text/latex", "application/json", "text/html")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Told:
    """Outputs as words, and the pictures among them, by their types, in order.

    :ivar unseen: there are pictures that are not in `pictures`.
    """

    text: str
    pictures: tuple[tuple[str, str], ...] = ()
    unseen: int = 0


@dataclass(slots=True)
class _Piece:
    """One output: what it is, and what it says."""

    head: str
    text: str = ""


def told(outputs: Sequence[Mapping[str, Any]], *, sees: bool, most: int = MOST) -> Told:
    """Tell a model what a cell has shown. May take long.

    :param sees: the model sees pictures.
    :param most: in characters, without what says what each is.
    """
    pictures: list[tuple[str, str]] = []
    unseen = 0
    pieces: list[_Piece] = []
    for output in _some(outputs):
        if isinstance(output, str):
            pieces.append(_Piece(output))
            continue
        data = output.get("data")
        data = data if isinstance(data, Mapping) else {}
        for mime in _PICTURES:
            if (picture := text_of(data.get(mime))) == "":
                continue
            shown = sees and len(pictures) < MOST_PICTURES and len(picture) <= LARGEST_PICTURE
            if shown:
                pictures.append((mime, picture))
                pieces.append(_Piece(f"[Picture {len(pictures)}, {mime}: it is shown to you.]"))
            else:
                unseen += 1
                pieces.append(_Piece(f"[A picture is here, {mime}: it is not shown to you.]"))
            break
        pieces.append(_piece(output, data, most))
    shares = _shares([len(each.text) for each in pieces], most)
    lines = [_told(each, share) for each, share in zip(pieces, shares, strict=True)]
    return Told(whole("\n".join(each for each in lines if each)), tuple(pictures), unseen)


def _some(outputs: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any] | str]:
    """Go through outputs, at most so many; say where some are left out."""
    half = MOST_OUTPUTS // 2
    if len(outputs) <= MOST_OUTPUTS:
        yield from outputs
        return
    yield from outputs[:half]
    yield f"[{len(outputs) - 2 * half} more outputs are left out here]"
    yield from outputs[-half:]


def _piece(output: Mapping[str, Any], data: Mapping[str, Any], most: int) -> _Piece:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _Piece(f"Output, {name}:", _printed(text_of(output.get("text")), most))
    if kind == "error":
        return _Piece("Error:", _traceback(output))
    head = "Result" if kind == "execute_result" else "Display"
    for mime in _TEXTS:
        if mime not in data:
            continue
        if mime == "application/json":
            text = json.dumps(data[mime], ensure_ascii=False)
        else:
            text = text_of(data[mime])
        if mime == "text/html":
            return _Piece(f"{head}, {mime}:", head_and_tail(text, MOST_HTML))
        named = "" if mime == "text/plain" else f", {mime}"
        return _Piece(f"{head}{named}:", _printed(text, most))
    if "image/svg+xml" in data:
        return _Piece("[A picture is here, image/svg+xml: it is not shown to you.]")
    others = ", ".join(each[:60] for each in map(str, data) if each not in _PICTURES)
    return _Piece(f"[{head}: {others[:200]}]" if others else "")


def _printed(text: str, most: int) -> str:
    """Return a text as a terminal would leave it, as far as it can be told."""
    # What lies far from both ends is not told anyway, and what follows takes its time.
    text = head_and_tail(text, 4 * most)
    text = COLOURS.sub("", text)
    return _OVERWRITTEN.sub("", text) if "\r" in text else text


def _traceback(output: Mapping[str, Any]) -> str:
    frames = output.get("traceback")
    lines = [each for each in frames if isinstance(each, str)] if isinstance(frames, list) else []
    if len(lines) > FIRST_FRAMES + LAST_FRAMES:
        left_out = len(lines) - FIRST_FRAMES - LAST_FRAMES
        note = f"[{left_out} frames are left out here]"
        lines = [*lines[:FIRST_FRAMES], note, *lines[-LAST_FRAMES:]]
    text = "\n".join(head_and_tail(each, MOST_TRACEBACK) for each in lines)
    text = text or f"{output.get('ename')}: {output.get('evalue')}"
    return head_and_tail(COLOURS.sub("", text), MOST_TRACEBACK)


def head_and_tail(text: str, most: int) -> str:
    """Keep the beginning and the end of a text that is too long, and say so."""
    if len(text) <= most:
        return text
    half = most // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[cut here: {left_out:,} characters]\n{text[-half:] if half else ''}"


def _shares(lengths: Sequence[int], most: int) -> list[int]:
    """Share out what may be told: what is short is told whole, the rest in equal parts."""
    left, shares = most, [0] * len(lengths)
    by_length = sorted(range(len(lengths)), key=lengths.__getitem__)
    for place, at in enumerate(by_length):
        shares[at] = min(lengths[at], left // (len(lengths) - place))
        left -= shares[at]
    return shares


def _told(piece: _Piece, share: int) -> str:
    text = head_and_tail(piece.text, share)
    if not text.strip():
        return piece.head if piece.head.startswith("[") else ""
    return f"{piece.head}\n{fenced(text.rstrip())}"
