"""A kernel as tools use it: found idle, given the piece, and left as it was."""

from __future__ import annotations

import ast
import asyncio
import uuid
from importlib.resources import files

import pytest

from jupyter_stop_chat.kernels import UNTRACKED
from jupyter_stop_chat.kernels.probe import PARTS
from jupyter_stop_chat.ports.kernels import KernelError, KernelInfo, RunEnd
from tests.kernels.kinds import shows
from tests.kernels.person import PATIENCE
from tests.kernels.place import IPYKERNELS, Place, Used

#: What of ours could be seen in a person's names and history.
TRACES = (
    "[n for n in dir() if 'stop'+'_chat' in n or n in ('install', 'Piece', 'space')], "
    "[x for x in In if 'stop'+'_chat' in x], len(In), [x for *_, x in "
    "get_ipython().history_manager.get_range(output=False) if 'stop'+'_chat' in x]"
)
SLOW = "import time\nfor _ in range(30): time.sleep(.01)\nprint('PERSON')"


async def ended(used: Used, code: str) -> RunEnd:
    """Run a cell of the agent's to its end."""
    run = used.kernel.expect(uuid.uuid4().hex)
    await used.kernel.execute(run, code)
    return await asyncio.wait_for(run.ended(), PATIENCE)


async def stopped(used: Used) -> RunEnd:
    """Run a cell that has no end, and stop it by its mark."""
    run = used.kernel.expect(uuid.uuid4().hex)
    await used.kernel.execute(run, "print('here', flush=True)\nwhile True: pass")
    await shows(run)
    assert (await run.interrupt()).exact
    return await asyncio.wait_for(run.ended(), PATIENCE)


def test_the_piece_is_read_by_old_pythons() -> None:
    """N13: a kernel may be of another Python than the server."""
    for part in PARTS:
        source = files("jupyter_stop_chat.kernels").joinpath(part).read_text("utf-8")
        ast.parse(source, feature_version=(3, 8))


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_nothing_of_ours_is_seen_and_reset_leaves_it(place: Place, kernel: str) -> None:
    """N2."""
    async with place.using(kernel) as used:
        begin = int((await used.person.run("len(In)")).split()[-1])
        for _ in range(3):
            await used.kernel.idle()
        assert await used.person.run(TRACES) == f"ok ([], [], {begin + 1}, [])"
        assert await used.person.run("exec = install = None\n%reset -f") == "ok"
        end = await stopped(used)
        assert end.error == ("KeyboardInterrupt", "")
        (shown,) = [each for each in end.outputs if each["output_type"] == "error"]
        assert "on_signal" not in "\n".join(shown["traceback"])
        await used.person.run("exec = lambda *_: 1 / 0")
        await used.kernel.idle()
        assert used.kernel.exact
        assert all(each in place.manager.untracked_message_types for each in UNTRACKED)


async def test_idle_waits_for_all_that_a_person_has_sent(place: Place) -> None:
    """N3: also for what came while it was asked; and where a failure aborts what asks."""
    async with place.using(IPYKERNELS[0]) as used:
        first = used.person.send(SLOW)
        waits = asyncio.ensure_future(used.kernel.idle())
        await used.person.begun(first)
        more = [used.person.send(SLOW) for _ in range(2)]
        await waits
        assert all(used.person.replies[each].done() for each in (first, *more))

        failing = used.person.send("import time; time.sleep(.2); 1 / 0")
        await used.person.begun(failing)
        await used.kernel.idle()
        assert used.person.replies[failing].done()
        assert used.kernel.exact


async def test_a_run_that_comes_after_its_stop_is_refused(place: Place) -> None:
    """N3, N9: what a page sends a moment too late does not begin."""
    async with place.using(IPYKERNELS[0]) as used:
        run = used.kernel.expect("late")
        assert (await run.interrupt()).answer == "refused"
        sent = used.person.send("never = 1", run.mark)
        run.sent(sent)
        end = await asyncio.wait_for(run.ended(), PATIENCE)
        assert (end.outcome, list(end.outputs)) == ("refused", [])
        assert await used.person.told(sent) == "aborted"
        assert await used.person.run("'never' in dir()") == "ok False"


