"""Documents that no page has open, read and changed through Jupyter Server's contents manager."""

from __future__ import annotations

import asyncio
import json
import os

import nbformat
import pytest

from jupyter_stop_chat.ports.contents import ContentsError
from jupyter_stop_chat.ports.tools import ToolError
from jupyter_stop_chat.tools.cells import Cells
from tests.tools.notebooks import Page, StandIn, cell, stream

A = "a.ipynb"


def notebook(*cells, minor=5, **more):
    told = {"language_info": {"name": "python"}}
    made = [dict(each) for each in cells]
    for each in made if minor < 5 else ():
        del each["id"]
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": told, "cells": made, **more}


def written(root, name=A):
    """Read a notebook that must be a valid one."""
    with (root / name).open(encoding="utf-8") as file:
        made = nbformat.read(file, as_version=4)
    nbformat.validate(made)
    return made


@pytest.fixture
def saved(root):
    cells = [cell("import math", "one"), cell("x = 1", "two", outputs=[stream("1\n")])]
    (root / A).write_text(json.dumps(notebook(*cells, cell("# End", "three", "markdown"))))
    return root / A


async def test_a_notebook_is_read_and_changed_as_it_is_saved(root, saved, say):
    """N1, N10: with the same words and the same journal as one that is open; it stays valid."""
    call = StandIn(Page())
    do = say(call)
    read = await do("read_notebook", path=A)
    assert "3 cells, python. It is open in no tab" in read
    assert "Output, stream:\n```\n1\n" in read
    told = await do("insert_cell", path=A, after="one", cell_type="code", source="y = 2")
    new = call.journal[0][0].cell_id
    assert told == f"The cell {new} is new. It stands below one, above two."
    await do("insert_cell", path=A, after="three", cell_type="markdown", source="# Bye")
    await do("replace_cell", path=A, cell_id="two", old_source="1", new_source="7")
    await do("move_cell", path=A, cell_id="three", after="top")
    await do("delete_cell", path=A, cell_id="one")
    assert [each["id"] for each in written(root).cells][:3] == ["three", new, "two"]
    assert written(root).cells[2]["source"] == "x = 7"
    assert written(root).cells[2]["outputs"][0]["text"] == "1\n"
    assert {state for _, state in call.journal} == {"done"}
    assert "Since you last" not in await do("read_notebook", path=A)


async def test_a_notebook_of_an_older_format_has_ids_that_last(root, say):
    """N1: they are the same at each look, and are written with the first change."""
    cells = [cell("a"), cell("a"), cell("b", kind="markdown")]
    (root / A).write_text(json.dumps(notebook(*cells, minor=2)))
    before = (root / A).read_bytes()
    do = say(StandIn(Page()))
    read = await do("read_notebook", path=A)
    assert read == await do("read_notebook", path=A)
    assert (root / A).read_bytes() == before
    ids = [part.split(", ")[0] for part in read.split("id=")[1:]]
    assert len(set(ids)) == 3
    await do("replace_cell", path=A, cell_id=ids[1], new_source="c")
    assert written(root).nbformat_minor == 5
    assert [each["id"] for each in written(root).cells] == ids
    assert [each["source"] for each in written(root).cells] == ["a", "c", "b"]


@pytest.mark.filterwarnings("ignore:Non-unique cell id", "ignore:Cell is missing an id")
async def test_cells_without_an_id_of_their_own_are_changed_by_the_one_they_are_told_by(root, say):
    """N1: a notebook that is not quite valid has some without, or one twice."""
    cells = [cell("a", "twice"), cell("b", "twice"), cell("c")]
    del cells[2]["id"]
    for each in range(3):
        (root / A).write_text(json.dumps(notebook(*cells)))
        do = say(StandIn(Page()))
        read = await do("read_notebook", path=A)
        ids = [part.split(", ")[0] for part in read.split("id=")[1:]]
        await do("replace_cell", path=A, cell_id=ids[each], new_source="new")
        assert [now["id"] for now in written(root).cells] == ids
        assert written(root).cells[each]["source"] == "new"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
