"""A file of any earlier schema opens with all that was in it, stopped replies above all."""

from __future__ import annotations

import pytest

from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.objects import MessageState, Spent
from tests.store import earlier

#: Which revision first kept what.
INSTRUCTIONS, PICTURES, SPENDING, TOOLS, RUNS = "0006", "0007", "0008", "0009", "0011"


@pytest.fixture(params=earlier.revisions())
def revision(request, path):
    """Make a file of each revision."""
    earlier.make(path, request.param)
    return request.param


async def test_what_every_revision_kept(new_store, revision):
    """H10: messages with all that belongs to them; a stopped reply is as it was shown."""
    told = []
    store = await new_store("host:1:a")
    await store.open(told.extend)
    assert store.health().get("reason") is None
    (chat,) = await store.list_chats("somebody", query="primes")
    assert (chat.title, chat.created_at) == ("Primes 🔢", earlier.WHEN)
    prompt, stopped, second, failed, waiting = await store.get_messages(chat.id)
    assert (prompt.text, prompt.text_length) == ("List the primes 🔢.", 19)
    assert (prompt.attachments[0].name, prompt.attachments[0].text) == ("notes.md", "# Primes")
    assert (stopped.state, stopped.text) == (MessageState.INTERRUPTED, "2, 3, 5, and")
    assert (stopped.reasoning, stopped.model) == ("Hm.", "openai:x")
    receipt = stopped.stop.model_dump(exclude_none=True)
    assert receipt == earlier.RECEIPT
    (call,) = stopped.tools
    assert call.model_dump(exclude_none=True) == earlier.CALL
    assert stopped.usage.model_dump(exclude_none=True) == earlier.USAGE
    assert (second.reply_to, failed.reply_to) == (stopped.id, second.id)
    assert (failed.error.code, failed.error.error_id) == (ErrorCode.RATE_LIMITED, "e1")
    assert failed.finish_reason == ("cut_off" if revision >= "0003" else None)
    # What was being made as its server died has its text, and has ended.
    assert (waiting.state, waiting.text) == (MessageState.INTERRUPTED, "From their st")
    assert waiting.version_of == stopped.id
    assert [each.id for each in told] == [waiting.id]
    assert await store.find_request("somebody", earlier.REQUEST) == stopped
    if revision >= "0004":
        assert await store.find_request("somebody", earlier.EARLIER) == stopped


async def test_what_later_revisions_kept_besides(new_store, revision, make):
    """H10: instructions, pictures, what was spent, what tools did and ran."""
    store = await new_store("host:1:a")
    await store.open()
    owner, chat = earlier.OWNER, earlier.CHAT
    prompt, stopped, *_, waiting = await store.get_messages(chat)
    since = revision.__ge__
    assert await store.instructions.of_chat(chat) == earlier.SAID * since(INSTRUCTIONS)
    sent = await store.instructions.sent(chat, [earlier.DIGEST])
    assert sent == ({earlier.DIGEST: earlier.SAID} if since(INSTRUCTIONS) else {})
    assert prompt.path == ("primes.ipynb" if since(INSTRUCTIONS) else None)
    data = await store.blobs.read(owner, earlier.DIGEST)
    assert data == (earlier.PICTURE if since(PICTURES) else None)
    blobs = [each.blob for each in prompt.attachments]
    assert blobs == ([None, earlier.DIGEST] if since(PICTURES) else [None])
    used = Spent(input_tokens=11, output_tokens=6, cost=250)
    day = await store.spending.on(owner, earlier.WHEN[:10])
    assert day == (used if since(SPENDING) else Spent())
    # What was being made as its server died is counted as it ends, and has no known price.
    lost, spent = waiting.usage, (await store.get_chat(chat)).spent
    assert spent.input_tokens == 11 + lost.input_tokens
    assert spent.output_tokens == 6 + lost.output_tokens
    assert (spent.cost, spent.unpriced) == (250 * since(SPENDING), True)
    calls = await store.calls.of([stopped.id])
    assert [each.name for each in calls.get(stopped.id, [])] == ["look"] * since(TOOLS)
    changes = await store.journal.changes(stopped.id)
    assert [(each.change.after, each.state) for each in changes] == [("2 + 3", "done")] * since(
        TOOLS
    )
    assert await store.allowed_tools.allowed(owner, chat) == {"run_cell"} & (
        {"run_cell"} if since(TOOLS) else set()
    )
    kept = await store.outputs.of(owner, "primes.ipynb")
    assert [each.cell_id for each in kept] == ["cell-1"] * since(RUNS)
    # And it goes on as a new one does.
    asked, reply = make.turn(await store.get_chat(chat))
    await store.begin_turn([asked, reply])
    await store.append(reply.id, "7")
    assert (await store.get_message(reply.id)).text == "7"
