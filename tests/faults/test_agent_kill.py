"""A server that is killed while a tool call is in some state: it has ended, and nothing begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aids.agent_page import BOOK, Person, insert
from tests.browser.lab import Lab, asking
from tests.faults.servers import connect, leave, told
from tests.providers import OpenAIProvider, Script
from tests.tools.notebooks import Page, cell


@pytest.fixture
def provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model."""
    with OpenAIProvider().in_thread() as made:
        yield made


@pytest.fixture
def lab(tmp_path: Path, provider: OpenAIProvider) -> Iterator[Lab]:
    """Start a server."""
    made = Lab(tmp_path, asking(provider.base_url), "jupyter_server")
    made.start()
    yield made
    made.stop()


@pytest.mark.stress
async def test_a_server_is_killed_in_each_state_of_a_call(
    lab: Lab, provider: OpenAIProvider
) -> None:
    """N8, N9, N11: it has answered no; what may have been done is kept for Undo; the next turn
    is taken.
    """
    for state in ("waiting", "asked", "running"):
        client = await connect(lab)
        person = Person(client, Page(a=[cell("x = 1", "c1")]))
        await person.here()
        person.answer = None if state == "asked" else "once"
        person.holds = {"waiting": "read", "running": "edit"}.get(state, "")
        provider.scripts.append(insert("y = 2"))
        message_id = await person.send()
        if state == "asked":
            await person.until("tool", lambda frame: frame["state"] == "asked")
        else:
            held = person.holds
            await person.until("tool_request", lambda frame, held=held: frame["operation"] == held)
        assert lab.process is not None
        lab.process.kill()
        lab.process.wait(60)
        await leave(client)
        lab.start()
        kept = await told(lab, "GET", f"generations/{message_id}")
        assert (kept["state"], kept["stop"]["reason"]) == ("interrupted", "server_restart"), state
        # What had not begun may not have been written down yet.
        assert kept["tools"] or state == "waiting"
        for each in kept["tools"]:
            assert (each["state"], "approval" in each) == ("interrupted", False), state
        changes = (await told(lab, "GET", f"messages/{message_id}/changes"))["changes"]
        assert [each["state"] for each in changes] == (["begun"] if state == "running" else [])
        client = person.client = await connect(lab)
        await person.here()
        if person.asked:
            await person.say("once")
            assert (await person.until("error"))["code"] == "answered_already"
        provider.scripts.append(Script(tokens=["Next."]))
        ended = await person.end(await person.send("and?"))
        assert ended["state"] == "completed", ended
        assert person.page.ids(BOOK) == ["c1"]
        await leave(client)