async def test_a_notebook_is_not_written_by_a_link_behind_a_page(root, saved, say):
    """N6: a page may have it open by its own path, with what is not saved; the model is told."""
    (root / "beside").symlink_to(".")
    before = saved.read_bytes()
    call = StandIn(Page())
    with pytest.raises(ToolError, match=r"own path: a\.ipynb$"):
        await say(call)(
            "insert_cell", path="beside/a.ipynb", after="top", cell_type="code", source="x"
        )
    assert saved.read_bytes() == before
    assert [state for _, state in call.journal] == ["failed"]


async def test_two_changes_at_once_are_both_made(root, saved, tools, say):
    first, second = StandIn(Page()), StandIn(Page())
    await asyncio.gather(
        say(first)("insert_cell", path=A, after="one", cell_type="code", source="a"),
        say(second)("insert_cell", path=A, after="two", cell_type="code", source="b"),
    )
    assert [each["source"] for each in written(root).cells] == [
        *("import math", "a", "x = 1", "b", "# End")
    ]
    await tools.close()


@pytest.mark.parametrize("looks", [1, 2], ids=["before it is read", "before it is written"])
async def test_what_somebody_else_writes_meanwhile_stays(root, saved, contents, say, looks):
    """N1: the model is told, and may go on from there."""
    call = StandIn(Page())
    do = say(call)
    await do("read_notebook", path=A)
    about, seen = contents._about, []

    async def written_meanwhile(path):
        found = await about(path)
        seen.extend(["look"] if call.journal else [])
        if len(seen) == looks:
            other = json.dumps(notebook(cell("theirs", "one"), cell("x = 1", "two")))
            await asyncio.to_thread(saved.write_text, other)
        return await about(path) if len(seen) == looks else found

    contents._about = written_meanwhile
    with pytest.raises(ToolError, match="nothing was done"):
        await do("replace_cell", path=A, cell_id="one", new_source="mine")
    assert written(root).cells[0]["source"] == "theirs"
    assert [state for _, state in call.journal] == ["failed"]
    assert "theirs" in await do("read_notebook", path=A)
    await do("replace_cell", path=A, cell_id="one", new_source="mine")
    assert written(root).cells[0]["source"] == "mine"


