"""Races of a Stop with cells of a person and of the agent, in one kernel."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from jupyter_stop_chat.ports.kernels import Run
from tests.kernels.person import PATIENCE, Person
from tests.kernels.place import Used

#: What a person's cells do: they wait, they compute, they await.
PERSONS = (
    "import time\nfor _ in range(10): time.sleep(.003)\nprint('PERSON')",
    "import time\nend = time.monotonic() + .02\nwhile time.monotonic() < end: pass\n"
    "print('PERSON')",
    "import asyncio\nfor _ in range(5): await asyncio.sleep(.004)\nprint('PERSON')",
)
#: The agent's do the same for so many seconds.
AGENTS = (
    "import time; time.sleep({0})",
    "import time\nend = time.monotonic() + {0}\nwhile time.monotonic() < end: pass",
    "import asyncio; await asyncio.sleep({0})",
)
#: No test waits for so long: a cell that runs on is seen.
ENDLESS = 10 * PATIENCE
#: What is said of a run of which nothing is heard any more, interrupted so many times: its kernel
#: answers nobody.
LOST, ENDED_AGAIN = "is lost", 4
#: What a person leaves running.
BACKGROUND = (
    "import subprocess, sys\nleft = [subprocess.Popen(['sleep', '600']), subprocess.Popen("
    "[sys.executable, '-c', 'import time; time.sleep(600)'], stderr=subprocess.DEVNULL)]"
)


@dataclass
class Tally:
    """What became of the cells: of a person's, of the agent's, and what the kernel said."""

    person: Counter[str] = field(default_factory=Counter)
    agent: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        """Count both."""
        return Tally(
            self.person + other.person,
            self.agent + other.agent,
            self.answers + other.answers,
            max(self.slowest_ms, other.slowest_ms),
        )

    def __str__(self) -> str:
        parts = (self.person, self.agent, self.answers)
        counts = " | ".join(str(dict(sorted(each.items()))) for each in parts)
        return f"{counts} | at most {self.slowest_ms:.0f} ms"


class Race:
    """One race: cells that are sent, and a stop of the agent's."""

    def __init__(self, used: Used, n: int, chance: random.Random) -> None:
        self.used, self.n, self.chance = used, n, chance
        self.persons: list[tuple[Person, str]] = []

    def person(self, who: Person | None = None) -> str:
        """Send a person's cell."""
        who = who or self.used.person
        sent = who.send(PERSONS[self.chance.randrange(3)])
        self.persons.append((who, sent))
        return sent

    async def agent(self, seconds: float) -> Run:
        """Send the agent's cell: every other one as a page does, the others as the server."""
        code = AGENTS[self.n % 3].format(seconds)
        run = self.used.kernel.expect(uuid.uuid4().hex)
        if self.n % 2:
            run.sent(self.used.person.send(code, run.mark))
        else:
            await self.used.kernel.execute(run, code)
        return run

    async def wait(self, least: float, most: float) -> None:
        """Wait for a while that nobody knows."""
        await asyncio.sleep(self.chance.uniform(least, most))


async def ends(race: Race) -> Run:
    """Press Stop as the agent's cell ends."""
    run = await race.agent(0.03)
    race.person()
    await race.wait(0.025, 0.05)
    return run


async def begins(race: Race) -> Run:
    """Press Stop as the agent's cell begins, which waited behind a person's."""
    first = race.person()
    run = await race.agent(ENDLESS)
    race.person()
    await race.used.person.begun(first)
    await race.wait(0.015, 0.05)
    return run


async def behind(race: Race) -> Run:
    """Press Stop while a person's cells wait behind the agent's."""
    run = await race.agent(ENDLESS)
    for _ in range(3):
        race.person()
    await race.wait(0.0, 0.06)
    return run


async def before(race: Race) -> Run:
    """Press Stop while a person's cells run, and the agent's waits behind them."""
    for _ in range(2):
        race.person()
    run = await race.agent(ENDLESS)
    await race.wait(0.0, 0.03)
    return run


async def elsewhere(race: Race) -> Run:
    """Press Stop while cells of another notebook stand around the agent's."""
    race.person(race.used.other)
    run = await race.agent(0.03 if race.n % 4 < 2 else ENDLESS)
    race.person(race.used.other)
    race.person()
    await race.wait(0.0, 0.1)
    return run


RACES: dict[str, Callable[[Race], Awaitable[Run]]] = {
    each.__name__: each for each in (ends, begins, behind, before, elsewhere)
}


async def race(
    used: Used,
    kind: str,
    count: int,
    *,
    seed: str,
    tally: Tally,
    patience: float = PATIENCE,
    say: Callable[[str], None] = print,
) -> int:
    """Hold so many races, one after another, and tell how many; fewer, if the kernel is lost.

    :param patience: so many seconds later, a run goes on, or a person's cell is not answered.
    :param say: is told at once of what a Stop must not do.
    """
    chance = random.Random(f"{kind} {seed}")
    loop = asyncio.get_running_loop()
    for n in range(count):
        one = Race(used, n, chance)
        try:
            run = await RACES[kind](one)
        except TimeoutError:
            assert patience < PATIENCE, f"{kind}, race {n}: no cell of a person's begins any more"
            tally.agent[LOST] += 1  # an interrupt that was a plain one has lost the kernel
            return n + 1
        pressed = loop.time()
        said = await run.interrupt()
        tally.answers[said.answer] += 1
        became = await _became(used, run, patience)
        tally.agent[became] += 1
        tally.slowest_ms = max(tally.slowest_ms, (loop.time() - pressed) * 1000)
        if became not in ENDINGS[kind]:
            say(f"{kind}, race {n}: {said.answer}, and the agent's cell: {became}")
        for who, sent in one.persons:
            try:
                told = await asyncio.wait_for(who.told(sent), 0.1 if became == LOST else patience)
            except TimeoutError:
                told = "unanswered"
            tally.person[told] += 1
            if told != "ok PERSON":
                say(f"{kind}, race {n}: {said.answer}, and a person's cell: {told}")
        if became == LOST:
            return n + 1
    return count


async def _became(used: Used, run: Run, patience: float) -> str:
    """Wait for the end of a run, and name it; one that goes on is ended for the next race."""
    try:
        end = await asyncio.wait_for(run.ended(), patience)
        return f"{end.outcome} {end.error[0]}" if end.error else end.outcome
    except TimeoutError:
        for _ in range(ENDED_AGAIN):
            # Whatever it does: of what it said before, an answer may be lost.
            await used.kernel.interrupt_plainly()
            await asyncio.sleep(0.5)
            if run.over:
                return "runs on"
        return LOST


#: How the agent's cell may end, in each. None runs on, and none is lost.
STOPPED = {"error KeyboardInterrupt", "refused"}
ENDINGS = {
    "ends": STOPPED | {"done"},
    "begins": STOPPED,
    "behind": STOPPED,
    "before": STOPPED,
    "elsewhere": STOPPED | {"done"},
}
