"""Writes of files that fail in the middle, are stopped, or find a disk full."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import contextmanager

import pytest

from jupyter_stop_chat.ports.tools import ToolError
from jupyter_stop_chat.tools import documents
from tests.tools.notebooks import Page, StandIn

A = "notes.txt"
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def old(root):
    (root / A).write_bytes(b"one\r\ntwo\r\n")
    return root / A


def full_at(contents, monkeypatch, where):
    """Let a disk be full: for the copy of what is there, or in the middle of the text."""
    manager = contents._manager
    writing = manager.atomic_writing

    def refuse(*args, **more):
        raise FULL

    @contextmanager
    def full(os_path, *args, **more):
        with writing(os_path, *args, **more) as file:
            os.ftruncate(file.fileno(), 0)
            refuse()
            yield file

    if where == "copy":
        monkeypatch.setattr("jupyter_server.services.contents.fileio.copy2_safe", refuse)
    else:
        monkeypatch.setattr(manager, "atomic_writing", full)


@pytest.mark.parametrize("where", ["copy", "middle"])
async def test_a_disk_that_is_full_leaves_the_old_file_whole(
    root, old, contents, say, monkeypatch, where
):
    """N1, N10: the model is told, and the journal."""
    full_at(contents, monkeypatch, where)
    call = StandIn(Page())
    with pytest.raises(ToolError, match="could not be written, and is as it was"):
        await say(call)("write_file", path=A, old_text="two", new_text="2" * 100)
    assert old.read_bytes() == b"one\r\ntwo\r\n"
    assert [each.name for each in root.iterdir()] == [A]
    assert [state for _, state in call.journal] == ["failed"]


@pytest.mark.parametrize(
    "cut", [b"", b"one\r\n", b"one\r\n\xc3"], ids=["empty", "cut", "in a letter"]
)
async def test_a_file_that_was_cut_off_gets_its_text_back(old, contents, say, cut):
    """N10: a manager does not put it back where the end of what it wrote finds no room."""
    manager, times = contents._manager, []
    save = manager.save

    async def cuts(model, path):
        times.append(path)
        if len(times) == 1:
            await asyncio.to_thread(old.write_bytes, cut)
            raise FULL
        return await save(model, path)

    manager.save = cuts
    call = StandIn(Page())
    with pytest.raises(ToolError, match="could not be written, and is as it was"):
        await say(call)("write_file", path=A, old_text="two", new_text="ü")
    assert old.read_bytes() == b"one\r\ntwo\r\n"
    assert [state for _, state in call.journal] == ["failed"]


async def test_what_was_written_though_it_failed_is_done(old, contents, say):
    """N10: where a hook of the server fails behind it; what somebody else wrote stays."""
    manager = contents._manager
    save, writes = manager.save, [None, b"theirs"]

    async def fails(model, path):
        await save(model, path)
        if (other := writes.pop(0)) is not None:
            await asyncio.to_thread(old.write_bytes, other)
        raise RuntimeError("a hook failed")

    manager.save = fails
    call = StandIn(Page())
    await say(call)("write_file", path=A, old_text="two", new_text="2")
    assert old.read_bytes() == b"one\r\n2\r\n"
    with pytest.raises(ToolError, match="Nobody said whether this was done"):
        await say(call)("write_file", path=A, old_text="2", new_text="3")
    assert old.read_bytes() == b"theirs"
    assert [state for _, state in call.journal] == ["done", "begun"]


async def test_a_new_file_that_cannot_be_written(root, contents, say):
    """N10: it is not there, or nobody knows; its folder stays."""
    manager, save = contents._manager, contents._manager.save
    begins = [False, True]

    async def full(model, path):
        if model["type"] == "directory":
            return await save(model, path)
        if begins.pop(0):
            await asyncio.to_thread((root / path).touch)
        raise FULL

    manager.save = full
    call = StandIn(None)
    with pytest.raises(ToolError, match="could not be written"):
        await say(call)("write_file", path=f"new/{A}", text="x")
    assert os.listdir(root / "new") == []
    with pytest.raises(ToolError, match="Nobody said whether"):
        await say(call)("write_file", path=f"new/{A}", text="x")
    assert [state for _, state in call.journal] == ["failed", "begun"]


async def test_what_is_read_only_stays_as_it_is(root, old, contents, say):
    """N1: a file, and the folder of a new one."""
    contents._manager.is_writable = lambda path: False
    call = StandIn(Page())
    with pytest.raises(ToolError, match="read-only: nothing was done"):
        await say(call)("write_file", path=A, old_text="two", new_text="2")
    with pytest.raises(ToolError, match="read-only: nothing was done"):
        await say(call)("write_file", path="new/b.txt", text="2")
    assert old.read_bytes() == b"one\r\ntwo\r\n"
    assert os.listdir(root) == [A]
    assert [state for _, state in call.journal] == ["failed"]


@pytest.mark.parametrize("name", [A, "new/b.txt"])
async def test_a_stop_before_the_writing_leaves_everything_as_it_was(
    root, old, contents, say, name
):
    """N9: in the last step before it; no folder is made either."""
    call = StandIn(Page())
    about = contents._about
    args = {"text": "x"} if name != A else {"old_text": "two", "new_text": "2"}

    async def stopped(path):
        call.stopped = bool(call.journal)
        return await about(path)

    contents._about = stopped
    with pytest.raises(asyncio.CancelledError):
        await say(call)("write_file", path=name, **args)
    assert old.read_bytes() == b"one\r\ntwo\r\n"
    assert os.listdir(root) == [A]
    assert [state for _, state in call.journal] == ["failed"]


async def test_what_has_begun_is_written_to_its_end(root, old, contents, tools, say, monkeypatch):
    """N4, N9, N10: it is told as still running until then; the journal tells that it was made."""
    monkeypatch.setattr(documents, "WRITING_S", 0.01)
    call = StandIn(Page())
    begun, goes_on, save = asyncio.Event(), asyncio.Event(), contents._manager.save

    async def slow(model, path):
        begun.set()
        await goes_on.wait()
        return await save(model, path)

    contents._manager.save = slow
    writing = say(call)("write_file", path=A, old_text="two", new_text="2")
    task = asyncio.ensure_future(writing)
    await begun.wait()
    task.cancel()
    call.stopped = True
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [state for _, state in call.journal] == ["begun"]
    (left,) = call.left
    assert not left.done()
    goes_on.set()
    await tools.close()
    assert left.done()
    assert old.read_bytes() == b"one\r\n2\r\n"
    assert [state for _, state in call.journal] == ["done"]


async def test_what_is_soon_written_is_stopped_once_it_is(old, contents, tools, say):
    """N9, N12: so that the receipt counts it; nothing goes on behind that."""
    call = StandIn(Page())
    begun, save = asyncio.Event(), contents._manager.save

    async def slow(model, path):
        begun.set()
        await asyncio.sleep(0)
        return await save(model, path)

    contents._manager.save = slow
    task = asyncio.ensure_future(say(call)("write_file", path=A, old_text="two", new_text="2"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [state for _, state in call.journal] == ["done"]
    assert call.left == []
    assert old.read_bytes() == b"one\r\n2\r\n"
