"""What becomes of uploads: kept with their chat, brought out and in, and counted."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.uploads.documents import Documents
from jupyter_stop_chat.wire.objects import MAX_UPLOAD_BYTES
from tests.pictures import drawn, opened
from tests.server.uploads.test_uploads import SAYS, _attached, _send


async def test_a_chat_goes_out_and_comes_in_with_its_pictures(
    jp_fetch: Any, upload: Any, seeing: Any, connect: Any, app: Any
) -> None:
    """W23: as JSON and as a notebook with them, as Markdown by their names."""
    await seeing()
    page = await connect()
    _, kept = await upload()
    words = {"name": "a.txt", "text": "words", "kind": "context"}
    await page.send(_send(attachments=[_attached(kept), words]))
    accepted = await page.until("accepted")
    await page.end_of(accepted["message"]["id"])
    out = {}
    for form in ("json", "md", "ipynb"):
        answered = await jp_fetch(
            *("api", "stop-chat", "chats", accepted["chat_id"], "export"), params={"format": form}
        )
        out[form] = answered.body.decode()
    assert "Attached picture: plot.png (40 × 30)" in out["md"]
    assert len(out["md"]) < 500
    cell = json.loads(out["ipynb"])["cells"][1]
    assert "![](attachment:picture-0.png)" in cell["source"]
    inside = base64.b64decode(cell["attachments"]["picture-0.png"]["image/png"])
    assert opened(inside).size == (40, 30)
    await jp_fetch("api", "stop-chat", "chats", accepted["chat_id"], method="DELETE")
    store = (await app.services()).store
    assert await store.blobs.read("server", kept["blob"]) is None
    answered = await jp_fetch("api", "stop-chat", "chats", method="POST", body=out["json"])
    chat = json.loads(answered.body)
    (said, _) = await store.get_messages(chat["id"])
    (picture, words) = said.attachments
    assert (words.text, words.kind) == ("words", "context")
    assert await store.blobs.read("server", picture.blob) == inside
    # A file may have less than it names, or what is no picture.
    document = json.loads(out["json"])
    document["messages"][0]["attachments"][0]["kind"] = "context"
    lacks = json.dumps({**document, "pictures": {}})
    answered = await jp_fetch("api", "stop-chat", "chats", method="POST", body=lacks)
    (said, _) = await store.get_messages(json.loads(answered.body)["id"])
    assert said.attachments[0].blob is None
    assert "not in the file" in said.attachments[0].text
    assert said.attachments[0].kind == "context"
    bad = {kept["blob"]: base64.b64encode(b"words").decode()}
    answered = await jp_fetch(
        *("api", "stop-chat", "chats"),
        method="POST", body=json.dumps({**document, "pictures": bad}), raise_error=False,
    )  # fmt: skip
    assert json.loads(answered.body)["code"] == "no_picture"


async def test_no_more_pictures_go_out_than_come_in_again(
    jp_fetch: Any, upload: Any, seeing: Any, connect: Any, monkeypatch: Any
) -> None:
    """W23: by their number as well; the others are named, and not even read."""
    await seeing()
    page = await connect()
    kept = [(await upload(drawn(20 + each, 20)))[1] for each in range(3)]
    await page.send(_send(attachments=[_attached(each) for each in kept]))
    accepted = await page.until("accepted")
    await page.end_of(accepted["message"]["id"])
    monkeypatch.setattr("jupyter_stop_chat.server.chats.MAX_PICTURES", 2)
    answered = await jp_fetch(
        *("api", "stop-chat", "chats", accepted["chat_id"], "export"), params={"format": "json"}
    )
    exported = json.loads(answered.body)
    assert list(exported["pictures"]) == sorted(each["blob"] for each in kept[:2])
    assert len(exported["messages"][0]["attachments"]) == 3


async def test_an_owner_may_have_so_much(app: Any, upload: Any) -> None:
    """W23: counted by what is kept."""
    (await app.services()).engine.pictures._most = 200
    assert (await upload(drawn(20, 20)))[0] == 201
    status, told = await upload(drawn(21, 21))
    assert (status, told["code"]) == (409, "too_many_pictures")
    assert (await upload(drawn(20, 20)))[0] == 201


@pytest.mark.may_hold_the_loop("Jupyter Server imports what its contents need at their first use")
async def test_documents_of_the_person_and_of_the_server(
    app: Any, jp_fetch: Any, upload: Any, jp_root_dir: Path
) -> None:
    """W25: as words; a file of the server by the rules of its contents."""
    documents: Documents = (await app.services()).documents
    documents._command = (sys.executable, "-c", SAYS)
    assert await upload(b"%PDF", "documents", name="a.pdf") == (
        200,
        {"text": "Words", "left_out": 3},
    )
    assert (await upload(b"%PDF", "documents", name="a.exe"))[1]["code"] == "bad_document"

    def write() -> None:
        (jp_root_dir / "a.pdf").write_bytes(b"%PDF")
        (jp_root_dir / ".secret.pdf").write_bytes(b"%PDF")
        (jp_root_dir / "folder.pdf").mkdir()
        with (jp_root_dir / "large.pdf").open("wb") as large:
            large.truncate(MAX_UPLOAD_BYTES + 1)

    await asyncio.to_thread(write)

    async def read(path: str) -> Any:
        answered = await jp_fetch(
            *("api", "stop-chat", "documents"), params={"path": path}, raise_error=False
        )
        return json.loads(answered.body)

    assert (await read("a.pdf"))["text"] == "Words"
    for path in (".secret.pdf", "folder.pdf", "../outside.pdf", "nowhere.pdf", "/etc/passwd"):
        told = await read(path)
        assert told["code"] == "unknown_file", path
        assert str(jp_root_dir) not in json.dumps(told)
    assert (await read("large.pdf"))["code"] == "file_too_large"
    assert (await read(""))["code"] == "invalid_field"