async def test_a_stop_before_the_writing_leaves_the_file_as_it_was(root, saved, contents, say):
    """N9: in the last step before it; and what has begun is written to its end."""
    call = StandIn(Page())
    do = say(call)
    await do("read_notebook", path=A)
    before, manager = saved.read_bytes(), contents._manager
    about = contents._about

    async def stopped(path):
        found = await about(path)
        call.stopped = bool(call.journal)
        return found

    contents._about = stopped
    replacing = do("replace_cell", path=A, cell_id="one", new_source="mine")
    with pytest.raises(asyncio.CancelledError):
        await replacing
    assert saved.read_bytes() == before
    assert [state for _, state in call.journal] == ["failed"]

    call.stopped, contents._about = False, about
    begun, goes_on, save = asyncio.Event(), asyncio.Event(), manager.save

    async def slow(model, path):
        begun.set()
        await goes_on.wait()
        return await save(model, path)

    manager.save = slow
    task = asyncio.ensure_future(do("replace_cell", path=A, cell_id="one", new_source="mine"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.journal[-1][1] == "begun"
    goes_on.set()


async def test_what_had_begun_is_waited_for_at_the_end(root, saved, contents, tools, say):
    """N9: and the journal tells that it was made."""
    call = StandIn(Page())
    manager = contents._manager
    begun, goes_on, save = asyncio.Event(), asyncio.Event(), manager.save

    async def slow(model, path):
        begun.set()
        await goes_on.wait()
        return await save(model, path)

    manager.save = slow
    args = {"path": A, "after": "one", "cell_type": "code", "source": "y"}
    task = asyncio.ensure_future(say(call)("insert_cell", **args))
    await begun.wait()
    task.cancel()
    asyncio.get_running_loop().call_later(0, goes_on.set)
    await asyncio.wait({task})
    await tools.close()
    assert [each["source"] for each in written(root).cells][1] == "y"
    assert [state for _, state in call.journal] == ["done"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "no notebook, or it is broken"),
        (b"{}", "no notebook, or it is broken"),
        (b"\xff\xfe", "no notebook, or it is broken"),
        (b'{"cells": 1, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "no notebook"),
        (b"", "too large to be worked on as a file"),
    ],
    ids=["cut off", "empty", "binary", "no cells", "50 MB"],
)
async def test_a_file_that_is_no_notebook(root, say, content, why):
    """N1: the model reads why, and nothing of 50 MB is read into memory."""
    (root / A).write_bytes(content)
    if not content:
        os.truncate(root / A, 50 * 1024 * 1024)
    do = say(StandIn(Page()))
    with pytest.raises(ToolError, match=why):
        await do("read_notebook", path=A)
    with pytest.raises(ToolError, match=why):
        await do("insert_cell", path=A, after="top", cell_type="code", source="x")


async def test_a_manager_that_fails_says_nothing_of_how(root, saved, contents, say):
    """Nothing of an exception or a path of the machine reaches the model."""

    async def broken(*args, **more):
        raise OSError(f"{root} is on fire")

    call = StandIn(None)
    contents._manager.save = broken
    with pytest.raises(ToolError, match=r"^Nobody said whether this was done"):
        await say(call)("insert_cell", path=A, after="one", cell_type="code", source="x")
    assert [state for _, state in call.journal] == ["begun"], "nobody knows how far it came"
    contents._manager.get = broken
    with pytest.raises(ToolError, match=r"^This could not be done") as failed:
        await say(call)("read_notebook", path=A)
    assert str(root) not in str(failed.value)


async def test_a_file_that_is_read_only_stays_as_it_is(saved, contents, say):
    call = StandIn(Page())
    before = saved.read_bytes()
    contents._manager.is_writable = lambda path: False
    with pytest.raises(ToolError, match="read-only: nothing was done"):
        await say(call)("insert_cell", path=A, after="one", cell_type="code", source="x")
    assert saved.read_bytes() == before
    assert [state for _, state in call.journal] == ["failed"]


async def test_files_are_read_by_lines(root, say):
    do = say(StandIn(Page()))
    (root / "a.txt").write_text("\n".join(f"line {n}" for n in range(1, 20_001)))
    (root / "wide.txt").write_text("w" * 100_000)
    (root / "binary.dat").write_bytes(bytes(range(256)))
    (root / "empty.txt").write_text("")
    (root / "large.txt").write_bytes(b"x" * (4 * 1024 * 1024 + 1))
    (root / "folder").mkdir()
    read = await do("read_file", path="/a.txt")
    assert "a.txt: lines 1 to 4110 of 20000. It is open in no tab" in read
    assert "[there is more: read it with start_line=4111]" in read
    assert "line 20000" in await do("read_file", path="./a.txt", start_line=20_000)
    assert "lines 0 to 20000" not in await do("read_file", path="a.txt", start_line=1_000_000)
    assert "[the rest of this line is cut]" in await do("read_file", path="wide.txt")
    assert "lines 0 to 0 of 0" in await do("read_file", path="empty.txt")
    for name, why in {
        "binary.dat": "no file of text",
        "large.txt": "too large",
        "folder": "no file of text",
        "gone.txt": "no such file",
    }.items():
        with pytest.raises(ToolError, match=why):
            await do("read_file", path=name)
    told = await do("list_documents", folder="")
    assert "- folder (directory)" in told
    assert "- large.txt (file, 4,194,305 bytes)" in told
    with pytest.raises(ToolError, match="no such file"):
        await do("list_documents", folder="nowhere")


async def test_a_text_is_found_in_files_and_in_cells(root, saved, say):
    do = say(StandIn(Page()))
    (root / "b").mkdir()
    (root / "b" / "lib.py").write_text('"""Ünï."""\n\nimport math\n')
    (root / "b" / "odd.ipynb").write_text('{"cells": [1], "import math": 2}')
    (root / "node_modules").mkdir()
    (root / "node_modules" / "lib.py").write_text("import math")
    found = await do("search_files", text="IMPORT math")
    assert "Found in 3 files" in found
    assert "a.ipynb, cell one, line 1: import math" in found
    assert "b/lib.py, line 3: import math" in found
    assert "node_modules" not in found
    assert "b/lib.py, line 1" in await do("search_files", text="ÜNÏ", folder="b", files="*.py")
    assert "Not found in 0 files" in await do("search_files", text="math", files="*.txt")
    (root / "many.txt").write_text("hit\n" * 1000)
    found = await do("search_files", text="hit")
    assert found.count("many.txt, line") == 60


async def test_a_search_ends(root, contents, say, monkeypatch):
    """It is bounded by files, by folders and by time."""
    do = say(StandIn(Page()))
    for n in range(5):
        (root / f"f{n}").mkdir()
        (root / f"f{n}" / "a.txt").write_text("nothing")
    monkeypatch.setattr("jupyter_stop_chat.tools.files.MOST_FILES", 3)
    assert "[left out: the rest: 3 files are enough]" in await do("search_files", text="x")
    monkeypatch.setattr("jupyter_stop_chat.tools.files.MOST_FOLDERS", 2)
    assert "[left out: the rest: 2 folders are enough]" in await do("search_files", text="x")
    monkeypatch.setattr("jupyter_stop_chat.tools.files.LONGEST_S", 0.0)
    assert "it took too long]" in await do("search_files", text="x")


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
async def test_what_leads_away_is_apart(root, contents):
    """N19: a project from elsewhere may bring a link, also to a folder."""
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "words.txt").write_text("Secret.")
    (root / ".hidden").mkdir()
    (root / ".hidden" / "words.txt").write_text("Secret.")
    (root / "words.txt").write_text("Seen.")
    (root / "away").symlink_to(outside)
    (root / "file.txt").symlink_to(outside / "words.txt")
    (root / "hidden.txt").symlink_to(".hidden/words.txt")
    (root / "beside.txt").symlink_to("words.txt")
    (root / "itself").symlink_to(".")
    apart = {entry.path: entry.apart for entry in await contents.folder("")}
    assert apart == {
        "away": True,
        "file.txt": True,
        "hidden.txt": True,
        "beside.txt": False,
        "itself": False,
        "words.txt": False,
    }
    assert (await contents.look("away/words.txt")).apart
    with pytest.raises(ContentsError, match="missing"):
        await contents.text(".hidden/words.txt", 100)


def test_cells_of_any_kind_are_read():
    """What a notebook may hold besides what is usual: nothing of it fails."""
    error = {
        "output_type": "error",
        "ename": "E",
        "evalue": "v",
        "traceback": ["\x1b[31mred\x1b[0m"],
    }
    data = {"text/plain": ["a", "b"], "image/png": "aGk=", "text/html": "<b>"}
    outputs = [error, {"output_type": "execute_result", "data": data, "metadata": {}}]
    outputs += [{"output_type": "odd"}, {**error, "traceback": None}]
    cells = [cell(["x\n", "y"], "one", outputs=outputs), {"cell_type": "odd"}, cell("", "one")]
    read = Cells({"cells": cells, "metadata": {"kernelspec": {"language": "R"}}}).read(100)
    assert read["language"] == "R"
    assert len({each["id"] for each in read["cells"]}) == 3
    first = read["cells"][0]
    assert first["source"] == "x\ny"
    assert [each["type"] for each in first["outputs"]] == ["error", "result", "display", "error"]
    assert [each["text"] for each in first["outputs"]] == ["red", "ab", "", "E: v"]
    assert first["outputs"][1]["mime"] == ["text/plain", "image/png", "text/html"]
