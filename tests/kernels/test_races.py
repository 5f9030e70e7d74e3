"""A Stop that meets cells of a person ends the agent's, and hits none of theirs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.kernels.place import IPYKERNELS, Place
from tests.kernels.races import BACKGROUND, ENDINGS, LOST, RACES, Tally, race

UNHURT = {"ok PERSON", "background ok [None, None]"}
#: So many races of each kind are held by `make stress`, a part of them plainly, in several kernels
#: at once: one waits most of the time.
COUNT = int(os.environ.get("STOP_CHAT_RACES", "500"))
PLAIN, KERNELS = COUNT // 10, 4
#: A plain interrupt may lose answers; that is seen after so many seconds.
PLAIN_PATIENCE = 2.0


async def held(
    place: Place,
    kernel: str,
    kinds: Sequence[str],
    count: int,
    *,
    plain: bool = False,
    nth: int = 0,
) -> dict[str, Tally]:
    """Hold races of each kind in a kernel of their own; what a person left running lives on.

    A kernel that is lost has another one in its place.
    """
    tallies = {kind: Tally() for kind in kinds}
    left = dict.fromkeys(kinds, count)
    how: dict[str, Any] = {"patience": PLAIN_PATIENCE, "say": lambda _: None} if plain else {}
    while any(left.values()):
        async with place.using(kernel) as used:
            assert used.kernel.exact, "the piece does not fit this ipykernel"
            assert await used.person.run(BACKGROUND) == "ok"
            if plain:
                used.kernel.unfit()
            for kind, tally in tallies.items():
                lost, seed = tally.agent[LOST], f"{left[kind]} {nth}"
                left[kind] -= await race(used, kind, left[kind], seed=seed, tally=tally, **how)
                if tally.agent[LOST] > lost:
                    break
            else:
                alive = await used.person.run("print([each.poll() for each in left])")
                for tally in tallies.values():
                    tally.person[f"background {alive}"] += 1
                await used.person.run("for each in left: each.kill(); each.wait()")
    return tallies


def unhurt(kind: str, tally: Tally) -> None:
    """Look that none of a person's cells was hit, and that the agent's all ended."""
    assert set(tally.person) == UNHURT, f"{kind}: {tally}"
    assert set(tally.agent) <= ENDINGS[kind], f"{kind}: {tally}"
    assert not {"plain", "not_sent"} & set(tally.answers), f"{kind}: {tally}"


async def test_in_races_none_of_a_persons_cells_is_hit(place: Place) -> None:
    """N2, N3: 60 races of each kind in each ipykernel, all side by side: they mostly wait."""
    kernels = [name for name in IPYKERNELS if place.has(name)]
    kinds = [[*RACES][::2], [*RACES][1::2]]  # to start a kernel for each takes longer than they do
    done = await asyncio.gather(
        *(held(place, kernel, some, 60) for kernel in kernels for some in kinds)
    )
    for tallies in done:
        for kind, tally in tallies.items():
            unhurt(kind, tally)
    for name in IPYKERNELS:
        place.need(name)


@pytest.mark.stress
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", RACES)
@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_in_500_races_none_is_hit_and_plainly_some_are(
    place: Place, kernel: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """N2, N13: 500 of each kind; a part with the plain interrupt are the figure beside it."""
    with capsys.disabled():
        began = time.monotonic()
        each = COUNT // KERNELS
        races = [held(place, kernel, [kind], each, nth=nth) for nth in range(KERNELS)]
        tasks = [
            asyncio.ensure_future(some)
            for some in (*races, held(place, kernel, [kind], PLAIN, plain=True))
        ]
        for done, task in enumerate(asyncio.as_completed(tasks), 1):
            try:
                await task
            except Exception as error:
                print(f"\n{kernel} {kind}: {type(error).__name__}: {error}", flush=True)
                raise
            print(f"\r{kernel} {kind}: {done} of {len(tasks)} kernels", end="", flush=True)
        tallies = [task.result()[kind] for task in tasks]
        exact, beside = sum(tallies[:-1], Tally()), tallies[-1]
        print(f"\n{kernel} {kind}, by its mark: {exact}\n{kernel} {kind}, plain: {beside}")
        print(f"{time.monotonic() - began:.0f} s", flush=True)
    unhurt(kind, exact)
