"""Models with every bad habit: whatever they do, Stop is told the truth."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.sync_bridge import SyncBridge
from jupyter_stop_chat.ports.handler import TokensUsed
from jupyter_stop_chat.testing import (
    FIVE_MEGABYTES,
    LONE_SURROGATES,
    Block,
    Call,
    Endless,
    Gate,
    GenerateOnlyModel,
    Raise,
    RefuseToClose,
    ScriptedModel,
    SlowClean,
    SyncScriptedModel,
)
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.providers.reading import LONG, Reading, soon

ALL = [ScriptedModel, SyncScriptedModel, GenerateOnlyModel]


class Fatal(BaseException):
    """No `Exception`."""


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("where", ["start", "middle", "end"])
@pytest.mark.parametrize(
    "error",
    [ValueError("v"), Fatal("f"), SystemExit(1), OSError("o"), RuntimeError("r")],
    ids=repr,
)
async def test_whatever_a_model_raises_is_a_failure(
    kind: type[Any], where: str, error: BaseException
) -> None:
    """V3, L5: no exception of a model's gets out as it is; SystemExit would end the server."""
    script = {
        "start": [Raise(error), "a"],
        "middle": ["a", Raise(error), "b"],
        "end": ["a", "b", Raise(error)],
    }[where]
    reading = Reading(LangChainHandler(kind(script=script)))
    failure = await reading.end()
    assert isinstance(failure, StopChatError)
    assert failure.code is ErrorCode.GENERATION_FAILED
    assert failure.__cause__ is error
    if kind is not GenerateOnlyModel:
        assert reading.text == {"start": "", "middle": "a", "end": "ab"}[where]


@pytest.mark.parametrize("kind", ALL)
async def test_a_cancel_of_the_models_own_is_a_failure(kind: type[Any]) -> None:
    """V3: nobody asked for it, so it is not a stop."""
    reading = Reading(LangChainHandler(kind(script=["a", Raise(asyncio.CancelledError())])))
    failure = await reading.end()
    assert isinstance(failure, StopChatError)
    assert failure.code is ErrorCode.GENERATION_FAILED


@pytest.mark.parametrize("kind", [ScriptedModel, SyncScriptedModel])
async def test_an_empty_stream(kind: type[Any]) -> None:
    """V3."""
    failure = await Reading(LangChainHandler(kind(script=[]))).end()
    assert isinstance(failure, StopChatError)
    assert failure.code is ErrorCode.EMPTY_REPLY


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            FIVE_MEGABYTES,
            marks=pytest.mark.may_hold_the_loop("five megabytes come in one piece"),
        ),
        LONE_SURROGATES,
        "  \n\t ",
        "\x00",
    ],
    ids=["5MB", "half", "blank", "nul"],
)
async def test_odd_text_goes_through(kind: type[Any], text: str) -> None:
    reading = Reading(LangChainHandler(kind(script=[text])))
    assert await reading.end() is None
    assert reading.text == text


@pytest.mark.parametrize("kind", ALL)
async def test_usage_of_every_kind_of_model(kind: type[Any]) -> None:
    """B9."""
    reading = Reading(LangChainHandler(kind(script=["a", TokensUsed(2, 1)])))
    assert await reading.end() is None
    assert reading.usage == [TokensUsed(2, 1)]


# --- async ---------------------------------------------------------------------------------


async def test_a_model_that_swallows_the_cancel_and_goes_on_is_ended_at_its_next_chunk() -> None:
    """V2, B1: the cancel is lost, the flag is not."""
    gate = Gate(swallow=1, leave_at_cancel=True)
    model = ScriptedModel(script=["a", gate, Endless("more ")])
    reading = Reading(LangChainHandler(model))
    await soon(gate.reached)
    assert await reading.stop() == "cancelled"
    assert reading.text == "a"
    assert model.runs[0].cancels == 1
    assert reading.reports == ["started", "closed"]
    assert model.runs[0].ended.is_set()


async def test_a_model_that_swallows_every_cancel_is_not_called_closed() -> None:
    """B1, B2: the engine fences it off; the receipt must not claim what is not so."""
    gate = Gate(swallow=-1)
    model = ScriptedModel(script=["a", gate, "late"])
    reading = Reading(LangChainHandler(model))
    await soon(gate.reached)
    reading.stopped = True
    reading.task.cancel()
    await soon(gate.swallowed)
    assert not reading.task.done()
    assert reading.reports == ["started"]
    gate.open()
    assert await reading.end() == "cancelled"
    assert reading.reports == ["started", "closed"]
    assert reading.text == "a"


