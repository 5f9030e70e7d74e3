"""What a person may use in a day, as they are told of it over HTTP."""

from __future__ import annotations

from typing import Any

from jupyter_stop_chat.ports.handler import TokensUsed
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode


async def test_a_budget_that_is_used_up_is_a_plain_sentence(
    app: Any, scripted: Any, stream: Any, call: Any
) -> None:
    """L5: whatever asks a model is refused, and nothing is written; what runs goes to its end."""
    app.tokens_per_day = 100
    handler = await scripted("Hello", TokensUsed(90, 10))
    (_, start), *_, (last, _) = [event async for event in (await stream()).events()]
    assert last == "completed"
    sentence, status = SENTENCES[ErrorCode.BUDGET_SPENT]
    assert "midnight, UTC" in sentence
    told = (status, {"code": "budget_spent", "message": sentence})
    prompt = {"body": "More", "model": "scripted:x"}
    assert await call("POST", "generate", body=prompt) == told
    assert await call("POST", "generate", body={**prompt, "chat_id": start["chat_id"]}) == told
    assert len(handler.replies) == 1
    _, found = await call("GET", "chats", start["chat_id"])
    assert len(found["messages"]) == 2
    _, today = await call("GET", "spending")
    assert (today["used_up"], today["max_tokens"]) == (True, 100)
    app.tokens_per_day = 0
    assert (await stream(body="More")).status == 200
