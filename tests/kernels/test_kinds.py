"""Every kind of cell is stopped, or is known to run on."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid

import pytest

from jupyter_stop_chat.kernels.run import LiveRun
from jupyter_stop_chat.ports.kernels import Run, RunEnd
from tests.aids.turns import until
from tests.kernels.kinds import ENDLESS, KILLED, KINDS, LUCKY, STUBBORN, Kind, shows
from tests.kernels.person import PATIENCE
from tests.kernels.place import IPYKERNELS, NOT_PYTHON, Place, Used

#: ipykernel is slow to answer a cell that has come to its end; the cell has a handler of its own.
SLOW_ANSWER = """
import time
kernel = get_ipython().kernel
def slowly(*args, of=kernel.finish_metadata):
    print('answers', flush=True)
    for _ in range(30):
        time.sleep(.01)
    return of(*args)
kernel.finish_metadata = slowly
"""
CLEANS_UP = """
import time
try:
    print('here', flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print('cleans up', flush=True)
    time.sleep(600)
"""
#: A person's task holds the loop for a while, once it may.
HERS = """
import asyncio, time
go = asyncio.Event()
async def busy():
    await go.wait()
    end = time.monotonic() + .5
    while time.monotonic() < end:
        pass
    return 'PERSON'
hers = asyncio.create_task(busy())
"""
OWN_HANDLER = """
import signal
def interrupt(*args):
    raise KeyboardInterrupt
before = signal.signal(signal.SIGINT, interrupt)
print('here', flush=True)
"""


async def begun(used: Used, code: str, *, asks: bool = False) -> LiveRun:
    """Run a cell of the agent's, and return once it runs."""
    run = used.kernel.expect(uuid.uuid4().hex)
    run.sent(used.person.send(code, run.mark, allow_stdin=asks))
    # Not as the person hears it: a plain interrupt looks at what was heard here.
    await until(lambda: run.request is not None and run.request.begun)
    return run


async def ended(run: Run) -> RunEnd:
    return await asyncio.wait_for(run.ended(), PATIENCE)


async def ended_of(run: Run, kind: Kind) -> RunEnd:
    """Wait until a run of a kind has ended; where it does not, say which it is."""
    try:
        return await ended(run)
    except TimeoutError:
        pytest.fail(f"{kind.name} runs on")


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_each_kind_of_cell_is_stopped(place: Place, kernel: str) -> None:
    """N5: whatever it waits for, by one press; and a person's cell behind it runs."""
    async with asyncio.TaskGroup() as halves:
        for half in range(2):
            halves.create_task(_is_stopped(place, kernel, ENDLESS[half::2]))


async def _is_stopped(place: Place, kernel: str, kinds: tuple[Kind, ...]) -> None:
    async with place.using(kernel) as used:
        for kind in kinds:
            run = await begun(used, kind.code, asks=kind.asks)
            await kind.ready(run)
            behind = used.person.send("print('PERSON')")
            assert (await run.interrupt()).exact, kind.name
            end = await ended_of(run, kind)
            if not (kind.quiet and end.outcome == "done"):
                told = (end.outcome, end.error)
                assert told == ("error", ("KeyboardInterrupt", "")), kind.name
            assert await used.person.told(behind) == "ok PERSON", kind.name


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_a_cell_that_does_not_react_is_known_to_run_on_to_its_own_end(
    place: Place, kernel: str
) -> None:
    """N4: C code, and a swallowed KeyboardInterrupt; the kernel says so within half a second."""
    async with asyncio.TaskGroup() as halves:
        for half in range(2):
            halves.create_task(_runs_on(place, kernel, STUBBORN[half::2]))


async def _runs_on(place: Place, kernel: str, kinds: tuple[Kind, ...]) -> None:
    async with place.using(kernel) as used:
        for kind in kinds:
            run = await begun(used, kind.code, asks=kind.asks)
            await kind.ready(run)
            said = await run.interrupt()
            assert said.exact
            assert said.ms < 500
            assert (await ended_of(run, kind)).outcome in kind.ends, kind.name
            assert await used.person.run("print('PERSON')") == "ok PERSON", kind.name


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_a_second_press_interrupts_what_the_cell_does_at_the_first(
    place: Place, kernel: str
) -> None:
    """N4: a clean-up without end."""
    async with place.using(kernel) as used:
        run = await begun(used, CLEANS_UP)
        await shows(run)
        assert (await run.interrupt()).exact
        await until(lambda: "cleans up" in str(run.so_far().outputs))
        assert (await run.interrupt()).answer == "raised"
        assert (await ended(run)).error == ("KeyboardInterrupt", "")


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_a_handler_of_the_cells_own_is_not_called_behind_the_cell(
    place: Place, kernel: str
) -> None:
    """N2: what it raises there would end what answers the cell, and nobody hears of its end."""
    async with place.using(kernel) as used:
        assert await used.person.run(SLOW_ANSWER) == "ok answers"
        run = used.kernel.expect(uuid.uuid4().hex)
        sent = used.person.send(OWN_HANDLER, run.mark)
        run.sent(sent)
        # Not as it says that it is there: it is still in its own code then.
        await until(lambda: "answers" in str(run.so_far().outputs))
        assert (await run.interrupt()).exact
        assert (await used.person.reply(sent))["status"] == "ok"
        assert (await ended(run)).outcome == "done"


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_a_task_of_a_persons_that_holds_the_loop_is_left_alone(
    place: Place, kernel: str
) -> None:
    """N2: a task of the agent's cell is cancelled there; this one came with another."""
    async with place.using(kernel) as used:
        assert await used.person.run(HERS) == "ok"
        run = await begun(used, "go.set(); print('here', flush=True); await asyncio.sleep(600)")
        await shows(run)
        assert (await run.interrupt()).exact
        assert (await ended(run)).error == ("KeyboardInterrupt", "")
        assert await used.person.run("print(await hers)") == "ok PERSON"


async def test_input_is_asked_of_the_person_and_nobody_where_nobody_is_there(place: Place) -> None:
    """N5."""
    async with place.using(IPYKERNELS[0]) as used:
        run = used.kernel.expect("alone")
        await used.kernel.execute(run, "input('Name: ')")
        end = await ended(run)
        assert end.asked
        assert end.outcome == "error"
        run = used.kernel.expect("with a person")
        sent = used.person.send("input('Name: ')", run.mark, allow_stdin=True)
        run.sent(sent)
        await used.person.begun(sent)
        await run.interrupt()
        end = await ended(run)
        assert (end.error, end.asked) == (("KeyboardInterrupt", ""), False)


async def test_a_kernel_that_is_killed_ends_its_run(place: Place) -> None:
    """N4: as the system does with one that takes all memory."""
    async with place.using(IPYKERNELS[0]) as used:
        run = await begun(used, "print('so far')\nimport time; time.sleep(600)")
        await shows(run)
        os.kill(place.manager.get_kernel(used.kernel_id).provisioner.pid, signal.SIGKILL)
        end = await ended(run)
        assert end.outcome in {"died", "restarted"}
        assert end.outputs[0]["text"] == "so far\n"
        assert (await run.interrupt()).answer == "ended"


@pytest.mark.filterwarnings("ignore:Passing unrecognized arguments:DeprecationWarning")
@pytest.mark.parametrize("kernel", [IPYKERNELS[0], NOT_PYTHON])
async def test_without_the_piece_what_is_asked_is_looked_at(place: Place, kernel: str) -> None:
    """N13: a plain interrupt where the agent's cell runs, and none where a person's does."""
    sleep = "import time; time.sleep(600)" if kernel != NOT_PYTHON else "sleep 600"
    async with place.using(kernel) as used:
        used.kernel.unfit()
        assert not used.kernel.exact
        run = await begun(used, sleep)
        said = await run.interrupt()
        assert (said.answer, said.exact) == ("plain", False)
        await ended(run)
        assert (await run.interrupt()).answer == "ended"

        short = "import time; time.sleep(.3)" if kernel != NOT_PYTHON else "sleep .3"
        first = used.person.send(short)
        run = used.kernel.expect("waits")
        run.sent(used.person.send(sleep, run.mark))
        await used.person.begun(first)
        said = await run.interrupt()
        assert (said.answer, said.exact) == ("not_sent", True)
        # As it begins all the same, it is interrupted.
        assert await used.person.told(first) == "ok"
        await ended(run)


@pytest.mark.stress
@pytest.mark.timeout(400)
async def test_table_of_kinds(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """N5: prints the table of docs/stop.md, as Markdown."""
    rows: dict[str, list[str]] = {}
    for kernel in IPYKERNELS:
        async with place.using(kernel) as used:
            for kind in (*KINDS, *STUBBORN, *LUCKY):
                told = await _measured(used, kind)
                rows.setdefault(kind.name, []).append(told)
                with capsys.disabled():
                    print(f"\n{kernel}: {kind.name}: {told}", end="", flush=True)
        async with place.using(kernel) as used:
            rows.setdefault(KILLED.name, []).append(await _killed(used))
    with capsys.disabled():
        print("\n| cell | ipykernel 7 | ipykernel 6 |\n|---|---|---|")
        for name, told in rows.items():
            print(f"| {name} | {' | '.join(told)} |")


async def _measured(used: Used, kind: Kind) -> str:
    run = await begun(used, kind.code, asks=kind.asks)
    await kind.ready(run)
    loop = asyncio.get_running_loop()
    pressed = loop.time()
    said = await run.interrupt()
    try:
        end = (await ended(run)).outcome
    except TimeoutError:
        end = "still running"
    return f"{said.answer}, {(loop.time() - pressed) * 1000:.0f} ms, {end}"


async def _killed(used: Used) -> str:
    run = await begun(used, KILLED.code)
    loop = asyncio.get_running_loop()
    began = loop.time()
    end = await ended(run)
    return f"–, {(loop.time() - began) * 1000:.0f} ms, {end.outcome}"
