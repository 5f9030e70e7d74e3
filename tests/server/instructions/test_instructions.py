"""What the provider was told before a chat is what the person is shown, byte for byte."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.instructions.built_in import built_in
from jupyter_stop_chat.testing import ScriptedHandler
from tests.aids.knocking import knock, nothing_is_downloaded
from tests.chat_handlers.test_instructions import system_of
from tests.providers import OpenAIProvider, Script
from tests.server.instructions.asking import Asking
from tests.server.people.people import TWO_PEOPLE

__all__ = ["knock", "nothing_is_downloaded"]

ODD = 'Tabs\t, "quotes", \\, \u00fc, \U0001f600 and\n\n\nlines.'


async def test_the_built_in_ones_alone(asking: Asking) -> None:
    assert await asking.sent(await asking.send()) == built_in()


async def test_all_together_and_from_the_next_reply_on(
    asking: Asking, app: Any, root: Path
) -> None:
    """The chat's own are changed between two replies: each keeps what it was made with."""
    app.instructions = "Be brief."
    (root / "a" / "b").mkdir(parents=True)
    (root / "AGENTS.md").write_text("Use polars.")
    (root / "a" / "b" / "AGENTS.md").write_text(ODD)
    assert (await asking.call("PUT", "instructions", text="I know R."))[0] == 204
    told = await asking.call("GET", "instructions", "next", path="a/b/some.ipynb")
    first = await asking.send(path="a/b/some.ipynb")
    chat_id = first["chat_id"]
    before = await asking.sent(first)
    assert told == (200, {"text": before}), "it was told before"
    assert before == "\n\n".join(
        [
            built_in(),
            "From this server's administrator:\nBe brief.",
            "From the person, for all chats:\nI know R.",
            "From the file AGENTS.md:\nUse polars.",
            f"From the file a/b/AGENTS.md:\n{ODD}",
        ]
    )
    told = await asking.call("PUT", "chats", chat_id, "instructions", text=ODD)
    assert told[0] == 204
    assert await asking.call("GET", "chats", chat_id, "instructions") == (200, {"text": ODD})
    next_ = ("instructions", "next")
    (_, told) = await asking.call("GET", *next_, chat_id=chat_id, model="local:smollm2")
    assert told["text"].startswith("From this server's administrator")
    assert told["text"].endswith(ODD)
    assert (await asking.call("GET", *next_, chat_id=str(uuid.uuid4())))[0] == 404
    assert (await asking.call("GET", *next_, path="a" * 1001))[1]["code"] == "invalid_field"
    # A prompt that tells no path is asked where the chat was before.
    second = await asking.send(chat_id=chat_id)
    assert await asking.sent(second) == f"{before}\n\nFrom the person, for this chat:\n{ODD}"
    assert await asking.shown(first) == [before]
    await asking.call("PUT", "chats", chat_id, "instructions", text=" ")
    assert await asking.call("GET", "chats", chat_id, "instructions") == (200, {"text": " "})
    assert await asking.sent(await asking.send(chat_id=chat_id)) == before


async def test_a_handler_of_a_package_says_what_it_is_told(asking: Asking, app: Any) -> None:
    """What would be sent is told as it is sent: nothing, or without what is built in."""
    app.instructions = "Be brief."
    handler = ScriptedHandler(lambda turn: ["Yes."])
    (await app.services()).models.register("scripted", lambda name: handler)
    next_ = ("instructions", "next")
    assert await asking.call("GET", *next_, model="scripted:x") == (200, {"text": ""})
    handler.takes_instructions = "given"  # type: ignore[attr-defined]
    (_, told) = await asking.call("GET", *next_, model="scripted:x")
    assert told["text"] == "From this server's administrator:\nBe brief."
    (_, told) = await asking.call("GET", *next_, model="scripted:")
    assert told["text"].startswith(built_in())


async def test_a_text_is_kept_once_for_a_chat(asking: Asking, app: Any) -> None:
    store = (await app.services()).store
    first = await asking.send()
    second = await asking.send(chat_id=first["chat_id"])
    ids = [each["message"]["id"] for each in (first, second)]
    one, other = [(await store.get_message(each)).instructions for each in ids]
    assert one == other
    assert await store.instructions.sent(first["chat_id"], one) == {one[0]: built_in()}
    await store.delete_chat(first["chat_id"])
    assert await store.instructions.sent(first["chat_id"], one) == {}


