"""The state of a chat that another process works in, as it is told here."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.ports.peers import Announced
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.server_frames import ChatChanged
from tests.aids.turns import until
from tests.connection.wire import Wire
from tests.engine.bench import OWNER
from tests.engine.reached import reached, twins
from tests.engine.servers.two_processes import begin, states

__all__ = ["reached", "twins"]


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_chat_that_is_opened(reached: Any, stopped: bool) -> None:
    """B10, H4: what is made there, and what waits there, is no idle chat."""
    accepted = await begin(reached)
    await reached.a.send("waits", accepted.chat_id)
    if stopped:
        await reached.a.stop(chat_id=accepted.chat_id)
    page = Wire(reached.b)
    answer = await page.opens(accepted.chat_id)
    assert answer["chat"]["state"] == ("queued" if stopped else "generating")
    page.connection.end()


async def test_a_chat_that_is_renamed(reached: Any) -> None:
    """H4: who shows it as being worked in goes on doing so; and is right again at its end."""
    accepted = await begin(reached)
    chat = await reached.b.engine.set_title(OWNER, accepted.chat_id, "New")
    assert (chat.state, chat.title) == ("generating", "New")
    assert set(states(reached.b)) == {("generating", "New")}
    reached.model.feed(accepted.message.id, None)
    await until(lambda: states(reached.b)[-1] == ("idle", "New"))
    again = await reached.b.engine.set_title(OWNER, accepted.chat_id, "Newer")
    assert again.state == "idle"


async def test_what_another_process_tells_of_a_chat_that_is_worked_in_here(reached: Any) -> None:
    """H4: it renamed it, and may know less of its state."""
    accepted = await begin(reached)
    await reached.b.store.set_title(accepted.chat_id, "New")
    chat = (await reached.b.engine.chat(OWNER, accepted.chat_id)).model_copy(
        update={"state": "idle"}
    )
    reached.a.engine.elsewhere.hear(OWNER, Announced(encode(ChatChanged(chat=chat))))
    await until(lambda: states(reached.a)[-1] == ("generating", "New"))
    reached.model.feed(accepted.message.id, None)
    await until(lambda: not reached.a.engine.running())
    assert {title for _, title in states(reached.a)[-2:]} == {"New"}


async def test_what_another_process_tells_of_a_chat_that_it_deleted(reached: Any) -> None:
    """H4: it is gone, also where something is still made in it."""
    accepted = await begin(reached)
    chat = await reached.b.engine.chat(OWNER, accepted.chat_id)
    told = Announced(encode(ChatChanged(chat=chat, deleted=True)))
    reached.a.engine.elsewhere.hear(OWNER, told)
    assert [each.deleted for each in reached.a.heard.told if isinstance(each, ChatChanged)][-1]
