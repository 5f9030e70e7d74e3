"""Turns that use tools, one after another: what later ones are told, and in which mode."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.engine.tools.telling import NOT_BEGUN, STOPPED
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.wire.client_frames import Continue, Edit, Regenerate
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.objects import MessageState
from tests.aids.tool_calls import Acting, a_tool
from tests.engine.bench import MODEL, OWNER, Bench, bench_in_memory, new_id, refused
from tests.providers import Provider, Script, ToolUse
from tests.providers.chat_models import make_model, make_provider
from tests.providers.strict import pairs


@asynccontextmanager
async def talking(kind: str = "openai", **limits: Any) -> AsyncIterator[tuple[Bench, Provider]]:
    async with make_provider(kind) as provider, bench_in_memory(**limits) as bench:
        handler = LangChainHandler(make_model(kind, provider.base_url))
        bench.handlers[MODEL] = handler
        bench.use(a_tool(Acting(waits_at=9)))
        yield bench, provider
        await handler.close()


def calls(*numbers: int, says: str = "", first: int = 1) -> Script:
    uses = [ToolUse("act", {"x": each}, f"call_{first + at}") for at, each in enumerate(numbers)]
    return Script(tokens=[says] if says else 0, tool_calls=uses)


async def test_the_mode_is_kept_and_the_exchange_is_told() -> None:
    """N11: as calls where the model has tools, else as text; by each way of asking."""
    async with talking() as (b, provider):
        provider.scripts.extend([calls(1, says="Look."), Script(tokens=["Seen."])])
        accepted = await b.send(mode="agent")
        assert (accepted.message.mode, accepted.user_message.mode) == ("agent", "agent")
        first = await b.end(accepted)
        assert (first.mode, first.text) == ("agent", "Look.\n\nSeen.")
        assert await b.store.calls.of([first.id]) == {
            first.id: [Told(1, 5, "call_1", "act", '{"x": 1}', "completed", "did 1")]
        }
        asked = await b.end(await b.send("Then?", first.chat_id))
        assert asked.mode is None
        body = provider.requests[-1].body
        assert "tools" not in body
        told = '[Tool act, called with {"x": 1}, answered: did 1]'
        assert body["messages"][1]["content"] == f"Look.\n\n{told}\n\nSeen."
        again = await b.end(await b.send("Again.", first.chat_id, mode="agent"))
        assert again.mode == "agent"
        body = provider.requests[-1].body
        assert [each["function"]["name"] for each in body["tools"]] == ["act"]
        assert list(pairs(body)) == [("act", "did 1")]
        made = await b.end(await b.regenerate(again.id))
        edited = await b.end(await b.edit(accepted.user_message.id, "Other"))
        assert (made.mode, edited.mode) == ("agent", "agent")
        anew = Regenerate(type="regenerate", message_id=again.id, request_id=new_id(), mode="ask")
        assert (await b.end(await b.engine.regenerate(OWNER, anew))).mode is None


async def test_a_prompt_that_waits_may_change_its_mode() -> None:
    """N11, B10: it is asked in the mode that was chosen last."""
    async with talking() as (b, provider):
        script = Script(stall="after_headers", tokens=["First."])
        provider.scripts.append(script)
        first = await b.send()
        waits = await b.send("Look", first.chat_id)
        frame = Edit(
            type="edit",
            message_id=waits.user_message.id,
            body="Do it",
            request_id=new_id(),
            mode="agent",
        )
        changed = await b.engine.edit(OWNER, frame)
        assert (changed.message.mode, changed.user_message.mode) == ("agent", "agent")
        provider.scripts.append(calls(1))
        script.resume.set()
        message = await b.end(waits)
        assert (message.mode, len(message.tools)) == ("agent", 1)
        assert (await b.store.get_message(waits.user_message.id)).mode == "agent"


async def test_a_stopped_reply_of_calls_alone_is_told() -> None:
    """N11: though it has no word; one that was discarded is not."""
    async with talking("anthropic") as (b, provider):
        tool = Acting(waits_at=9)
        b.use(a_tool(tool))
        provider.scripts.append(calls(1, 9, 2))
        accepted = await b.send(mode="agent")
        await tool.running.wait()
        await b.stop(message_id=accepted.message.id)
        message = await b.end(accepted)
        assert (message.text, message.error) == ("", None)
        again = await b.end(await b.send("And?", message.chat_id, mode="agent"))
        assert again.state is MessageState.COMPLETED
        body = provider.requests[-1].body
        assert [answer for _, answer in pairs(body)] == ["did 1", STOPPED, NOT_BEGUN]
        assert body["messages"][3]["content"] == "(The person stopped this reply.)"
        asked = await b.end(await b.send("Then?", message.chat_id))
        assert STOPPED in provider.requests[-1].body["messages"][1]["content"]
        tool.running.clear()
        provider.scripts.append(calls(9, first=7))
        accepted = await b.send("Never mind", asked.chat_id, mode="agent")
        await tool.running.wait()
        await b.stop(message_id=accepted.message.id, discard=True)
        await b.end(await b.send("Well?", message.chat_id, mode="agent"))
        assert len(list(pairs(provider.requests[-1].body))) == 3


async def test_a_reply_at_its_bound_goes_on() -> None:
    """N15, V9: it fails with a clear word, keeps what it did, and goes on from there."""
    async with talking() as (b, provider):
        for at in range(60):
            provider.scripts.append(calls(at + 10, says=f"{at}. ", first=at))
        accepted = await b.send(mode="agent")
        message = await b.end(accepted)
        assert message.error is not None
        assert message.error.code is ErrorCode.TOO_MANY_STEPS
        assert len(message.tools) == len(provider.requests) == 50
        provider.scripts.clear()
        provider.scripts.extend([calls(1, says="More.", first=90), Script(tokens=["End."])])
        going = await b.end(await b.go_on(message.id))
        assert (going.state, going.mode) == (MessageState.COMPLETED, "agent")
        assert going.text.endswith("49. More.\n\nEnd.")
        body = provider.requests[50].body
        assert len(list(pairs(body))) == 50
        assert body["messages"][-1]["role"] == "user"
        assert len((await b.store.calls.of([message.id]))[message.id]) == 51


async def test_a_reply_goes_on_in_the_other_mode() -> None:
    """N11, V9."""
    async with talking() as (b, provider):
        tool = Acting(waits_at=9)
        b.use(a_tool(tool))
        provider.scripts.append(calls(9))
        accepted = await b.send(mode="agent")
        await tool.running.wait()
        await b.stop(message_id=accepted.message.id)
        message = await b.end(accepted)
        provider.scripts.append(Script(tokens=["So."]))
        frame = Continue(type="continue", message_id=message.id, request_id=new_id(), mode="ask")
        going = await b.end(await b.engine.continue_(OWNER, frame))
        assert (going.mode, going.text, going.state) == ("ask", "So.", MessageState.COMPLETED)
        assert "tools" not in provider.requests[-1].body


async def test_a_model_that_has_no_tools_is_refused() -> None:
    """N1: with a clear word; and so is the mode where there are no tools at all."""
    async with bench_in_memory() as b:
        b.use(a_tool(Acting()))
        message = await b.end(await b.send(mode="agent"))
        assert message.error is not None
        assert message.error.code is ErrorCode.CANNOT_USE_TOOLS
    async with bench_in_memory() as b:
        assert await refused(b.send(mode="agent")) is ErrorCode.MODE_NOT_ALLOWED


async def test_an_answer_that_was_cut_off_ends_the_reply() -> None:
    """N16: its calls are lines that say so, and the person may let it go on."""
    async with talking() as (b, provider):
        script = calls(1, says="Look.")
        script.finish = "length"
        provider.scripts.append(script)
        message = await b.end(await b.send(mode="agent"))
        assert (message.state, message.finish_reason) == (MessageState.COMPLETED, "length")
        (line,) = message.tools
        assert line.state == "refused"
        assert "cut off" in (line.result or "")
        assert len(provider.requests) == 1


async def test_what_a_dead_server_left_is_told(tmp_path: Any) -> None:
    """N9, N11: what ran may have had effects; what did not, had none."""
    first = await make_store(f"sqlite:///{tmp_path}/one/chats", owner_process="host:1:dead")
    await first.open()
    b = Bench(store=first)
    tool = Acting(waits_at=9)
    async with make_provider("openai") as provider:
        handler = LangChainHandler(make_model("openai", provider.base_url))
        b.handlers[MODEL] = handler
        b.use(a_tool(tool))
        provider.scripts.append(calls(9, 1))
        accepted = await b.send(mode="agent")
        await tool.running.wait()
        # What another server of the same disk finds once this one is gone.
        await asyncio.to_thread(_as_left_behind, tmp_path / "one" / "chats", tmp_path / "two")
        second = await make_store(f"sqlite:///{tmp_path}/two/chats", owner_process="host:2:b")
        await second.open()
        left = await second.get_message(accepted.message.id)
        lines = [(each.state, each.duration_ms is not None) for each in left.tools]
        assert lines == [("interrupted", True), ("interrupted", False)]
        told = (await second.calls.of([left.id]))[left.id]
        assert [each.state for each in told] == ["running", "waiting"]
        other = Bench(store=second)
        other.handlers[MODEL] = handler
        other.use(a_tool(Acting()))
        after = await other.end(await other.send("And?", left.chat_id, mode="agent"))
        assert after.state is MessageState.COMPLETED, after.error
        assert [answer for _, answer in pairs(provider.requests[-1].body)] == [STOPPED, NOT_BEGUN]
        await other.close()
        await second.close()
        await b.stop(message_id=accepted.message.id)
        await b.close()
        await handler.close()
    await first.close()


def _as_left_behind(path: Path, folder: Path) -> None:
    """Copy a database to where its server is not seen any more. Blocks."""
    folder.mkdir()
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(folder / path.name)) as copy,
    ):
        source.backup(copy)
        copy.execute("UPDATE processes SET seen_at = 0")
        copy.commit()


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_words_of_two_answers_stand_apart(kind: str) -> None:
    """R1: a heading of the second one is one."""
    async with talking(kind) as (b, provider):
        provider.scripts.extend([calls(1, says="So:"), Script(tokens=["# Title"])])
        message = await b.end(await b.send(mode="agent"))
        assert message.text == "So:\n\n# Title"
        assert message.tools[0].at == 3