async def test_regenerate_edit_and_continue_use_what_holds_then(
    asking: Asking, provider: OpenAIProvider, root: Path
) -> None:
    (root / "a").mkdir()
    rules = root / "a" / "AGENTS.md"
    rules.write_text("One.")
    provider.scripts.append(Script(tokens=["cut ", "off"], finish="length"))
    accepted = await asking.send(path="a/some.ipynb")
    first = await asking.sent(accepted)
    assert first.endswith("One.")
    rules.write_text("Two.")
    again = await asking.again("regenerate", accepted["message"]["id"])
    assert (await asking.sent(again)).endswith("Two.")
    edited = await asking.again("edit", accepted["user_message"]["id"], body="Hello")
    assert (await asking.sent(edited)).endswith("Two.")
    gone_on = await asking.again("continue", accepted["message"]["id"])
    assert gone_on["message"]["id"] == accepted["message"]["id"]
    assert (await asking.sent(gone_on)).endswith("Two.")
    shown = await asking.shown(gone_on)
    assert [each.rsplit("\n", 1)[-1] for each in shown] == ["One.", "Two."]


async def test_the_prompt_as_the_model_read_it(
    asking: Asking, provider: OpenAIProvider, jp_fetch: Any
) -> None:
    """With what was attached and where the person was, at a new reply, another one and an edit."""
    here = {"name": "Notebook: a.ipynb", "text": f"```python\n{ODD}\n```", "kind": "context"}
    mine = {"name": "notes.txt", "text": ODD}
    first = await asking.send(attachments=[mine, here])
    asked = await asking.asked(first)
    assert asked.startswith(f"Hi\n\nnotes.txt:\n```\n{ODD}\n```\n\nNotebook: a.ipynb:\n````\n")
    kept = first["user_message"]["attachments"]
    assert [each.get("kind", "attachment") for each in kept] == ["attachment", "context"]
    second = await asking.send(chat_id=first["chat_id"], attachments=[here])
    assert (await asking.asked(second)).count(ODD) == 1
    before = provider.requests[-1].body["messages"][-3]["content"]
    assert before.endswith("Notebook: a.ipynb: the same as below.")
    assert await asking.asked(await asking.again("regenerate", first["message"]["id"])) == asked
    edited = await asking.again("edit", first["user_message"]["id"], body="Hello", keeps=[1])
    assert await asking.asked(edited) == asked.replace(
        f"Hi\n\nnotes.txt:\n```\n{ODD}\n```", "Hello"
    )
    (left,) = edited["user_message"]["attachments"]
    assert left["kind"] == "context"
    response = await jp_fetch("api", "stop-chat", "chats", first["chat_id"], "export")
    assert b"Context: Notebook: a.ipynb" in response.body
    where = ("chats", first["chat_id"], "export")
    response = await jp_fetch("api", "stop-chat", *where, params={"format": "json"})
    body = response.body.decode()
    imported = await jp_fetch("api", "stop-chat", "chats", method="POST", body=body)
    _, whole = await asking.call("GET", "chats", json.loads(imported.body)["id"])
    kinds = {each["kind"] for said in whole["messages"] for each in said.get("attachments", [])}
    assert "context" in kinds


async def test_each_prompt_of_a_queue_has_its_own_place(
    asking: Asking, provider: OpenAIProvider, root: Path
) -> None:
    for name in ("a", "b"):
        (root / name).mkdir()
        (root / name / "AGENTS.md").write_text(f"In {name}.")
    stalled = Script(stall="before_headers")
    provider.scripts.append(stalled)
    first = await asking.page.ask("One", path="a/x.ipynb")
    await provider.next_request(1)
    chat_id = first["chat_id"]
    second = await asking.page.ask("Two", chat_id=chat_id, path="b/x.ipynb")
    third = await asking.page.ask("Three", chat_id=chat_id, path="a/x.py")
    stalled.resume.set()
    await asking.page.end_of(third["message"]["id"])
    sent = [system_of(request)[0].rsplit("\n", 1)[-1] for request in provider.requests]
    assert sent == ["In a.", "In b.", "In a."]
    for accepted, said in ((first, "In a."), (second, "In b.")):
        assert (await asking.shown(accepted))[0].endswith(said)


