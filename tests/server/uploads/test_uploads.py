"""Pictures and documents over HTTP: how they come in, whose they are, and what a model gets."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from jupyter_stop_chat.uploads.documents import Documents
from jupyter_stop_chat.wire.http import DocumentText
from jupyter_stop_chat.wire.objects import MAX_UPLOAD_BYTES
from tests.aids.knocking import knock, nothing_is_downloaded
from tests.pictures import drawn, opened
from tests.server.people.people import TWO_PEOPLE

__all__ = ["knock", "nothing_is_downloaded"]

PNG = drawn()
SAYS = 'import sys; sys.stdin.buffer.read(); print(\'{"text": "Words", "left_out": 3}\')'


def _attached(kept: Any, name: str = "plot.png", **more: Any) -> dict[str, Any]:
    return {"name": name, "text": "", "blob": kept["blob"], **more}


def _send(body: str = "Look", chat_id: str | None = None, **more: Any) -> dict[str, Any]:
    frame = {"type": "send", "request_id": str(uuid.uuid4()), "chat_id": chat_id, "body": body}
    return frame | {"model": "scripted:x", **more}


async def test_a_picture_is_kept_and_shown_with_safe_headers(jp_fetch: Any, upload: Any) -> None:
    """W21: what comes back is a picture, and nothing that a browser would run."""
    status, kept = await upload(drawn(form="JPEG") + b"<script>")
    assert status == 201
    assert kept == {**kept, "mime_type": "image/jpeg", "width": 40, "height": 30}
    shown = await jp_fetch("api", "stop-chat", "blobs", kept["blob"])
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"].startswith("sandbox")
    assert len(shown.body) == kept["size"]
    assert opened(shown.body).size == (40, 30)


@pytest.mark.parametrize(
    ("raw", "code", "status"),
    [
        (b"<svg/>", "no_picture", 415),
        (drawn(300, 300)[:-300], "broken_picture", 422),
    ],
)
async def test_what_is_none_is_refused(upload: Any, raw: bytes, code: str, status: int) -> None:
    answered, told = await upload(raw)
    assert (answered, told["code"]) == (status, code)


async def test_one_that_is_too_large_is_not_even_read(
    knock: Any, jp_auth_header: dict[str, str]
) -> None:
    """W21: by the length that it tells, and where it tells none, once that much has come."""
    head = (
        f"POST {knock.base_url}api/stop-chat/blobs HTTP/1.1\r\nHost: {knock.host}\r\n"
        f"Authorization: {jp_auth_header['Authorization']}\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", knock.port)
    writer.write(f"{head}Content-Length: 100000000\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"picture_too_large"' in answer
    writer.close()

    async def produce(write: Any) -> None:
        for _ in range(MAX_UPLOAD_BYTES // 2**20):
            await write(b"\0" * 2**20)
        await write(b"\0" * 40_000)

    url = f"http://{knock.host}{knock.base_url}api/stop-chat/blobs"
    request = HTTPRequest(url, "POST", jp_auth_header, body_producer=produce, request_timeout=60)
    answered = await AsyncHTTPClient().fetch(request, raise_error=False)
    assert (answered.code, json.loads(answered.body)["code"]) == (413, "picture_too_large")


@TWO_PEOPLE
async def test_uploads_that_break_off_leave_their_room(
    knock: Any, person: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W21: one owner has a share of what is taken in at once; who goes away is not counted."""
    from jupyter_stop_chat.server import uploads

    documents: Documents = (await app.services()).documents
    documents._command = (sys.executable, "-c", SAYS)
    people = [await person(name) for name in ("anna", "ben", "carl")]
    lines: list[Any] = []

    async def begin(name: str) -> None:
        for _ in range(uploads.SHARE):
            reader, writer = await asyncio.open_connection("127.0.0.1", knock.port)
            head = (
                f"POST {knock.base_url}api/stop-chat/documents?name=a.pdf HTTP/1.1\r\n"
                f"Host: {knock.host}\r\nX-User: {name}\r\nContent-Length: 1000\r\n\r\nhalf"
            )
            writer.write(head.encode())
            lines.append((reader, writer))

    async def until(count: int) -> None:
        while uploads.UPLOADS.now != count:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)

    async def tries() -> list[Any]:
        answers = [await each.call("POST", "/documents?name=a.pdf", {}) for each in people]
        return [(status, told.get("code")) for status, told in answers]

    refused, taken = (429, "too_many_uploads"), (200, None)
    await begin("anna")
    await until(uploads.SHARE)
    assert await tries() == [refused, taken, taken]
    # A file of the server is taken in as well.
    assert (await people[0].call("GET", "/documents?path=a.pdf"))[1]["code"] == refused[1]
    await begin("ben")
    await until(uploads.AT_ONCE)
    assert await tries() == [refused, refused, refused]
    for _, writer in lines:
        writer.close()
    await until(0)
    assert await tries() == [taken, taken, taken]
    # One that never comes to its end is not waited for.
    monkeypatch.setattr(uploads, "LONGEST_S", 0.05)
    await begin("anna")
    for reader, writer in lines[-uploads.SHARE :]:
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
    await until(0)
    assert not uploads.UPLOADS._of


