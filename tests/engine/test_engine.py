"""The engine: a reply from its prompt to its end."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.engine.changes import MessageMoved, TextGrew
from jupyter_stop_chat.ports.handler import Reasoning, TokensUsed, ToolEnded, ToolStarted
from jupyter_stop_chat.store.operations import Append, BeginTurn, Settle
from jupyter_stop_chat.testing import Gate, Raise, ScriptedHandler
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import MODEL, OWNER, new_id


async def test_a_reply_to_its_end(bench):
    """L5, S5: one end, and all of the text."""
    b = bench(["Once ", "upon ", TokensUsed(7, 3), "a time 🗼"])
    accepted = await b.send("A story", attachments=[])
    assert accepted.message.state in {MessageState.QUEUED, MessageState.GENERATING}
    assert accepted.user_message.text == "A story"
    message = await b.end(accepted)
    assert message.state is MessageState.COMPLETED
    assert message.text == "Once upon a time 🗼"
    assert message.text_length == len("Once upon a time 🗼") + 1
    assert (message.usage.input_tokens, message.usage.output_tokens) == (7, 3)
    assert not message.usage.estimated
    assert message.stop is None
    assert await b.store.get_message(message.id) == message
    assert b.heard.terminals(message.id) == 1


async def test_text_is_committed_before_it_is_shown(bench):
    """B3: whatever a page was told of is in the store by then."""
    b = bench(["a", "b", Gate(), "c"])
    behind: list[str] = []

    def look(change):
        if isinstance(change, TextGrew):
            kept = b.store.committed_text(change.generation.id)
            if not kept.startswith(str(change.generation.text)):
                behind.append(kept)

    accepted = await b.send()
    b.bus.follow(accepted.chat_id, look)
    await b.shown(accepted, "ab")
    b.handler.script[2].open()
    assert (await b.end(accepted)).text == "abc"
    assert behind == []
    b.bus.unfollow(accepted.chat_id, look)


async def test_what_comes_during_a_commit_goes_into_the_next(bench):
    """Rule 8: the number of commits does not grow with the number of chunks."""
    gate = Gate()
    b = bench([gate, *["x"] * 500])
    accepted = await b.send()
    await gate.reached.wait()
    b.store.turns = 50
    gate.open()
    message = await b.end(accepted)
    assert message.text == "x" * 500
    assert sum(isinstance(each, Append) for each in b.store.done) < 50


async def test_a_store_that_is_slow_holds_the_model_back(bench):
    """Rule 8: what waits for its commit is bounded."""
    b = bench(["y" * 10_000] * 50)
    accepted = await b.send()
    generation = b.engine.generation(accepted.message.id)
    reply = await b.handler.next_reply()
    b.store.open_for_writing.clear()
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(reply.text) <= 64 * 1024 + 2 * 10_000 + generation.text.length
    b.store.open_for_writing.set()
    assert (await b.end(accepted)).text_length == 500_000


async def test_a_model_that_never_waits_leaves_the_loop_to_others(bench):
    """Rule 11: other work goes on while a stream of ten thousand chunks never awaits anything."""
    b = bench(["z"] * 60_000)
    accepted = await b.send()
    turns = 0
    while b.engine.generation(accepted.message.id) is not None:
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert (await b.end(accepted)).text_length == 60_000


async def test_reasoning_and_tools(bench):
    b = bench(
        [
            Reasoning("Hm "),
            ToolStarted("c1", "look", '{"at": 1}'),
            ToolStarted("c2", "look"),
            Reasoning("🧠"),
            ToolEnded("c1", "seen"),
            ToolEnded("c2", "no", failed=True),
            ToolEnded("never started", "?"),
            "Done.",
        ]
    )
    message = await b.end(await b.send())
    assert message.reasoning == "Hm 🧠"
    assert [(tool.call_id, tool.state, tool.result) for tool in message.tools] == [
        ("c1", "completed", "seen"),
        ("c2", "failed", "no"),
    ]
    assert [tool.state for tool in b.heard.tools()] == [
        "running",
        "running",
        "completed",
        "failed",
    ]


async def test_a_tool_s_words_are_made_whole_and_short(bench):
    """What a frame cannot carry would close every socket that follows."""
    b = bench(
        [
            ToolStarted("c\ud800", "t\udc00", "\ud800" * 10),
            ToolEnded("c\ud800", "🗼" * 50_000),
            ".",
        ]
    )
    (tool,) = (await b.end(await b.send())).tools
    for text in (tool.call_id, tool.name, tool.args, tool.result):
        text.encode()
    assert tool.state == "completed"
    assert len(tool.result) < 20_000


async def test_a_second_turn_is_told_of_the_first(bench):
    b = bench(lambda turn: [f"reply to {turn.messages[-1].text}"])
    first = await b.end(await b.send("one"))
    await b.end(await b.send("two", first.chat_id))
    told = b.handler.replies[1].turn.messages
    assert [(each.role, each.text) for each in told] == [
        ("user", "one"),
        ("assistant", "reply to one"),
        ("user", "two"),
    ]


async def test_attachments_go_to_the_model(bench):
    from jupyter_stop_chat.wire.objects import Attachment

    b = bench()
    await b.end(
        await b.send("What is it?", attachments=[Attachment(name="a.py", text="x = '```'")])
    )
    text = b.handler.replies[0].turn.messages[-1].text
    assert text == "What is it?\n\na.py:\n````\nx = '```'\n````"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("sk-secret in /home/ada"), ErrorCode.GENERATION_FAILED),
        (StopChatError(ErrorCode.RATE_LIMITED, "sk-secret"), ErrorCode.RATE_LIMITED),
        (SystemExit(3), ErrorCode.GENERATION_FAILED),
        (asyncio.CancelledError("its own"), ErrorCode.GENERATION_FAILED),
        (GeneratorExit(), ErrorCode.GENERATION_FAILED),
        (RecursionError(), ErrorCode.GENERATION_FAILED),
        (MemoryError(), ErrorCode.GENERATION_FAILED),
        (StopAsyncIteration(), ErrorCode.GENERATION_FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("when", ["before", "middle", "end"])
async def test_a_model_that_raises(bench, error, code, when):
    """L5, V3: one end, a code and its sentence, the text up to then; nothing else gets out."""
    script = {
        "before": [Raise(error)],
        "middle": ["Half", Raise(error), " more"],
        "end": ["Half", " more", Raise(error)],
    }[when]
    b = bench(script)
    message = await b.end(await b.send())
    assert message.state is MessageState.FAILED
    assert message.error.code == code
    assert message.text == {"before": "", "middle": "Half", "end": "Half more"}[when]
    assert message.error.error_id
    dumped = message.model_dump_json()
    assert "secret" not in dumped
    assert "/home" not in dumped
    assert (message.usage is None) == (when == "before")


async def test_a_failure_is_in_the_log_under_its_id(bench, caplog):
    b = bench([Raise(ValueError("sk-secret"))])
    message = await b.end(await b.send())
    assert message.error.error_id in caplog.text
    assert "ValueError" in caplog.text
    assert "sk-secret" not in caplog.text


@pytest.mark.parametrize("script", [[], ["", ""], [Reasoning("only thought")]])
async def test_a_reply_of_nothing_is_a_failure(bench, script):
    message = await bench_end(bench(script))
    assert message.state is MessageState.FAILED
    assert message.error.code is ErrorCode.EMPTY_REPLY


async def bench_end(b):
    return await b.end(await b.send())


async def test_a_reply_of_white_space_is_kept_and_not_told_on(bench):
    """B8: no provider takes an empty message."""
    b = bench(lambda turn: [" \n"] if len(turn.messages) == 1 else ["ok"])
    first = await b.end(await b.send("one"))
    assert first.state is MessageState.COMPLETED
    assert first.text == " \n"
    await b.end(await b.send("two", first.chat_id))
    assert [each.text for each in b.handler.replies[1].turn.messages] == ["two"]


async def test_one_chunk_of_a_megabyte_and_half_characters(bench):
    whole = "0123456789abcde🗼" * 60_000
    b = bench([whole, "\ud83d", "\ude00", " \ude00 \ud83d"])
    message = await b.end(await b.send())
    assert message.text == whole + "😀 � �"
    assert message.text_length == len(message.text.encode("utf-16-le")) // 2


async def test_a_handler_that_is_none(bench):
    """L5: what is no generator of events fails cleanly."""

    class Wrong:
        def reply(self, turn):
            return iter(["text"])

        async def close(self):
            pass

    b = bench()
    b.handlers[MODEL] = Wrong()
    message = await b.end(await b.send())
    assert message.error.code is ErrorCode.GENERATION_FAILED


async def test_the_handler_s_generator_is_always_closed(bench):
    """Rule 4, J7: also when the engine leaves it in the middle."""
    b = bench(["x" * 100] * 10, max_reply_length=250)
    message = await b.end(await b.send())
    assert message.error.code is ErrorCode.REPLY_TOO_LONG
    reply = b.handler.replies[0]
    assert reply.ended.is_set()
    assert isinstance(reply.ending, GeneratorExit)


async def test_a_model_that_will_not_be_closed(bench):
    from jupyter_stop_chat.testing import RefuseToClose

    b = bench([RefuseToClose(), "x" * 100, "y" * 100], max_reply_length=150)
    message = await b.end(await b.send())
    assert message.state is MessageState.FAILED
    assert message.text == "x" * 100 + "y" * 50


async def test_one_that_listens_badly_spoils_nothing(bench, caplog):
    b = bench(["a", "b"])

    def bad(change):
        raise RuntimeError("bad listener")

    b.bus.attend(OWNER, bad)
    message = await b.end(await b.send())
    assert message.text == "ab"
    b.bus.leave(OWNER, bad)


async def test_a_store_that_cannot_end_a_message_keeps_nobody_waiting(bench, caplog):
    """V10: whatever the end was."""
    b = bench(["text"])
    b.store.fails = (Settle,)
    message = await b.end(await b.send())
    assert message.state is MessageState.COMPLETED
    assert message.text == "text"
    assert "could not be written down" in caplog.text


async def test_text_that_cannot_be_kept_ends_the_reply(bench):
    """L5: rather a failure than a gap."""
    b = bench(["one", Gate(), "two", Gate(), "three"])
    accepted = await b.send()
    await b.shown(accepted, "one")
    b.store.fails = (Append,)
    b.handler.script[1].open()
    await b.handler.script[3].reached.wait()
    b.handler.script[3].open()
    message = await b.end(accepted)
    assert message.state is MessageState.FAILED
    assert message.error.code is ErrorCode.INTERNAL
    assert message.text == "one"


async def test_a_prompt_that_cannot_be_written_is_not_accepted(bench):
    b = bench()
    b.store.fails = (BeginTurn,)
    with pytest.raises(StopChatError) as refused:
        await b.send()
    assert refused.value.code is ErrorCode.INTERNAL
    assert b.handler.replies == []
    assert await b.store.list_chats(OWNER) == []


async def test_accepted_is_told_to_all_who_follow_and_before_anything_else(bench):
    b = bench()
    first = await b.end(await b.send())
    before = len(b.heard.told)
    accepted = await b.send("again", first.chat_id)
    await b.end(accepted)
    about = [
        change
        for change in b.heard.told[before:]
        if isinstance(change, Accepted | MessageMoved | TextGrew)
    ]
    assert isinstance(about[0], Accepted)
    assert about[0].message.id == accepted.message.id


async def test_a_chat_tells_its_owner_that_it_is_busy_and_idle(bench):
    b = bench([Gate()])
    accepted = await b.send()
    await b.handler.script[0].reached.wait()
    assert (await b.engine.chat(OWNER, accepted.chat_id)).state == "generating"
    assert b.heard.chats[-1].state == "generating"
    b.handler.script[0].open()
    await b.end(accepted)
    await b.quiet()
    assert b.heard.chats[-1].state == "idle"
    assert (await b.engine.chat(OWNER, accepted.chat_id)).state == "idle"


async def test_several_chats_run_at_once(bench):
    """J4: and one of them is stopped without the others."""
    gate = Gate()
    b = bench(["text", gate])
    every = [await b.send() for _ in range(5)]
    for accepted in every:
        await b.shown(accepted, "text")
    await b.stop(chat_id=every[2].chat_id)
    gate.open()
    states = [(await b.end(accepted)).state for accepted in every]
    assert states.count(MessageState.INTERRUPTED) == 1
    assert states[2] is MessageState.INTERRUPTED


async def test_a_closing_socket_leaves_no_prompt_half_accepted(bench):
    """Rule 10: who asked goes away in the middle of being accepted."""
    b = bench()
    b.store.open_for_writing.clear()
    request_id = new_id()
    asking = asyncio.create_task(b.send("hello", request_id=request_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    b.store.open_for_writing.set()
    await b.quiet()
    message = await b.store.find_request(OWNER, request_id)
    assert message.state is MessageState.COMPLETED


async def test_the_last_words_of_a_slow_store_are_not_lost(bench):
    """A model that has ended before its text was committed."""
    b = bench(["all ", "of ", "it", "\ud83d"])
    b.store.turns = 30
    message = await b.end(await b.send())
    assert message.text == "all of it�"


async def test_a_model_with_no_script_is_found_by_its_id(bench):
    b = bench()
    b.handlers["other:one"] = ScriptedHandler(["I am other."])
    message = await b.end(await b.send(model="other:one"))
    assert message.model == "other:one"
    assert message.text == "I am other."
    message = await b.end(await b.send(model="nobody:x"))
    assert message.error.code is ErrorCode.UNKNOWN_MODEL
