"""What of a person's has its turn while a cell of the agent's goes on, in the same loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import zmq

from tests.kernels.kinds import shows
from tests.kernels.person import Person
from tests.kernels.place import IPYKERNELS, Place
from tests.kernels.test_kinds import begun, ended

#: A widget of hers: what she does with it holds the loop for a while, in one way or another.
WIDGET = """
import asyncio, time
HOLD = '''
try:
    end = time.monotonic() + .4
    while time.monotonic() < end: pass
    became = 'PERSON'
except BaseException as error:
    became = repr(error)
'''
async def hold():
    exec(HOLD, globals())
def told(message):
    global hers
    way = message['content']['data']
    if way == 'in a task': hers = asyncio.ensure_future(hold())
    elif way == 'in a cell within': get_ipython().run_cell(HOLD)
    else: exec(HOLD, globals())
get_ipython().kernel.comm_manager.register_target('hers', lambda comm, _: comm.on_msg(told))
"""
WAYS = ("in a task", "in a cell within", "by itself")
#: A task of hers holds the loop for a while, once it may.
TASK = """
import asyncio, time
import {nested}; {nested}.apply()
async def busy():
    await go.wait()
    end = time.monotonic() + .5
    while time.monotonic() < end:
        pass
    return 'PERSON'
go = asyncio.Event()
hers = asyncio.ensure_future(busy())
"""
NESTED = """
import asyncio
go.set()
print('here', flush=True)
asyncio.get_event_loop().run_until_complete(asyncio.sleep(600))
"""


def sends(person: Person, kind: str, **content: Any) -> None:
    """Have a page say something to a widget."""
    message = person.session.msg(kind, {"comm_id": "hers", **content})
    person._client.shell_channel.send(message)
    person._client.shell_channel.socket.get(zmq.EVENTS)


async def test_what_a_person_does_with_a_widget_is_left_alone(place: Place) -> None:
    """N2: ipykernel 7 answers that while a cell waits; the one before, when it has ended."""
    async with place.using(IPYKERNELS[0]) as used:
        assert await used.person.run(WIDGET) == "ok"
        sends(used.person, "comm_open", target_name="hers", data={})
        for way in WAYS:
            await used.person.run("became = None")
            code = "import asyncio\nprint('here', flush=True)\nawait asyncio.sleep(600)"
            run = await begun(used, code)
            await shows(run)
            sends(used.person, "comm_msg", data=way)
            await asyncio.sleep(0.1)  # it holds the loop: nothing is heard of it
            assert (await run.interrupt()).exact
            assert (await ended(run)).error == ("KeyboardInterrupt", ""), way
            assert await used.person.run("print(became)") == "ok PERSON", way


@pytest.mark.parametrize("kernel", IPYKERNELS)
async def test_a_task_of_a_persons_in_a_loop_within_the_cell_is_left_alone(
    place: Place, kernel: str
) -> None:
    """N2: as nest_asyncio has it."""
    nested = "nest_asyncio2" if kernel == IPYKERNELS[0] else "nest_asyncio"
    async with place.using(kernel) as used:
        assert await used.person.run(TASK.format(nested=nested)) == "ok"
        run = await begun(used, NESTED)
        await shows(run)
        await asyncio.sleep(0.1)  # her task holds the loop: nothing is heard of it
        assert (await run.interrupt()).exact
        assert (await ended(run)).error == ("KeyboardInterrupt", "")
        assert await used.person.run("print(await hers)") == "ok PERSON"