async def test_the_language_of_the_notebooks_kernel(
    asking: Asking, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sessions() -> list[Any]:
        return [{"path": "a/x.ipynb", "kernel": {"name": "python3"}}]

    monkeypatch.setattr(app.serverapp.session_manager, "list_sessions", sessions)
    assert await asking.sent(await asking.send(path="a/x.ipynb")) == built_in("python")
    assert await asking.sent(await asking.send(path="a/y.ipynb")) == built_in()


async def test_what_is_too_long_or_wrong_is_refused_by_name(asking: Asking) -> None:
    accepted = await asking.send()
    for path in (("instructions",), ("chats", accepted["chat_id"], "instructions")):
        status, told = await asking.call("PUT", *path, text="x" * 16_001)
        assert (status, told["code"], told["field"]) == (400, "invalid_field", "text")
        assert (await asking.call("PUT", *path, text="x" * 16_000))[0] == 204
    for wrong in ("", "x" * 1001, 5):
        frame = {"type": "send", "request_id": accepted["request_id"], "chat_id": None}
        await asking.page.send({**frame, "body": "Hi", "path": wrong})
        told = await asking.page.until("error")
        assert (told["code"], told["field"]) == ("invalid_field", "path")
    unknown = "00000000-0000-4000-8000-000000000000"
    assert (await asking.call("GET", "messages", unknown, "instructions"))[0] == 404
    user = accepted["user_message"]["id"]
    assert (await asking.call("GET", "messages", user, "instructions"))[0] == 404
    assert (await asking.call("PUT", "chats", unknown, "instructions", text=""))[0] == 404


async def test_an_export_tells_nothing_of_them_unless_it_is_asked_to(
    asking: Asking, jp_fetch: Any
) -> None:
    await asking.call("PUT", "instructions", text="A secret word.")
    accepted = await asking.send(path="secret folder/x.ipynb")
    (digest,) = [
        each
        for frame in asking.page.frames
        if frame["type"] == "message"
        for each in frame["message"].get("instructions", [])
    ][-1:]
    for form in ("md", "ipynb", "json"):
        where = ("chats", accepted["chat_id"], "export")
        response = await jp_fetch("api", "stop-chat", *where, params={"format": form})
        for secret in (b"secret", b"JupyterLab", digest.encode()):
            assert secret not in response.body
        query = {"format": form, "instructions": "1"}
        response = await jp_fetch("api", "stop-chat", *where, params=query)
        assert b"A secret word." in response.body
        if form == "json":
            body = response.body.decode()
            imported = await jp_fetch("api", "stop-chat", "chats", method="POST", body=body)
            chat_id = json.loads(imported.body)["id"]
            _, whole = await asking.call("GET", "chats", chat_id)
            assert "secret" not in json.dumps(whole)
            assert all("instructions" not in each for each in whole["messages"])


async def test_a_request_over_http_has_them_as_well(
    asking: Asking, jp_fetch: Any, root: Path, provider: OpenAIProvider
) -> None:
    (root / "AGENTS.md").write_text("Use polars.")
    await asking.call("PUT", "instructions", text="I know R.")
    body = json.dumps({"body": "Hi", "path": "x.ipynb"})
    await jp_fetch("api", "stop-chat", "generate", method="POST", body=body)
    (sent,) = system_of(provider.requests[-1])
    assert "I know R." in sent
    assert sent.endswith("Use polars.")


@TWO_PEOPLE
async def test_each_person_has_their_own(person: Any) -> None:
    anna, ben = await person("anna"), await person("ben")
    assert (await anna.call("PUT", "/instructions", {"text": "Hers."}))[0] == 204
    assert await ben.call("GET", "/instructions") == (200, {"text": ""})
    assert await anna.call("GET", "/instructions") == (200, {"text": "Hers."})
