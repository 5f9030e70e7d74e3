"""Frames that nobody would send, thousands of them, on a live socket."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.testing import Gate, ScriptedHandler
from jupyter_stop_chat.wire.client_frames import ClientFrame
from jupyter_stop_chat.wire.codec import decode
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MAX_FRAME_BYTES
from jupyter_stop_chat.wire.server_frames import server_frames
from tests.aids.in_turn import in_turn

FRAMES = Path(__file__).parents[1] / "frames"
BAD = json.loads((FRAMES / "bad.json").read_text(encoding="utf-8"))
#: How many frames make up one example.
LENGTH = 20

#: What a frame that cannot be read is answered with, at once.
UNREADABLE = {ErrorCode.BAD_FRAME, ErrorCode.UNKNOWN_TYPE, ErrorCode.INVALID_FIELD}
#: What a frame that can be read may be refused with.
REFUSALS = {
    ErrorCode.UNKNOWN_CHAT,
    ErrorCode.UNKNOWN_MESSAGE,
    ErrorCode.NOT_POSSIBLE_NOW,
    ErrorCode.BLANK_PROMPT,
    ErrorCode.PROMPT_TOO_LONG,
    ErrorCode.BUSY,
    ErrorCode.TOO_MANY_GENERATIONS,
}

#: Stand for ids of the server's own, which are put in when the frame is sent.
HERE = ("@chat", "@prompt", "@ended", "@running", "@request")

ids = st.one_of(
    st.sampled_from(HERE),
    st.uuids().map(str),
    st.sampled_from(["", "1", "../..", "00000000-0000-4000-8000-00000000000G"]),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 40),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=30),
    ids,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
TYPES = (
    *("send", "stop", "open", "close", "continue", "regenerate", "edit"),
    *("unqueue", "reorder", "resume", "welcome", "dance"),
)
FIELDS = (
    *("request_id", "chat_id", "message_id", "body", "model", "attachments", "policy", "all"),
    *("shown", "discard", "offsets", "epoch", "message_ids", "type", "surprise"),
)
models = st.sampled_from(["scripted:x", "nowhere:x", "scripted", ":", "openai:none"])
bodies = st.one_of(st.text(max_size=40), st.sampled_from([" ", "\ud83d", "x" * 50_001, "Hi\x00"]))
policies = st.sampled_from(["queue", "interrupt", "reject"])
offsets = st.dictionaries(ids, st.integers(0, 50), max_size=3)


def _shape(type_: str, required: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries({"type": st.just(type_), **required}, optional=optional)


fresh = st.uuids().map(str)
shapes = st.one_of(
    _shape(
        "send",
        {"request_id": fresh, "chat_id": st.one_of(st.none(), ids), "body": bodies},
        model=models,
        policy=policies,
    ),
    *(
        _shape("stop", {target: ids}, shown=st.integers(0, 50), discard=st.booleans())
        for target in ("message_id", "request_id", "chat_id")
    ),
    _shape("stop", {"all": st.just(True)}),
    _shape("open", {"chat_id": ids}, offsets=offsets, epoch=st.text(max_size=5)),
    _shape("close", {"chat_id": ids}),
    _shape("continue", {"message_id": ids, "request_id": fresh}, model=models),
    _shape("regenerate", {"message_id": ids, "request_id": fresh}, model=models),
    _shape("edit", {"message_id": ids, "body": bodies, "request_id": fresh}, model=models),
    _shape("unqueue", {"message_id": ids}),
    _shape("reorder", {"chat_id": ids, "message_ids": st.lists(ids, max_size=3)}),
    _shape("resume", {"chat_id": ids}),
)


@st.composite
def spoilt(draw: Any) -> dict[str, Any]:
    """Change one field of a frame that is nearly right."""
    frame = dict(draw(shapes))
    field = draw(st.sampled_from(FIELDS))
    if field in frame and draw(st.booleans()):
        del frame[field]
    else:
        frame[field] = draw(values)
    return frame


raw_frames = st.one_of(
    shapes.map(json.dumps),
    spoilt().map(json.dumps),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=6).map(json.dumps),
    st.tuples(st.sampled_from(TYPES), values).map(lambda pair: json.dumps({"type": pair[0]})),
    values.map(json.dumps),
    st.text(max_size=60),
    shapes.map(lambda frame: json.dumps(frame)[:-3]),
)


class Fuzz:
    """What sends frames to a live server, and compare what it answers with what is documented."""

    def __init__(self, connect: Any, engine: Any) -> None:
        self.connect = connect
        self.engine = engine
        self.here: dict[str, str] = {}
        self.remembered: set[str] = set()

    async def prepare(self) -> None:
        """Make a chat with a reply that has ended."""
        page = await self.connect()
        accepted = await page.ask("Hello")
        await page.end_of(accepted["message"]["id"])
        self.here = {
            "@chat": accepted["chat_id"],
            "@prompt": accepted["user_message"]["id"],
            "@ended": accepted["message"]["id"],
            "@request": accepted["request_id"],
        }
        page.socket.close()
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until no socket is heard any more."""
        async with asyncio.timeout(20):
            while self.engine.bus.listeners:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.001)

    async def example(self, frames: list[str]) -> None:
        """Send frames one by one, then look for what they left behind."""
        page = await self.connect()
        try:
            for raw in frames:
                await self.one(page, self.with_ids(raw))
            still = str(uuid.uuid4())
            await page.send({"type": "stop", "message_id": still})
            await self.until(page, lambda told: told.get("message_id") == still)
        finally:
            await page.close()
        while self.engine.running():
            for made in self.engine.running():
                target = json.dumps({"type": "stop", "message_id": made.id})
                await self.engine.stop(made.owner, decode(target))
        for request_id in self.remembered:
            self.engine.registry.recall("server", request_id)
        await self.engine.background.settle()
        assert self.engine.registry.empty, "a leak"
        assert self.engine.runaway == 0
        await self.quiet()

    def with_ids(self, raw: str) -> str:
        """Put the server's own ids in."""
        running = self.engine.running()
        here = {**self.here, "@running": running[-1].id if running else self.here["@ended"]}
        for name, found in here.items():
            raw = raw.replace(name, found)
        return raw

    async def one(self, page: Any, raw: str) -> None:
        """Send one frame; it is refused or carried out as is documented."""
        await page.send(raw)
        frame = _read(raw)
        if isinstance(frame, ErrorCode):
            assert frame in UNREADABLE
            told = await self.until(
                page, lambda told: told["type"] == "error" and told["code"] in UNREADABLE
            )
            assert told["code"] == frame, raw
            return
        answers = self.answered(frame)
        if answers is not None:
            told = await self.until(page, answers)
            if told["type"] == "error":
                assert told["code"] in REFUSALS, (raw, told)

    @staticmethod
    def answered(frame: ClientFrame) -> Callable[[dict[str, Any]], bool] | None:
        """Return what tells the answer to a frame, or None for one that may have none."""
        match frame.type:
            case "stop":
                sent = frame.model_dump(include={"message_id", "request_id", "chat_id", "all"})
                return lambda told: (
                    told["type"] == "stop_result"
                    and all(told.get(name) == value for name, value in sent.items())
                )
            case "open":
                return lambda told: (
                    told.get("code") == "unknown_chat"
                    or (told["type"] == "chat" and "messages" in told)
                )
            case "send" | "continue" | "regenerate" | "edit":
                return lambda told: (
                    told["type"] in {"accepted", "error"}
                    and told.get("request_id") == frame.request_id
                )
        return None

    async def until(self, page: Any, meant: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read on to a frame that is meant; each on the way must be a documented one."""
        while True:
            told: dict[str, Any] = await page.read()
            server_frames.validate_json(json.dumps(told))
            if told["type"] == "error":
                assert told["message"] == SENTENCES[ErrorCode(told["code"])][0]
                assert told["code"] != "internal", "a fault of ours"
            if any(result["outcome"] == "remembered" for result in told.get("results", [])):
                self.remembered.add(told["request_id"])
            if meant(told):
                return told


async def _tasks_left(expected: int) -> list[str]:
    """Return what still runs, once the last sockets have said goodbye, or when that never ends."""
    end = asyncio.get_running_loop().time() + 20
    while True:
        tasks = [
            f"{task.get_name()} {task.get_coro()}"
            for task in asyncio.all_tasks()
            if task is not asyncio.current_task()
        ]
        if len(tasks) <= expected or asyncio.get_running_loop().time() > end:
            return tasks
        await asyncio.sleep(0.01)


def _read(raw: str) -> ClientFrame | ErrorCode:
    try:
        return decode(raw)
    except StopChatError as error:
        return error.code


@pytest.fixture
def fuzz(
    app: Any, connect: Any, jp_asyncio_loop: asyncio.AbstractEventLoop, caplog: Any
) -> Iterator[Fuzz]:
    app.titles = "prompt"
    app.default_model = "scripted:x"
    app.max_generations_per_owner = 8
    services = jp_asyncio_loop.run_until_complete(app.services())
    handler = ScriptedHandler(
        lambda turn: ["Hello", Gate()] if len(handler.replies) % 3 else ["Hi"]
    )
    services.models.register("scripted", lambda name: handler)
    made = Fuzz(connect, services.engine)
    jp_asyncio_loop.run_until_complete(made.prepare())
    tasks = len(asyncio.all_tasks(jp_asyncio_loop))
    yield made
    left = jp_asyncio_loop.run_until_complete(_tasks_left(tasks))
    assert len(left) <= tasks, f"a leak: {left}"
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [
        each.getMessage() for each in errors if each.name.startswith("jupyter_stop_chat")
    ] == []


def _run(fuzz: Fuzz, loop: asyncio.AbstractEventLoop, frames: int) -> None:
    @settings(
        max_examples=frames // LENGTH,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(raw_frames, min_size=LENGTH, max_size=LENGTH))
    def check(sent: list[str]) -> None:
        loop.run_until_complete(fuzz.example(sent))

    check()


def test_hundreds_of_frames(fuzz: Fuzz, jp_asyncio_loop: asyncio.AbstractEventLoop) -> None:
    """Each is refused or carried out as documented: no traceback, no dropped socket, no leak."""
    _run(fuzz, jp_asyncio_loop, 400)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_frames(fuzz: Fuzz, jp_asyncio_loop: asyncio.AbstractEventLoop) -> None:
    _run(fuzz, jp_asyncio_loop, 100_000)


@in_turn("case", BAD)
def test_a_bad_frame_has_its_code(case: dict[str, str]) -> None:
    with pytest.raises(StopChatError) as refused:
        decode(case["raw"])
    assert refused.value.code == case["code"]


async def test_every_bad_frame_is_answered_on_the_socket(connect: Any) -> None:
    """With exactly its code, and the socket goes on."""
    assert len(BAD) >= 40
    page = await connect()
    for case in BAD:
        assert len(case["raw"]) <= MAX_FRAME_BYTES
        await page.send(case["raw"])
        told = await page.read()
        assert (told["type"], told["code"]) == ("error", case["code"]), case["name"]
    await page.socket.write_message(b"\x00\x01", binary=True)
    assert (await page.read())["code"] == "bad_frame"
    await page.send({"type": "stop", "all": True})
    assert (await page.read())["type"] == "stop_result"
