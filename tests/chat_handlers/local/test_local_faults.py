"""The local handler against a child with every bad habit."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jupyter_stop_chat.chat_handlers.local import LocalHandler, unavailable
from jupyter_stop_chat.local_model.weights import SMOLLM2, weights_path
from jupyter_stop_chat.ports.handler import TokensUsed
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.aids.turns import Reading, closing, until
from tests.aids.watching.blocking import nothing_blocks

BAD_CHILD = Path(__file__).parents[2] / "local_model" / "bad_child.py"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    path = weights_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF, or so it says")
    return tmp_path


def make(data_dir: Path, habit: str = "good", **options: object) -> LocalHandler:
    return LocalHandler(data_dir, command=(sys.executable, str(BAD_CHILD), habit), **options)


async def gone(pid: int) -> None:
    """Wait until a process is gone."""
    await until(lambda: not psutil.pid_exists(pid))


async def fails(reading: Reading) -> ErrorCode:
    with pytest.raises(StopChatError) as caught:
        await reading.task
    return caught.value.code


async def test_a_reply_streams_and_is_counted(data_dir: Path) -> None:
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, "answer")
        await reading.task
        assert reading.text == "one two"
        assert reading.reasoning == "hm"
        assert reading.tokens == (7, 5)
        assert reading.reported.reports == ["started", "closed"]


async def test_the_coroutine_ends_before_the_child_confirms(data_dir: Path) -> None:
    """B1, B2: the reply ends at once, and the receipt tells of the close when it is true."""
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, "busy")
        await reading.reads()
        await reading.stop()
        # The child may have confirmed it by now; nothing waited for that.
        assert reading.reported.reports[:1] == ["started"]
        await reading.reported.closed.wait()
        again = Reading(handler, "answer")
        await again.task
        assert len(handler.pids) == 1


async def test_a_deaf_child_is_killed(data_dir: Path) -> None:
    """B1: what does not react to a stop is ended, and the other reply fails cleanly."""
    async with closing(make(data_dir, "deaf", confirm_s=0.1)) as handler:
        stopped, other = Reading(handler, "busy"), Reading(handler, "busy")
        await stopped.reads()
        await other.reads()
        (pid,) = handler.pids
        await stopped.stop()
        assert stopped.reported.reports == ["started"]
        assert await fails(other) is ErrorCode.LOCAL_MODEL_CRASHED
        await stopped.reported.closed.wait()
        assert not psutil.pid_exists(pid)
        assert other.text == "one "
        assert other.reported.reports == ["started", "closed"]
        await Reading(handler, "answer").task


async def test_stopping_twice_is_stopping_once(data_dir: Path) -> None:
    """V7."""
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, "busy")
        await reading.reads()
        reading.task.cancel()
        reading.task.cancel()
        await asyncio.wait([reading.task])
        await reading.reported.closed.wait()
        await Reading(handler, "answer").task
        assert reading.reported.reports == ["started", "closed"]


@pytest.mark.parametrize(
    "prompt",
    [
        "crash",
        "garbage",
        "half a line",
        "endless line",
        "a list",
        "unknown id",
        "unknown type",
        "wrong types",
        "wrong count",
        "close",
    ],
)
async def test_a_child_that_ends_or_talks_nonsense(data_dir: Path, prompt: str) -> None:
    """The partial text is kept, the error is clean, and the next request gets a new child."""
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, prompt)
        await reading.reads()
        assert await fails(reading) is ErrorCode.LOCAL_MODEL_CRASHED
        assert reading.text == "one "
        assert reading.reported.reports == ["started", "closed"]
        await Reading(handler, "answer").task


async def test_the_log_of_a_crash_stays_in_the_log(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with closing(make(data_dir)) as handler:
        with pytest.raises(StopChatError) as caught:
            await Reading(handler, "crash").task
        assert "the reason, in the log" in caplog.text
        assert "the reason" not in str(caught.value)


async def test_a_child_that_is_killed(data_dir: Path) -> None:
    async with closing(make(data_dir)) as handler:
        readings = [Reading(handler, "busy") for _ in range(3)]
        for reading in readings:
            await reading.reads()
        (pid,) = handler.pids
        os.kill(pid, signal.SIGKILL)
        for reading in readings:
            assert await fails(reading) is ErrorCode.LOCAL_MODEL_CRASHED
            assert reading.text == "one "
        await Reading(handler, "answer").task
        assert handler.pids != [pid]


@pytest.mark.parametrize(
    ("habit", "code"),
    [
        ("dies", ErrorCode.LOCAL_MODEL_CRASHED),
        ("never ready", ErrorCode.LOCAL_MODEL_CRASHED),
        ("other protocol", ErrorCode.LOCAL_MODEL_CRASHED),
        ("speaks first", ErrorCode.LOCAL_MODEL_CRASHED),
        ("bad_model", ErrorCode.LOCAL_MODEL_MISSING),
        ("missing_package", ErrorCode.MISSING_PACKAGE),
    ],
)
async def test_a_child_that_does_not_start(data_dir: Path, habit: str, code: ErrorCode) -> None:
    start_s = 0.2 if habit == "never ready" else 60
    async with closing(make(data_dir, habit, start_s=start_s)) as handler:
        readings = [Reading(handler, "answer") for _ in range(2)]
        for reading in readings:
            assert await fails(reading) is code
            assert reading.reported.reports == []
        assert handler.pids == []


async def test_a_command_that_cannot_be_run(data_dir: Path) -> None:
    async with closing(LocalHandler(data_dir, command=("/nowhere/python",))) as handler:
        assert await fails(Reading(handler, "x")) is ErrorCode.LOCAL_MODEL_CRASHED


async def test_errors_of_the_model(data_dir: Path) -> None:
    async with closing(make(data_dir)) as handler:
        long, failing = Reading(handler, "too long"), Reading(handler, "fail")
        assert await fails(long) is ErrorCode.CONTEXT_TOO_LONG
        assert await fails(failing) is ErrorCode.GENERATION_FAILED
        assert long.reported.reports == failing.reported.reports == ["started", "closed"]


async def test_stopped_while_loading_and_nobody_waits(data_dir: Path) -> None:
    """V8: nothing was asked of the provider, and the loading does not go on for long."""
    async with closing(make(data_dir, "never ready", confirm_s=0.1)) as handler:
        first, second = Reading(handler, "answer"), Reading(handler, "answer")
        await until(lambda: handler.pids != [])
        (pid,) = handler.pids
        await first.stop()
        assert handler.pids == [pid]
        await second.stop()
        await gone(pid)
        assert first.reported.reports == second.reported.reports == []


async def test_stopped_before_its_first_step(data_dir: Path) -> None:
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, "answer")
        await reading.stop()
        assert reading.reported.reports == []


async def test_an_idle_child_is_ended(data_dir: Path) -> None:
    async with closing(make(data_dir, idle_shutdown_s=0.05)) as handler:
        reading = Reading(handler, "busy")
        await reading.reads()
        (pid,) = handler.pids
        await asyncio.sleep(0.2)
        assert handler.pids == [pid], "it is not idle while it works"
        await reading.stop()
        await gone(pid)
        await Reading(handler, "answer").task


async def test_a_stubborn_child_does_not_hold_up_the_shutdown(data_dir: Path) -> None:
    handler = make(data_dir, "stubborn", confirm_s=60)
    reading = Reading(handler, "busy")
    await until(lambda: "started" in reading.reported.reports)
    (pid,) = handler.pids
    await reading.stop()
    await handler.close()
    assert not psutil.pid_exists(pid)
    assert reading.reported.reports == ["started", "closed"]
    assert await fails(Reading(handler, "answer")) is ErrorCode.SHUTTING_DOWN


async def test_closing_again_and_without_a_child(data_dir: Path) -> None:
    handler = make(data_dir)
    await handler.close()
    await handler.close()


async def test_another_model_ends_the_idle_child(data_dir: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    async with closing(make(data_dir)) as handler:
        await Reading(handler, "answer").task
        (first,) = handler.pids
        busy = Reading(handler, "busy", model=str(own))
        await busy.reads()
        await gone(first)
        await Reading(handler, "answer").task
        assert len(handler.pids) == 2, "a busy one stays"


async def test_a_prefix_is_gone_on_from(data_dir: Path) -> None:
    """V9: the partial reply is the last turn, without the white space that templates cut."""
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, ["repeat"], prefix="and so on \n")
        await reading.task
        said, parameters = json.loads(reading.text.removeprefix("one "))
        assert said == [
            {"role": "user", "content": "repeat"},
            {"role": "assistant", "content": "and so on"},
        ]
        assert parameters == {"temperature": 0.2, "top_p": 0.9}


async def test_parameters_reach_the_model(data_dir: Path) -> None:
    async with closing(make(data_dir)) as handler:
        chosen = {"temperature": 0, "max_tokens": 5, "seed": 1}
        reading = Reading(handler, "repeat", parameters=chosen)
        await reading.task
        _, parameters = json.loads(reading.text.removeprefix("one "))
        assert parameters == {"top_p": 0.9, **chosen}


@pytest.mark.parametrize(
    "parameters",
    [
        {"temperature": "hot"},
        {"temperature": True},
        {"temperature": -1},
        {"temperature": float("nan")},
        {"max_tokens": 0},
        {"max_tokens": 1.5},
        {"stream": False},
        {"messages": []},
    ],
)
async def test_parameters_that_do_not_fit(data_dir: Path, parameters: dict[str, object]) -> None:
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, "answer", parameters=parameters)
        assert await fails(reading) is ErrorCode.INVALID_FIELD
        assert handler.pids == []


async def test_lone_surrogates_are_made_whole(data_dir: Path) -> None:
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, ["a\ud800", "b\udfff", "repeat"])
        await reading.task
        said, _ = json.loads(reading.text.removeprefix("one "))
        assert [message["content"] for message in said] == ["a\ufffd", "b\ufffd", "repeat"]


async def test_a_report_that_raises_harms_nobody(data_dir: Path) -> None:
    async with closing(make(data_dir)) as handler:
        other = Reading(handler, "busy")
        await other.reads()

        def report(what: str) -> None:
            if what == "closed":
                raise RuntimeError(what)

        bad = Reading(handler, "answer")
        bad.turn._report = report
        await bad.task
        assert bad.text == "one two"
        await other.stop()
        await other.reported.closed.wait()


@pytest.mark.parametrize("model", ["", "relative.gguf", "~no-such-user/x.gguf", "/a\0b", "gpt-2"])
async def test_what_is_no_path(data_dir: Path, model: str) -> None:
    async with closing(make(data_dir)) as handler:
        assert await fails(Reading(handler, "x", model=model)) is ErrorCode.UNKNOWN_MODEL


async def test_files_that_are_no_model(data_dir: Path, tmp_path: Path) -> None:
    """A missing file, another file and a folder all get the same answer."""
    other = tmp_path / "other.gguf"
    other.write_bytes(b"ELF")
    async with closing(make(data_dir)) as handler:
        for model in (tmp_path / "missing.gguf", other, tmp_path):
            reading = Reading(handler, "x", model=str(model))
            assert await fails(reading) is ErrorCode.UNKNOWN_MODEL
            assert handler.pids == []


async def test_weights_that_are_missing(tmp_path: Path) -> None:
    async with closing(make(tmp_path)) as handler:
        assert await fails(Reading(handler, "x")) is ErrorCode.LOCAL_MODEL_MISSING


async def test_tokens_come_as_they_are_made(data_dir: Path) -> None:
    """B9: a stopped reply has an exact count too."""
    async with closing(make(data_dir)) as handler:
        reading = Reading(handler, "busy")
        await reading.reads(TokensUsed, 2)
        await reading.stop()
        assert reading.tokens == (7, 1)


def test_what_is_missing_is_told(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unavailable(data_dir) is ErrorCode.LOCAL_MODEL_MISSING
    with weights_path(data_dir).open("r+b") as file:
        file.truncate(SMOLLM2.size)
    assert unavailable(data_dir) is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert unavailable(data_dir) is ErrorCode.MISSING_PACKAGE


async def test_the_weights_without_their_package_are_told_as_that(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B11: what is to be done is told, and no child is started that could only fail."""
    with weights_path(data_dir).open("r+b") as file:
        file.truncate(SMOLLM2.size)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "xllamacpp" else found(name)
    )
    async with closing(make(data_dir)) as handler:
        assert await fails(Reading(handler, "hello")) is ErrorCode.MISSING_PACKAGE
        assert handler.pids == []


async def test_the_loop_is_never_blocked(data_dir: Path) -> None:
    """Starting, reading, writing and ending the child all happen off the loop."""
    handler = make(data_dir)
    with nothing_blocks():
        await Reading(handler, "answer").task
        reading = Reading(handler, "x" * (1 << 20))
        await reading.reads()
        await reading.stop()
        await reading.reported.closed.wait()
        assert await fails(Reading(handler, "crash")) is ErrorCode.LOCAL_MODEL_CRASHED
        await handler.close()


def test_nothing_heavy_is_imported() -> None:
    program = (
        "import sys, jupyter_stop_chat.chat_handlers.local; "
        "heavy = {'xllamacpp', 'langchain', 'langchain_core', 'sqlalchemy', 'tornado'}; "
        "sys.exit(sorted(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run((sys.executable, "-P", "-c", program), check=True)