async def test_a_slow_clean_up_is_waited_for_before_closed_is_said() -> None:
    """B2."""
    waiting, cleaning = Gate(), Gate()
    reading = Reading(LangChainHandler(ScriptedModel(script=[SlowClean(cleaning), "a", waiting])))
    await soon(waiting.reached)
    reading.stopped = True
    reading.task.cancel()
    await soon(cleaning.reached)
    assert reading.reports == ["started"]
    cleaning.open()
    assert await reading.end() == "cancelled"
    assert reading.reports == ["started", "closed"]


async def test_a_second_cancel_in_the_clean_up_ends_it_all_the_same() -> None:
    """V7, B1: nobody should do it; if someone does, the reply still ends."""
    waiting, cleaning = Gate(), Gate()
    reading = Reading(LangChainHandler(ScriptedModel(script=[SlowClean(cleaning), "a", waiting])))
    await soon(waiting.reached)
    reading.stopped = True
    reading.task.cancel()
    await soon(cleaning.reached)
    reading.task.cancel()
    assert await reading.end() == "cancelled"


async def test_a_generator_that_refuses_to_close() -> None:
    """B1: Python raises a RuntimeError for it; the reply was stopped, and ends."""
    model = ScriptedModel(script=[RefuseToClose(), Endless("x ")])
    reading = Reading(LangChainHandler(model), busy=True)
    await soon(reading.first_text)
    outcome = await reading.stop()
    assert outcome == "cancelled" or isinstance(outcome, RuntimeError)
    assert "".join(reading.text) == "x "


async def test_a_model_that_blocks_the_loop_is_stopped_after_it() -> None:
    """B1."""
    gate = Gate()
    reading = Reading(LangChainHandler(ScriptedModel(script=["a", gate, Block(50), "b", "c"])))
    await soon(gate.reached)
    gate.open()
    assert await reading.stop() == "cancelled"
    assert reading.text == "a"


async def test_a_stream_that_never_awaits_is_ended_by_the_flag() -> None:
    """V2, S4: a cancel can only land at an await, and there is none."""
    reading: Reading | None = None
    made = 0

    def stop_at_ten(turn: Any) -> None:
        nonlocal made
        made += 1
        if made == 10:
            assert reading is not None
            reading.stopped = True

    model = ScriptedModel(script=[Call(stop_at_ten), "x "] * 1000)
    reading = Reading(LangChainHandler(model))
    assert await reading.end() is None
    assert made == 10
    assert reading.reports == ["started", "closed"]


async def test_a_reply_cancelled_before_its_first_step_started_nothing() -> None:
    """V8, B2."""
    model = ScriptedModel()
    reading = Reading(LangChainHandler(model))
    assert await reading.stop() == "cancelled"
    assert reading.reports == []
    assert model.runs == []


# --- sync ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SyncScriptedModel, GenerateOnlyModel])
async def test_a_sync_model_is_let_go_at_the_cancel(kind: type[Any]) -> None:
    """J3, B1, B2: the reply ends at once; the thread is reported, and again when it has ended."""
    gate = Gate()
    bridge = SyncBridge()
    model = kind(script=["a", gate, "b", "c"])
    reading = Reading(LangChainHandler(model, bridge=bridge))
    await soon(gate.reached)
    if kind is SyncScriptedModel:
        await soon(reading.first_text)
    assert await reading.stop() == "cancelled"
    assert reading.reports == ["started", "still_finishing"]
    assert bridge.stuck == 1
    gate.open()
    await soon(reading.closed)
    assert reading.reports == ["started", "still_finishing", "closed"]
    assert bridge.stuck == 0
    assert model.runs[0].ended.is_set()
    assert reading.text == ("a" if kind is SyncScriptedModel else "")


async def test_a_sync_model_looks_at_the_flag_between_chunks() -> None:
    """V2, S4: endless, at full speed, in a thread."""
    bridge = SyncBridge()
    model = SyncScriptedModel(script=[Endless("x ")])
    reading = Reading(LangChainHandler(model, bridge=bridge))
    await soon(reading.first_text)
    assert await reading.stop() == "cancelled"
    await soon(reading.closed)
    assert bridge.stuck == 0
    assert model.runs[0].ended.is_set()


