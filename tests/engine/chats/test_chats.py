"""What is told of a chat as such: it is never older than what was told before."""

from __future__ import annotations

from tests.engine.bench import OWNER


async def test_a_title_that_is_given_while_a_prompt_is_taken(bench, monkeypatch):
    """L10: what was read of the chat before it does not take it back."""
    b = bench()
    first = await b.send("Which tower?")
    await b.end(first)
    await b.quiet()
    get_chat = b.store.get_chat

    async def read(chat_id):
        found = await get_chat(chat_id)
        monkeypatch.undo()
        await b.engine.set_title(OWNER, chat_id, "Towers")
        return found

    monkeypatch.setattr(b.store, "get_chat", read)
    await b.end(await b.send("and then?", first.chat_id))
    await b.quiet()
    assert [chat.title for chat in b.heard.chats][-1] == "Towers"
