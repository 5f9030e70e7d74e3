"""What instructions and context cost: a word, the first word, a Stop, with them and without."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator
from typing import Any, Self

from .asked import Asked
from .contenders import Ours, Served, processor_a_word
from .load import first_took, first_word
from .provider import Provider
from .rows import Row

RATE = 50
#: So much slower it may be with them: they are put together once a reply, and no word of it more.
MOST = 1.1
#: The first word comes so much later at most, in milliseconds: rules files are looked for.
FIRST = 5.0

_RULES = "Prefer short answers.\n" * 200
_CELL = "for each in range(10):\n    print(each)\n" * 100


class Told(Ours):
    """The chat, told what it can be: instructions of all kinds, rules files, a notebook's cells.

    :param provider: where OpenAI's models are asked.
    """

    name = "told"

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider, instructions="Answer in English. " * 100)

    async def __aenter__(self) -> Self:
        folder = self.server.root / "work" / "deep"
        folder.mkdir(parents=True)
        for each in (self.server.root, folder.parent, folder):
            (each / "AGENTS.md").write_text(_RULES, encoding="utf-8")
        (folder / "a.ipynb").write_text("{}", encoding="utf-8")
        await super().__aenter__()
        self.socket.more = {"path": "work/deep/a.ipynb", "attachments": [_context()]}
        return self


def _context() -> dict[str, Any]:
    return {"name": "work/deep/a.ipynb, cell 3", "text": _CELL, "kind": "context"}


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    async with Provider() as provider, Told(provider) as told, Ours(provider) as ours:
        both = (told, ours)
        for streams in asked.streams:
            took: dict[str, list[float]] = {each.name: [] for each in both}
            for _ in range(max(3, asked.rounds // 2)):
                for each in both:
                    used = await processor_a_word(
                        each, f"openai:paced-{RATE}", streams, asked.seconds
                    )
                    took[each.name].append(used)
            what = f"processor a word, {streams} × {RATE}/s, with instructions and context"
            yield _row(what, "µs", took, MOST)
        firsts, settled = {each.name: [] for each in both}, {each.name: [] for each in both}
        for number in range(5 * asked.rounds + 1):
            for each in both:
                first, stop = await _one(each, provider)
                if number:  # the first imports what it needs
                    firsts[each.name].append(first)
                    settled[each.name].append(stop)
        yield _row(
            "provider's first word → client, with instructions and context", "ms", firsts, FIRST
        )
        yield _row("stop → last frame, with instructions and context", "ms", settled, MOST)


async def _one(each: Served, provider: Provider) -> tuple[float, float]:
    stream = await first_word(each, f"openai:paced-{RATE}")
    first = await first_took(provider, stream)
    began, ended = await each.socket.stop(stream)
    return first, (ended - began) * 1e3


def _row(what: str, unit: str, took: dict[str, list[float]], target: float) -> Row:
    told, ours = (statistics.median(took[name]) for name in ("told", "ours"))
    kind = "more" if target == FIRST else "ratio"
    return Row(what, unit, told, "without", ours, target, kind)
