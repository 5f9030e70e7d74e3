"""The local handler with the real model."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_core.utils import ensure_event_loop

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.chat_handlers.local import LocalHandler
from jupyter_stop_chat.local_model.weights import weights_path
from jupyter_stop_chat.ports.handler import Finished, HistoryCut, Text, TokensUsed
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.aids.turns import Reading, closing, until
from tests.aids.weights import local_model_data_dir

__all__ = ["local_model_data_dir"]

pytestmark = pytest.mark.local_model

LONG = "Write a very long story about a dog, a cat and a horse."
#: It takes the model many seconds to read this.
LONG_PROMPT = "The dog, the cat and the horse went for a walk. " * 500


@pytest.fixture(scope="module")
def jp_asyncio_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Make one event loop for all: the model's process is known to one alone."""
    loop = ensure_event_loop(prefer_selector_loop=True)
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def handler(
    local_model_data_dir: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[LocalHandler]:
    """Return the handler that all share who end no process: a model takes long to load.

    It may use as much memory as is set by default.
    """
    limit = StopChatApp.local_memory_limit.default_value
    made = LocalHandler(local_model_data_dir, memory_mb=limit)
    yield made
    jp_asyncio_loop.run_until_complete(made.close())


@pytest.fixture(scope="module")
def forgetful(
    local_model_data_dir: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[LocalHandler]:
    """Return one with room for a short chat alone."""
    made = LocalHandler(local_model_data_dir, context=320)
    yield made
    jp_asyncio_loop.run_until_complete(made.close())


def fixed(**parameters: object) -> dict[str, object]:
    return {"temperature": 0, "seed": 1, **parameters}


async def test_a_reply_streams_and_is_counted(handler: LocalHandler) -> None:
    """B11: a real model answers, without a network."""
    reading = Reading(handler, "Say hello.", parameters=fixed(max_tokens=20))
    await reading.task
    assert len(reading.text) > 5
    assert sum(isinstance(event, Text) for event in reading.events) > 3
    read, made = reading.tokens
    assert 20 < read < 60
    assert 3 < made <= 20
    assert reading.reported.reports == ["started", "closed"]


async def test_stopped_mid_stream(handler: LocalHandler) -> None:
    """V1, B1, B2: the child confirms, survives, and answers the next prompt."""
    reading = Reading(handler, LONG)
    await reading.reads(Text, 5)
    (pid,) = handler.pids
    await reading.stop()
    kept = reading.text
    await reading.reported.closed.wait()
    assert reading.text == kept
    await Reading(handler, "Hi.", parameters=fixed(max_tokens=3)).task
    assert handler.pids == [pid]


async def test_stopped_while_it_reads_a_long_prompt(handler: LocalHandler) -> None:
    """V8: it is stopped before its first token."""
    reading = Reading(handler, LONG_PROMPT)
    await reading.reads(TokensUsed)
    (pid,) = handler.pids
    await reading.stop()
    await reading.reported.closed.wait()
    assert reading.text == ""
    await Reading(handler, "Hi.", parameters=fixed(max_tokens=3)).task
    assert handler.pids == [pid]


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param(LONG, id="writing"),
        pytest.param(LONG_PROMPT, id="reading", marks=pytest.mark.stress),
    ],
)
async def test_the_processor_rests_after_a_stop(handler: LocalHandler, prompt: str) -> None:
    """V1: from 300 ms after the stop on, the child uses no processor."""

    def used(process: psutil.Process) -> float:
        times = process.cpu_times()
        return times.user + times.system

    reading = Reading(handler, prompt)
    await reading.reads(TokensUsed)
    child = psutil.Process(handler.pids[0])
    before = used(child)
    # It works, and the measure shows it.
    await until(lambda: used(child) >= before + 0.1)
    await reading.stop()
    await asyncio.sleep(0.3)
    at_rest = used(child)
    await asyncio.sleep(1)
    assert used(child) - at_rest <= 0.021


async def test_stopped_before_the_child_is_up(local_model_data_dir: Path) -> None:
    """V8: nothing was asked yet, and the child is there for the next prompt."""
    async with closing(LocalHandler(local_model_data_dir)) as handler:
        reading = Reading(handler, LONG)
        await until(lambda: handler.pids != [])
        pids = handler.pids
        await reading.stop()
        assert reading.reported.reports == []
        again = Reading(handler, "Hi.", parameters=fixed(max_tokens=3))
        await again.task
        assert again.tokens[1] == 3
        assert handler.pids == pids