async def test_a_mark_that_somebody_else_wrote_is_not_interrupted(place: Place) -> None:
    """N2: JupyterLab copies a cell's metadata from the file into its request."""
    async with place.using(IPYKERNELS[0]) as used:
        forged = used.person.send(SLOW, "forged")
        await used.person.begun(forged)
        run = used.kernel.expect(uuid.uuid4().hex)
        assert (await run.interrupt()).answer == "refused"
        assert await used.person.told(forged) == "ok PERSON"


async def test_a_subshell_is_left_alone(place: Place) -> None:
    """N2."""
    async with place.using(IPYKERNELS[0]) as used:
        made = await used.person.control("create_subshell_request", {})
        await used.kernel.idle()
        beside = used.person.send(SLOW, subshell=made["subshell_id"])
        await used.person.begun(beside)
        assert (await stopped(used)).error == ("KeyboardInterrupt", "")
        assert await used.person.told(beside) == "ok PERSON"


async def test_a_restart_ends_the_run_and_the_next_is_stopped_as_well(place: Place) -> None:
    """N4: a restart from the page, in the middle of a run; then run again."""
    async with place.using(IPYKERNELS[0]) as used:
        run = used.kernel.expect(uuid.uuid4().hex)
        await used.kernel.execute(run, "print('here', flush=True)\nwhile True: pass")
        await shows(run)
        await place.kernels.restart(used.kernel_id)
        end = await asyncio.wait_for(run.ended(), PATIENCE)
        assert end.outcome == "restarted"
        assert end.outputs[0]["text"] == "here\n"
        await used.kernel.idle()
        assert used.kernel.exact
        assert (await ended(used, "1 + 1")).outputs[0]["data"] == {"text/plain": "2"}
        assert (await stopped(used)).error == ("KeyboardInterrupt", "")


async def test_two_kernels_are_apart_and_one_is_shared(place: Place) -> None:
    """N2: the end of one is not the end of the other."""
    async with place.using(IPYKERNELS[0]) as one, place.using(IPYKERNELS[0]) as other:
        async with place.kernels.use(one.kernel_id) as again:
            assert again is one.kernel
        beside = other.kernel.expect(uuid.uuid4().hex)
        await other.kernel.execute(beside, SLOW)
        assert (await stopped(one)).error == ("KeyboardInterrupt", "")
        assert (await asyncio.wait_for(beside.ended(), PATIENCE)).outcome == "done"


async def test_a_run_goes_on_where_nobody_uses_the_kernel_any_more(place: Place) -> None:
    """N4, N6: its end is told all the same."""
    kernel_id = await place.start(IPYKERNELS[0])
    async with place.kernels.use(kernel_id) as kernel:
        await kernel.idle()
        run = kernel.expect(uuid.uuid4().hex)
        await kernel.execute(run, SLOW)
    assert (await asyncio.wait_for(run.ended(), PATIENCE)).outputs[0]["text"] == "PERSON\n"
    async with place.kernels.use(kernel_id) as again:
        assert again is not kernel


async def test_a_kernel_that_is_not_there_is_said_to_be_missing(place: Place) -> None:
    with pytest.raises(KernelError, match="missing"):
        async with place.kernels.use("none"):
            pass
    assert await place.kernels.where(KernelInfo("none", "", "")) is None


async def test_thousands_of_messages_a_second_hold_nobody(place: Place) -> None:
    """N5: the loop goes on (the watchdog looks), little is kept, the rest is counted."""
    flood = "import sys\nfor n in range(10**9): display('x' * 2000); sys.stdout.flush()"
    async with place.using(IPYKERNELS[0]) as used:
        run = used.kernel.expect(uuid.uuid4().hex)
        await used.kernel.execute(run, flood)
        turns, until = 0, asyncio.get_running_loop().time() + 1.5
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0)
            turns += 1
        await run.interrupt()
        end = await asyncio.wait_for(run.ended(), PATIENCE)
        assert turns > 50
        assert sum(len(str(each)) for each in end.outputs) < 6 * 1024 * 1024
        assert await used.person.run("print('PERSON')") == "ok PERSON"

        end = await ended(used, "print('y' * 9_000_000)\nprint('z')")
        assert end.outcome == "done"
        kept = len(end.outputs[0]["text"]) + end.left_out
        assert kept == pytest.approx(9_000_003, abs=100), "its JSON is counted as well"
