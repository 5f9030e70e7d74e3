"""What a cell has to do at its end is not broken off by the interrupt that ended it."""

from __future__ import annotations

import asyncio

import pytest

from tests.kernels.kinds import Kind, shows
from tests.kernels.place import IPYKERNELS, Place
from tests.kernels.test_kinds import begun, ended_of

_FINALLY = "finally:\n  time.sleep(.2); print('cleaned', flush=True)"
KINDS = (
    Kind("behind a command of the system", f"import time\ntry:\n  !sleep 600\n{_FINALLY}"),
    Kind(
        "behind a magic that fails of it",
        f"import time\ntry: get_ipython().run_cell_magic('bash', '', 'sleep 600')\n{_FINALLY}",
    ),
    Kind(
        "behind a command in a cell within",
        "shell = get_ipython()\nshell.run_cell('''import time\ntry: shell.system('sleep 600')\n"
        f"{_FINALLY}''')\nwhile True: pass",
    ),
    Kind(
        "in a task that computes",
        "import asyncio, time\nasync def busy():\n  try:\n    n = 1\n    while True: n += 1\n"
        "  finally:\n    time.sleep(.2); print('cleaned', flush=True)\n"
        "await asyncio.gather(busy(), asyncio.sleep(600))",
    ),
)


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_what_cleans_up_is_left_alone(place: Place, kernel: str) -> None:
    """N5: IPython takes the interrupt, and it is raised again; a loop's task is cancelled."""
    async with place.using(kernel) as used:
        for kind in KINDS:
            run = await begun(used, kind.code)
            await shows(run)
            await asyncio.sleep(0.1)  # it is within: of that, nothing is heard
            assert (await run.interrupt()).exact
            end = await ended_of(run, kind)
            assert (end.outcome, end.error) == ("error", ("KeyboardInterrupt", "")), kind.name
            assert "cleaned" in "".join(each.get("text", "") for each in end.outputs), kind.name
            assert await used.person.run("import sys; print(sys.gettrace())") == "ok None"


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_an_error_that_comes_of_it_shows_nothing_of_ours(place: Place, kernel: str) -> None:
    """N2."""
    code = (
        "import time\nprint('here', flush=True)\n"
        "try: time.sleep(600)\nexcept KeyboardInterrupt: raise ValueError"
    )
    async with place.using(kernel) as used:
        run = await begun(used, code)
        await shows(run)
        assert (await run.interrupt()).exact
        end = await ended_of(run, Kind("an error that comes of it", code))
        assert "ValueError" in str(end.outputs)
        assert "on_signal" not in str(end.outputs)