@TWO_PEOPLE
async def test_what_is_worked_on_is_counted_though_nobody_waits(
    knock: Any, person: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W21: who cuts the line behind each file has no more of them read than others."""
    from jupyter_stop_chat.server import uploads

    documents: Documents = (await app.services()).documents
    go = asyncio.Event()
    began, cut = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def text(raw: bytes, *_: Any) -> DocumentText:
        began.release()
        await go.wait()
        return DocumentText(text="Words")

    closed = uploads.DocumentsHandler.on_connection_close

    def close(handler: Any) -> None:
        closed(handler)
        cut.release()

    monkeypatch.setattr(documents, "text", text)
    monkeypatch.setattr(uploads.DocumentsHandler, "on_connection_close", close)
    anna = await person("anna")
    for _ in range(uploads.SHARE):
        _, writer = await asyncio.open_connection("127.0.0.1", knock.port)
        head = f"POST {knock.base_url}api/stop-chat/documents?name=a.pdf HTTP/1.1\r\n"
        head += f"Host: {knock.host}\r\nX-User: anna\r\nContent-Length: 4\r\n\r\nfile"
        writer.write(head.encode())
        await began.acquire()
        writer.close()
        await cut.acquire()
    status, told = await anna.call("POST", "/documents?name=a.pdf", {})
    assert (status, told.get("code")) == (429, "too_many_uploads")
    go.set()
    while uploads.UPLOADS.now:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    assert (await anna.call("POST", "/documents?name=a.pdf", {}))[0] == 200


async def test_a_model_is_shown_what_was_sent(upload: Any, seeing: Any, connect: Any) -> None:
    """W22: the bytes; by name in words; again with the next prompt; without words as well."""
    handler = await seeing()
    page = await connect()
    (_, one), (_, two) = await upload(), await upload(drawn(60, 20, form="JPEG"))
    lies = {"mime_type": "text/html", "width": 9, "height": 9}
    await page.send(_send("", attachments=[_attached(one, **lies)]))
    accepted = await page.until("accepted")
    (told,) = accepted["user_message"]["attachments"]
    assert (told["mime_type"], told["width"], told["height"]) == ("image/png", 40, 30)
    await page.end_of(accepted["message"]["id"])
    assert handler.told[0] == ["[Picture: plot.png]"]
    assert [opened(each).size for each in handler.seen[0]] == [(40, 30)]
    chat_id = accepted["chat_id"]
    await page.send(_send("And?", chat_id, attachments=[_attached(two, "b.jpg")]))
    second = await page.until("accepted")
    await page.end_of(second["message"]["id"])
    assert [opened(each).size for each in handler.seen[1]] == [(40, 30), (60, 20)]
    assert handler.told[1][-1] == "And?\n\n[Picture: b.jpg]"
    # Edited, it keeps them; made anew, it is shown them again.
    edit = {"type": "edit", "message_id": second["user_message"]["id"], "body": ""}
    await page.send(edit | {"request_id": str(uuid.uuid4()), "model": "scripted:x"})
    third = await page.until("accepted")
    await page.end_of(third["message"]["id"])
    assert len(handler.seen[2]) == 2
    anew = {"type": "regenerate", "message_id": third["message"]["id"], "model": "scripted:x"}
    await page.send(anew | {"request_id": str(uuid.uuid4())})
    fourth = await page.until("accepted")
    await page.end_of(fourth["message"]["id"])
    assert handler.seen[3] == handler.seen[2]
    # Without any it is nothing.
    await page.send(edit | {"request_id": str(uuid.uuid4()), "keeps": []})
    assert (await page.until("error"))["code"] == "blank_prompt"


async def test_only_the_newest_pictures_of_a_long_chat_are_shown(
    upload: Any, seeing: Any, connect: Any
) -> None:
    """W22: the older ones are known by their names."""
    handler = await seeing()
    page = await connect()
    chat_id = None
    for at in range(3):
        pictures = [(await upload(drawn(30 + 10 * at + n, 20)))[1] for n in range(8)]
        attached = [_attached(each, f"{at}-{n}.png") for n, each in enumerate(pictures)]
        await page.send(_send("Look", chat_id, attachments=attached))
        accepted = await page.until("accepted")
        chat_id = accepted["chat_id"]
        await page.end_of(accepted["message"]["id"])
    assert [len(each) for each in handler.seen] == [8, 16, 20]
    assert opened(handler.seen[2][0]).width == 34
    assert "[Picture: 0-0.png]" in handler.told[2][0]


async def test_a_prompt_with_more_than_a_model_is_shown_is_refused(
    upload: Any, seeing: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W22: by its bytes, before anything is written; one that was taken in all the same fails."""
    handler = await seeing()
    page = await connect()
    kept = [(await upload(drawn(40 + each, 20)))[1] for each in range(2)]
    both = [_attached(each) for each in kept]
    most = "jupyter_stop_chat.engine.turn.pictures.MOST_BYTES"
    monkeypatch.setattr(most, sum(each["size"] for each in kept) - 1)
    await page.send(_send(attachments=both))
    told = await page.until("error")
    assert told["code"] == "too_much_to_see"
    assert "20 MB together" in told["message"]
    monkeypatch.setattr(most, sum(each["size"] for each in kept))
    await page.send(_send(attachments=both))
    accepted = await page.until("accepted")
    await page.end_of(accepted["message"]["id"])
    assert [len(each) for each in handler.seen] == [2]
    monkeypatch.setattr(most, kept[1]["size"])
    anew = {"type": "regenerate", "message_id": accepted["message"]["id"], "model": "scripted:x"}
    await page.send(anew | {"request_id": str(uuid.uuid4())})
    ended = await page.end_of((await page.until("accepted"))["message"]["id"])
    assert ended["error"]["code"] == "too_much_to_see"
    assert len(handler.seen) == 1


@pytest.mark.parametrize("takes", [False, None])
async def test_a_model_that_cannot_see_is_not_asked(
    upload: Any, seeing: Any, connect: Any, takes: bool | None
) -> None:
    """W22: nothing is written then; where nobody knows, it is sent."""
    handler = await seeing(takes)
    page = await connect()
    _, kept = await upload()
    await page.send(_send(attachments=[_attached(kept)]))
    if takes is None:
        await page.end_of((await page.until("accepted"))["message"]["id"])
        assert len(handler.seen[0]) == 1
        return
    assert (await page.until("error"))["code"] == "cannot_see"
    assert handler.told == []
    await page.send(_send("Without"))
    await page.end_of((await page.until("accepted"))["message"]["id"])


async def test_a_handler_that_knows_nothing_of_pictures_is_given_none(
    scripted: Any, upload: Any, connect: Any
) -> None:
    """W22: it would drop them without a word."""
    await scripted("Hello")
    page = await connect()
    _, kept = await upload()
    await page.send(_send(attachments=[_attached(kept)]))
    assert (await page.until("error"))["code"] == "cannot_see"


@TWO_PEOPLE
async def test_a_picture_of_anothers_is_like_one_that_is_not_there(
    person: Any, app: Any, seeing: Any
) -> None:
    """L4, W23: neither shown nor sent."""
    handler = await seeing()
    services = await app.services()
    anna, ben = await person("anna"), await person("ben")
    made = await services.pictures.made(PNG, "anna")
    await services.engine.pictures.keep("anna", made.picture, made.data)
    for digest in (made.picture.digest, "0" * 64):
        status, told = await ben.call("GET", f"/blobs/{digest}")
        assert (status, told["code"]) == (404, "unknown_picture")
        body = {"body": "Hi", "model": "scripted:x", "attachments": [_attached({"blob": digest})]}
        status, told = await ben.call("POST", "/generate", body)
        assert (status, told["code"]) == (404, "unknown_picture")
    assert handler.told == []
    status, _ = await anna.knock.answer("GET", f"/blobs/{made.picture.digest}", X_User="nobody")
    assert status == 404
