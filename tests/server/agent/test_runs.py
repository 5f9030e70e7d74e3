"""Runs over HTTP: what is kept of them for a page, and how a person ends one by itself."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from jupyter_stop_chat.ports.outputs import KeptRun
from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.server.owners import ONE_OWNER
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState

WHEN = "2026-01-01T00:00:00Z"
#: As a provider may choose it.
CALL = "call ü:1"


async def _reply(store: Any, owner: str) -> str:
    chat = Chat(id=str(uuid.uuid4()), owner=owner, created_at=WHEN, updated_at=WHEN)
    message = Message(
        id=str(uuid.uuid4()),
        chat_id=chat.id,
        role="assistant",
        text="",
        text_length=0,
        state=MessageState.GENERATING,
        created_at=WHEN,
    )
    await store.begin_turn([message], chat)
    await store.settle(message.id, Settlement(MessageState.COMPLETED))
    return message.id


async def test_what_is_kept_is_listed_and_dropped(app: Any, call: Any, jp_fetch: Any) -> None:
    """N6: of the notebook that is asked for, of its owner alone, as nbformat has it."""
    store = (await app.services()).store
    mine, theirs = await _reply(store, ONE_OWNER), await _reply(store, "somebody else")
    digest = hashlib.sha256(b"x = 1").hexdigest()
    outputs = '[{"output_type":"stream","name":"stdout","text":"é\\n"}]'
    for message_id in (mine, theirs):
        run = KeptRun(message_id, CALL, " a b.ipynb", "one", digest, outputs, 3, WHEN)
        await store.outputs.keep(run)
    kept = await jp_fetch("api", "stop-chat", "cell-outputs", params={"path": " a b.ipynb"})
    assert json.loads(kept.body) == {
        "runs": [
            {
                **{"message_id": mine, "call_id": CALL, "path": " a b.ipynb", "cell_id": "one"},
                **{"source_digest": digest, "execution_count": 3, "ended_at": WHEN},
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "é\n"}],
            }
        ]
    }
    assert await call("GET", "cell-outputs") == (200, {"runs": []})
    for _ in range(2):
        answer = await jp_fetch("api", "stop-chat", "cell-outputs", mine, CALL, method="DELETE")
        assert answer.code == 204
    status, told = await call("DELETE", "cell-outputs", theirs, CALL)
    assert (status, told["code"]) == (404, "unknown_message")
    assert await store.outputs.of(ONE_OWNER, " a b.ipynb") == []
    assert len(await store.outputs.of("somebody else", " a b.ipynb")) == 1


async def test_a_run_that_is_not_there_cannot_be_ended(app: Any, call: Any) -> None:
    """N4: it has ended, or another server has it."""
    message_id = await _reply((await app.services()).store, ONE_OWNER)
    where = ("messages", message_id, "calls", CALL, "kernel")
    for action in ("interrupt", "restart"):
        status, told = await call("POST", *where, body={"action": action})
        assert (status, told["code"]) == (409, "not_possible_now")
    status, told = await call("POST", *where, body={"action": "kill"})
    assert (status, told["code"], told["field"]) == (400, "invalid_field", "action")
