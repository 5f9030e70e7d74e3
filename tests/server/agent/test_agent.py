"""A reply that uses the built-in tools, from the model's wire to a page's notebook."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import nbformat

from tests.aids.agent_page import BOOK, Person, insert, uses
from tests.providers import OpenAIProvider, Script, ToolUse
from tests.server.conftest import MODEL
from tests.tools.notebooks import Page, cell


async def _person(connect: Any) -> Person:
    made = Person(await connect(), Page(a=[cell("x = 1", "c1"), cell("x", "c2")]))
    await made.here()
    return made


async def test_a_model_changes_a_notebook_that_a_page_has_open(
    app: Any, provider: OpenAIProvider, connect: Any, call: Any
) -> None:
    """N1, N8, N10, N14: read unasked, changed once allowed, told, and kept for Undo."""
    person = await _person(connect)
    provider.scripts += [
        uses("read_notebook", path=BOOK),
        insert("y = 2"),
        Script(tokens=["Done."]),
    ]
    message_id = await person.send()
    ended = await person.end(message_id)
    assert (ended["state"], ended["mode"]) == ("completed", "agent"), ended
    assert [each["state"] for each in ended["tools"]] == ["completed", "completed"]
    assert [each["touches"] for each in ended["tools"]] == ["reads", "edits"]
    assert len(person.asked) == 1
    ids = person.page.ids()
    assert (len(ids), person.page.sources()[ids[1]]) == (3, "y = 2")
    assert ended["changes"] == {"cells": 1, "files": 0, "undone": False}
    status, told = await call("GET", "messages", message_id, "calls")
    assert status == 200
    assert [len(each["changes"]) for each in told["calls"]] == [0, 1]
    assert told["calls"][1]["changes"][0]["state"] == "done"
    assert "x = 1" in told["calls"][0]["result"]
    # In this chat it is not asked for any more, whatever it writes.
    person.answer = "chat"
    for n in range(2):
        provider.scripts += [insert(f"z = {n}"), Script(tokens=["Done."])]
        ended = await person.end(await person.send())
        assert ended["state"] == "completed", ended
    assert (len(person.asked), len(person.page.ids())) == (2, 5)
    # And a file that may hold keys is asked for, though it is only read.
    person.answer = "refuse"
    await (await app.services()).store.allowed_tools.allow("server", "", "read_file")
    provider.scripts += [uses("read_file", path=".env"), Script(tokens=["A pity."])]
    ended = await person.end(await person.send())
    assert ended["tools"][-1]["state"] == "refused", ended["tools"]
    assert not person.asked[-1]["approval"]["by_rule"]


async def test_a_stop_while_a_person_is_asked_changes_nothing(
    app: Any, provider: OpenAIProvider, connect: Any
) -> None:
    """N9, N11: a late answer begins nothing, and the next turn is taken by the provider."""
    person = await _person(connect)
    person.answer = None
    before = person.page.sources()
    provider.scripts.append(insert("y = 2"))
    message_id = await person.send()
    await person.until("tool", lambda frame: frame["state"] == "asked")
    await person.say("once")
    await person.client.send({"type": "stop", "message_id": message_id})
    result = (await person.until("stop_result"))["results"][0]
    assert result["outcome"] in {"interrupted", "already_completed"}
    await person.say("always")
    error = await person.until("error")
    assert error["code"] == "answered_already"
    services = await app.services()
    kept = await services.store.get_message(message_id)
    for change in await services.store.journal.changes(message_id):
        assert (change.state == "done") is (person.page.sources() != before)
    assert all(each.state in {"interrupted", "completed"} for each in kept.tools)
    provider.scripts.append(Script(tokens=["Next."]))
    ended = await person.end(await person.send("and?"))
    assert ended["state"] == "completed", ended


async def test_half_letters_in_arguments_end_nothing(
    app: Any, provider: OpenAIProvider, connect: Any
) -> None:
    """N16: no frame and no request could carry them; the page and the reply go on."""
    person = await _person(connect)
    for name, args in (
        ("read_notebook", r'{"path": "\ud800.ipynb"}'),
        ("replace_cell", r'{"path": "a.ipynb", "cell_id": "\udcff", "new_source": "y"}'),
        (
            "insert_cell",
            r'{"path": "a.ipynb", "after": "c2", "cell_type": "code", "source": "\ud800"}',
        ),
    ):
        used = ToolUse(name, raw=args, call_id=name)
        provider.scripts.append(Script(tokens=["So\ud800. "], tool_calls=[used]))
    provider.scripts.append(Script(tokens=["Done."]))
    ended = await person.end(await person.send())
    assert ended["state"] == "completed", ended
    assert [each["state"] for each in ended["tools"]] == ["failed", "failed", "completed"]
    assert list(person.page.sources().values()) == ["x = 1", "x", "\ufffd"]


async def test_a_tool_is_allowed_without_a_page(
    app: Any, provider: OpenAIProvider, stream: Any, call: Any, jp_fetch: Any
) -> None:
    """N8, N1: the stream of a reply tells what is asked; the notebook is as it is saved."""
    root = await asyncio.to_thread(Path, app.serverapp.root_dir)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", id="c1")])
    (root / BOOK).write_text(nbformat.writes(book))
    provider.scripts += [insert("y = 2"), Script(tokens=["Done."])]
    reader = await stream(mode="agent", model=MODEL)
    asked: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    async for name, content in reader.events():
        if name == "tool" and content["state"] == "asked":
            asked.append(content)
            body = {"digest": content["approval"]["digest"], "answer": "once"}
            where = ("messages", content["message_id"], "calls", content["call_id"], "approval")
            await jp_fetch("api", "stop-chat", *where, method="POST", body=json.dumps(body))
        last = content
    assert last["message"]["state"] == "completed", last
    assert len(asked) == 1
    saved = nbformat.reads((root / BOOK).read_text(), 4)
    assert [each.source for each in saved.cells] == ["x = 1", "y = 2"]


async def test_what_changed_since_it_was_shown_is_asked_anew(
    app: Any, provider: OpenAIProvider, connect: Any
) -> None:
    """N8: an answer is for exactly what was shown, with what the cell was then."""
    person = await _person(connect)
    person.answer = None
    provider.scripts += [
        uses("read_notebook", path=BOOK),
        uses("replace_cell", path=BOOK, cell_id="c1", old_source="1", new_source="2"),
        Script(tokens=["Done."]),
    ]
    message_id = await person.send()
    await person.until("tool", lambda frame: frame["state"] == "asked")
    person.page.notebooks[BOOK][0]["source"] = "x = 1  # mine"
    await person.say("once")
    first = person.asked[-1]["approval"]["digest"]
    await person.until("tool", lambda frame: frame["state"] == "asked")
    second = person.asked[-1]["approval"]["digest"]
    assert first != second
    person.asked[-1]["approval"]["digest"] = first
    await person.say("once")
    error = await person.until("error")
    assert error["code"] == "asked_anew"
    person.asked[-1]["approval"]["digest"] = second
    await person.say("once")
    ended = await person.end(message_id)
    assert ended["state"] == "completed", ended
    assert person.page.sources()["c1"] == "x = 2  # mine"
