"""Rules files among the instructions: found, seen again, cut, and left out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tornado.web import HTTPError

from jupyter_stop_chat.instructions.built_in import built_in
from jupyter_stop_chat.server.jupyter import surroundings
from tests.aids.in_turn import in_turn
from tests.server.instructions.asking import Asking


async def test_a_rules_file_is_seen_again_when_it_changes(asking: Asking, root: Path) -> None:
    rules = root / "AGENTS.md"
    for said in ("One.", "Two."):
        rules.write_text(said)
        assert (await asking.sent(await asking.send(path="x.ipynb"))).endswith(f"\n{said}")
    rules.unlink()
    assert await asking.sent(await asking.send(path="x.ipynb")) == built_in()


@in_turn(
    ("path",),
    [
        ("../x.ipynb",),
        ("a/../../x.ipynb",),
        ("/../x.ipynb",),
        (".hidden/x.ipynb",),
        ("..\\x.ipynb",),
        ("a//x.ipynb",),
        ("nowhere/x.ipynb",),
        ("AGENTS.md/x.ipynb",),
        ("s3:bucket/x.ipynb",),
        ("a\0b/x.ipynb",),
    ],
)
async def test_what_is_hidden_or_outside_is_not_there(
    asking: Asking, root: Path, path: str
) -> None:
    (root / "a").mkdir(exist_ok=True)
    (root.parent / "AGENTS.md").write_text("Outside.")
    (root / ".hidden").mkdir(exist_ok=True)
    (root / ".hidden" / "AGENTS.md").write_text("Hidden.")
    assert await asking.sent(await asking.send(path=path)) == built_in()


async def test_a_large_file_is_cut_and_a_far_too_large_one_not_read(
    asking: Asking, root: Path, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "a").mkdir()
    (root / "AGENTS.md").write_text("\u00fc" * 40_000)
    with (root / "a" / "AGENTS.md").open("wb") as file:
        file.truncate(10 * 1024 * 1024)
    contents = app.serverapp.contents_manager
    get, read = contents.get, []

    async def noted(path: str, content: bool = True, **more: Any) -> Any:
        if content:
            read.append(path)
        return await get(path, content, **more)

    monkeypatch.setattr(contents, "get", noted)
    sent = await asking.sent(await asking.send(path="a/x.ipynb"))
    assert read == ["AGENTS.md"]
    assert sent == "\n\n".join(
        [
            built_in(),
            f"From the file AGENTS.md:\n{'ü' * surroundings.LONGEST}\n"
            f"[cut here: {40_000 - surroundings.LONGEST} more characters]",
            "From the file a/AGENTS.md:\n[left out: it has more than 1024 KiB]",
        ]
    )


async def test_what_is_no_text_or_cannot_be_read_says_so(
    asking: Asking, root: Path, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = root / "AGENTS.md"
    rules.write_bytes(b"\x89PNG\r\n\xff\xfe")
    sent = await asking.sent(await asking.send(path="x.ipynb"))
    assert sent.endswith("From the file AGENTS.md:\n[left out: it is no text]")
    rules.unlink()
    rules.mkdir()
    assert await asking.sent(await asking.send(path="x.ipynb")) == built_in()
    rules.rmdir()
    rules.write_text("Secret.")
    contents = app.serverapp.contents_manager
    get = contents.get

    async def refuse(path: str, content: bool = True, **more: Any) -> Any:
        if content:
            raise HTTPError(403, "Permission denied: /secret/path")
        return await get(path, content, **more)

    monkeypatch.setattr(contents, "get", refuse)
    sent = await asking.sent(await asking.send(path="x.ipynb"))
    assert sent.endswith("From the file AGENTS.md:\n[left out: it cannot be read]")
    assert "secret" not in sent


async def test_a_contents_manager_that_never_answers_holds_nothing_up(
    asking: Asking, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*args: Any, **more: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(surroundings, "PATIENCE_S", 0.0)
    monkeypatch.setattr(app.serverapp.contents_manager, "is_hidden", never)
    sent = await asking.sent(await asking.send(path="a/x.ipynb"))
    assert sent.endswith("[left out: it was not read in time]")