async def test_four_at_once_and_one_is_stopped(handler: LocalHandler) -> None:
    """J4: the others go on; a fifth waits for a place, and can be stopped while it does."""
    readings = [
        Reading(handler, f"{number}. {LONG}", parameters={"max_tokens": 400})
        for number in range(4)
    ]
    for reading in readings:
        await reading.reads()
    fifth = Reading(handler, "Hi.", parameters=fixed(max_tokens=3))
    sixth = Reading(handler, "Hi.")
    await until(lambda: "started" in sixth.reported.reports)
    assert all(not reading.task.done() for reading in readings)
    await sixth.stop()
    await sixth.reported.closed.wait()
    assert sixth.events == []
    await readings[0].stop()
    await readings[0].reported.closed.wait()
    await fifth.task
    for reading in readings[1:]:
        await reading.reads(Text, len(reading.events) // 2 + 5)
        await reading.stop()
        await reading.reported.closed.wait()
    assert len(handler.pids) == 1


async def test_the_child_is_killed_mid_stream(handler: LocalHandler) -> None:
    reading = Reading(handler, LONG)
    await reading.reads(Text, 3)
    (pid,) = handler.pids
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(StopChatError) as caught:
        await reading.task
    assert caught.value.code is ErrorCode.LOCAL_MODEL_CRASHED
    assert reading.text
    assert reading.reported.reports == ["started", "closed"]
    await Reading(handler, "Hi.", parameters=fixed(max_tokens=3)).task
    assert handler.pids != [pid]


PARENT = """
import asyncio, sys
from pathlib import Path
from jupyter_stop_chat.ports.handler import HistoryCut, Text, Turn, TurnMessage
from jupyter_stop_chat.chat_handlers.local import LocalHandler

async def main():
    handler = LocalHandler(Path(sys.argv[1]))
    turn = Turn("c", "m", [TurnMessage("user", "Write a long story.")], "smollm2")
    async for event in handler.reply(turn):
        if isinstance(event, Text):
            print(handler.pids[0], flush=True)

asyncio.run(main())
"""


def runs(process: psutil.Process) -> bool:
    """Tell whether a process runs; where nobody reaps grandchildren, a zombie has ended too."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_child_dies_with_its_parent(local_model_data_dir: Path) -> None:
    """B1: a server that is killed leaves nothing running."""
    command = [sys.executable, "-c", PARENT, str(local_model_data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        deadline = time.monotonic() + 2
        while runs(child):
            assert time.monotonic() < deadline
            time.sleep(0.01)


async def test_nobody_reaches_the_child_by_network(handler: LocalHandler) -> None:
    reading = Reading(handler, LONG)
    await reading.reads()
    child = psutil.Process(handler.pids[0])
    assert child.net_connections("inet") == []
    sockets = [connection.laddr for connection in child.net_connections("unix")]
    assert [path for path in sockets if path and Path(path).exists()] == []  # noqa: ASYNC240
    await reading.stop()


async def test_a_partial_reply_is_gone_on_from(handler: LocalHandler) -> None:
    """V9: the partial reply is part of what the model reads."""
    prompt = "Count from one to ten in words, separated by commas."
    anew = Reading(handler, prompt, parameters=fixed(max_tokens=12))
    await anew.task
    on = Reading(handler, prompt, prefix="One, two, three, four,", parameters=fixed(max_tokens=12))
    await on.task
    assert "five" in on.text.lower()
    assert not on.text.lower().startswith("one")
    assert on.tokens[0] > anew.tokens[0]


async def test_the_oldest_turns_make_room(forgetful: LocalHandler) -> None:
    """A chat that outgrows the context goes on; a prompt that alone does is refused."""
    history = ["My name is Ada. " * 5, "Hello Ada."] * 10
    reading = Reading(forgetful, [*history, "Say hi."], parameters=fixed(max_tokens=5))
    await reading.task
    assert 60 < reading.tokens[0] < 320
    assert reading.tokens[1] > 0
    for prompt in (LONG_PROMPT, "word " * 284):
        alone = Reading(forgetful, prompt)
        with pytest.raises(StopChatError) as caught:
            await alone.task
        assert caught.value.code is ErrorCode.CONTEXT_TOO_LONG
        assert alone.reported.reports == ["started", "closed"]


@pytest.mark.stress
async def test_the_context_is_shared_without_harm(local_model_data_dir: Path) -> None:
    """Three that together need more than the context all get their answer, one after another."""
    prompt = "I have a dog, a cat and a horse. " * 12 + LONG
    async with closing(LocalHandler(local_model_data_dir, context=512)) as handler:
        readings = [
            Reading(handler, f"{number} {prompt}", parameters=fixed(max_tokens=24))
            for number in range(3)
        ]
        for reading in readings:
            await reading.task
            assert reading.tokens[0] > 140
            assert reading.tokens[1] > 20


async def test_a_model_of_ones_own(local_model_data_dir: Path, tmp_path: Path) -> None:
    own = tmp_path / "own model.gguf"
    own.symlink_to(weights_path(local_model_data_dir))
    async with closing(LocalHandler(tmp_path)) as handler:
        reading = Reading(handler, "Hi.", model=str(own), parameters=fixed(max_tokens=3))
        await reading.task
        assert reading.tokens[1] == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize("megabytes", [100, 250])
async def test_a_model_that_needs_more_memory_than_it_may_use(
    local_model_data_dir: Path, megabytes: int
) -> None:
    """L5: told as such, early and late in its loading; the server is none the worse for it."""
    async with closing(LocalHandler(local_model_data_dir, memory_mb=megabytes)) as handler:
        with pytest.raises(StopChatError) as caught:
            await Reading(handler, "Hi.").task
        assert caught.value.code is ErrorCode.LOCAL_MODEL_MEMORY
        assert handler.pids == []


@pytest.mark.skipif(sys.platform != "linux", reason="a process's limit can be read there")
async def test_the_limit_that_is_set_by_default_is_enough(handler: LocalHandler) -> None:
    """It is set for the model that all here share."""
    await Reading(handler, "Hi.", parameters=fixed(max_tokens=3)).task
    (pid,) = handler.pids
    soft, _ = psutil.Process(pid).rlimit(psutil.RLIMIT_DATA)
    assert 0 < soft <= StopChatApp.local_memory_limit.default_value * 1024 * 1024


async def test_a_file_that_only_begins_as_a_model(
    local_model_data_dir: Path, tmp_path: Path
) -> None:
    """A broken file ends the start with a clean error; the next model is not harmed."""
    broken = tmp_path / "broken.gguf"
    with weights_path(local_model_data_dir).open("rb") as whole:
        broken.write_bytes(whole.read(1 << 20))
    async with closing(LocalHandler(local_model_data_dir)) as handler:
        for _ in range(2):
            with pytest.raises(StopChatError) as caught:
                await Reading(handler, "Hi.", model=str(broken)).task
            assert caught.value.code is ErrorCode.UNKNOWN_MODEL
        await Reading(handler, "Hi.", parameters=fixed(max_tokens=3)).task


async def test_a_reply_that_reaches_its_limit_says_so(handler: LocalHandler) -> None:
    """T1: it is marked as cut at the limit, and goes on from there; one that ends is not."""
    reading = Reading(handler, LONG, parameters=fixed(max_tokens=8))
    await reading.task
    assert [each for each in reading.events if isinstance(each, Finished)] == [Finished("length")]
    first = reading.text
    reading = Reading(handler, LONG, prefix=first, parameters=fixed(max_tokens=8))
    await reading.task
    assert Finished("length") in reading.events
    assert reading.text
    reading = Reading(handler, "Say only: yes.", parameters=fixed(max_tokens=400))
    await reading.task
    assert not any(isinstance(each, Finished) for each in reading.events)


async def test_instructions_are_read_before_the_chat_and_stay(forgetful: LocalHandler) -> None:
    """By the chat template; a history that is too long is cut behind them, and told so."""
    system = "Answer with one short word. " * 20
    said = ["word " * 60, "yes"] * 4 + ["Say hello."]
    assert forgetful.takes_instructions == "given"
    counts = []
    for told in (None, system):
        reading = Reading(forgetful, "Hi.", system=told, parameters=fixed(max_tokens=5))
        await reading.task
        counts.append(reading.tokens[0])
    assert counts[1] - counts[0] > 90
    reading = Reading(forgetful, said, system=system, parameters=fixed(max_tokens=5))
    await reading.task
    assert any(isinstance(event, HistoryCut) for event in reading.events)
    assert reading.tokens[0] > counts[1]
