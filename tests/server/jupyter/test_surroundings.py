"""What a server knows of where a person is, whatever its managers and a folder's maker do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import anyio._backends._asyncio  # noqa: F401 - else imported while the first file is read
import pytest
from jupyter_server.services.contents.filemanager import AsyncFileContentsManager

from jupyter_stop_chat.ports.instructions import RulesFile
from jupyter_stop_chat.server.jupyter.surroundings import ServerSurroundings


class Server:
    """A server's managers."""

    def __init__(self, root: Path) -> None:
        self.contents_manager: Any = AsyncFileContentsManager(root_dir=str(root))
        self.session_manager = self

    async def list_sessions(self) -> list[Any]:
        raise asyncio.CancelledError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / ".hidden").mkdir(parents=True)
    (tmp_path / "key").write_text("Secret.")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "RULES.md").write_text("Seen.")
    (made / ".hidden" / "key").write_text("Secret.")
    (made / "RULES.md").write_text("Seen.")
    return made


def about(root: Path) -> ServerSurroundings:
    return ServerSurroundings(cast("Any", Server(root)))


@pytest.mark.parametrize("target", ["../key", ".hidden/key", "nowhere", "AGENTS.md"])
async def test_a_link_to_what_is_hidden_or_outside_is_not_there(root: Path, target: str) -> None:
    """A project from elsewhere may bring one: what it leads to is sent to no provider."""
    (root / "AGENTS.md").symlink_to(target)
    assert await about(root).rules("x.ipynb") == []


async def test_a_link_to_a_file_beside_it_is_followed(root: Path) -> None:
    (root / "AGENTS.md").symlink_to("RULES.md")
    (root / "linked").symlink_to(root.parent / "project")
    (root.parent / "project" / "AGENTS.md").symlink_to("RULES.md")
    assert await about(root).rules("linked/x.ipynb") == [
        RulesFile("AGENTS.md", "Seen."),
        RulesFile("linked/AGENTS.md", "Seen."),
    ]


async def test_a_cancel_of_a_managers_own_is_a_failure_of_its_own(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends no reply, and says nothing of a stop."""
    asked = about(root)
    contents = asked._server.contents_manager
    (root / "AGENTS.md").write_text("Seen.")
    get = contents.get

    async def cancelled(path: str, content: bool = True, **more: Any) -> Any:
        if content:
            raise asyncio.CancelledError
        return await get(path, content, **more)

    monkeypatch.setattr(contents, "get", cancelled)
    fault = RulesFile("AGENTS.md", fault="it cannot be read")
    assert await asked.rules("x.ipynb") == [fault]
    assert await asked.language("x.ipynb") is None


@pytest.mark.parametrize("reacts", ["ends", "answers", "fails"])
async def test_a_stop_meanwhile_is_one(
    root: Path, monkeypatch: pytest.MonkeyPatch, reacts: str
) -> None:
    """Whatever a manager makes of the cancel: no further folder is looked into."""
    asked, begun = about(root), asyncio.Event()

    async def never(*args: Any, **more: Any) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if reacts == "answers":
                return {"size": 0}
            if reacts == "fails":
                raise OSError from None
            raise

    monkeypatch.setattr(asked._server.contents_manager, "get", never)
    task = asyncio.create_task(cast("Any", asked.rules("x.ipynb")))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