async def test_a_sync_model_is_held_back_by_its_reader() -> None:
    """The thread may be a few chunks ahead of a slow reader, and no more."""
    model = SyncScriptedModel(script=[Endless("x ")])
    handler = LangChainHandler(model, bridge=SyncBridge())
    reading = Reading(handler, busy=True)
    await soon(reading.first_text)
    made = -1
    while made != model.runs[0].made:  # until the thread has come to a halt
        made = model.runs[0].made
        await in_thread(lambda: threading.Event().wait(0.05))
    assert 1 <= made <= 20
    assert await reading.stop() == "cancelled"
    await soon(reading.closed)


async def test_a_sync_model_comes_to_its_end() -> None:
    model = SyncScriptedModel(script=["a", "b"] * 50)
    reading = Reading(LangChainHandler(model, bridge=SyncBridge()))
    assert await reading.end() is None
    assert reading.text == "ab" * 50
    assert reading.reports == ["started", "closed"]


async def test_too_many_stuck_threads_refuse_the_next_one() -> None:
    """B1, J6: with a clear error, and only until one has ended."""
    gate = Gate()
    bridge = SyncBridge(max_stuck=2)
    handler = LangChainHandler(GenerateOnlyModel(script=[gate, "a"]), bridge=bridge)
    stuck = [Reading(handler), Reading(handler)]
    for reading in stuck:
        await soon(reading.started)
        assert await reading.stop() == "cancelled"
    assert bridge.stuck == 2
    refused = await Reading(handler).end()
    assert isinstance(refused, StopChatError)
    assert refused.code is ErrorCode.TOO_MANY_STUCK
    gate.open()
    for reading in stuck:
        await soon(reading.closed)
    assert await Reading(handler).end() is None


async def test_stuck_threads_leave_the_default_executor_alone() -> None:
    """B1: name look-ups and all else that uses it go on."""
    gate = Gate()
    bridge = SyncBridge(max_stuck=100)
    handler = LangChainHandler(GenerateOnlyModel(script=[gate, "a"]), bridge=bridge)
    stuck = [Reading(handler) for _ in range(40)]
    for reading in stuck:
        await soon(reading.started)
        await reading.stop()
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), LONG) == "free"
    assert bridge.stuck == 40
    gate.open()
    for reading in stuck:
        await soon(reading.closed)
    assert bridge.stuck == 0


def test_a_process_exits_while_threads_are_stuck() -> None:
    """B1: at the end of the server nobody waits for a model."""
    program = """
        import asyncio
        from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
        from jupyter_stop_chat.testing import Gate, GenerateOnlyModel
        from tests.providers.reading import Reading

        async def main():
            gate = Gate()
            reading = Reading(LangChainHandler(GenerateOnlyModel(script=[gate, "a"])))
            await gate.reached.wait()
            assert await reading.stop() == "cancelled"
            print(reading.reports)

        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['started', 'still_finishing']"


def test_a_thread_that_outlives_its_loop_ends_quietly() -> None:
    """V10: the loop is closed; nobody is left to be told."""
    gate = Gate()
    bridge = SyncBridge()

    async def main() -> Reading:
        reading = Reading(LangChainHandler(SyncScriptedModel(script=[gate, "a"]), bridge=bridge))
        await soon(gate.reached)
        await reading.stop()
        return reading

    with asyncio.Runner() as runner:
        reading = runner.run(main())
    thread = next(each for each in threading.enumerate() if each.name == "stop-chat-sync-model")
    gate.open()
    thread.join(LONG)
    assert not thread.is_alive()
    assert bridge.stuck == 0
    assert reading.reports == ["started", "still_finishing"]


async def test_a_call_in_a_thread_of_its_own() -> None:
    assert await in_thread(lambda: 7) == 7

    def fail() -> None:
        raise Fatal("no")

    with pytest.raises(Fatal):
        await in_thread(fail)


async def test_a_call_in_a_thread_whose_waiter_is_gone() -> None:
    release = threading.Event()
    task = asyncio.create_task(in_thread(lambda: release.wait(10)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()


async def test_what_no_future_can_hold_ends_the_wait() -> None:
    """A future refuses a StopIteration: who asked would wait for ever."""
    with pytest.raises(RuntimeError, match="StopIteration"):
        await in_thread(lambda: next(iter(())))
