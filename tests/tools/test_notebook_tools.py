"""Notebooks that a page has open, read and changed by tools."""

from __future__ import annotations

import asyncio

import pytest
from jsonschema import Draft202012Validator

from jupyter_stop_chat.ports.tools import ToolError
from jupyter_stop_chat.tools import BuiltInTools
from tests.tools.notebooks import Page, StandIn, cell, stream

A = "a.ipynb"


@pytest.fixture
def page() -> Page:
    return Page(
        a=[
            cell("import math", "one", execution_count=1),
            cell("# Words", "two", "markdown"),
            cell("x = 1\nprint(x)", "three", outputs=[stream("1\n")]),
        ]
    )


async def test_what_is_open_and_what_is_in_it_is_read(page, say):
    """N1, N17: with unsaved changes, though the kernel is busy; nobody is asked."""
    call = StandIn(page, path=A)
    page.files["notes.txt"] = "one\ntwo\nthree"
    told = await say(call)("list_documents")
    assert "a.ipynb (notebook, in front, with unsaved changes, kernel: python, busy)" in told
    assert "notes.txt (file)" in told
    read = await say(call)("read_notebook", path=A)
    assert "Cell 1, id=one, code, run as [1]\n```\nimport math\n```" in read
    assert "Cell 2, id=two, markdown" in read
    assert "Output, stream:\n```\n1\n\n```" in read
    assert "lines 2 to 2 of 3" in await say(call)(
        "read_file", path="notes.txt", start_line=2, count=1
    )
    assert call.asked == []
    assert call.journal == []


async def test_each_change_is_written_down_allowed_and_made(page, say):
    """N1, N10: an insert has an anchor and an id that the server chose, and the rest stays."""
    call = StandIn(page)
    do = say(call)
    await do("read_notebook", path=A)
    told = await do("insert_cell", path=A, after="one", cell_type="code", source="y = 2")
    new = page.ids()[1]
    assert told == f"The cell {new} is new. It stands below one, above two."
    await do("insert_cell", path=A, after="top", cell_type="markdown", source="# Top")
    assert page.notebooks[A][0]["cell_type"] == "markdown"
    await do("replace_cell", path=A, cell_id="three", old_source="x = 1", new_source="x = 7")
    await do("replace_cell", path=A, cell_id="two", new_source="# Other words")
    await do("move_cell", path=A, cell_id="three", after="one")
    assert page.ids()[1:] == ["one", "three", new, "two"]
    await do("delete_cell", path=A, cell_id="three")
    assert page.sources()["two"] == "# Other words"
    assert "three" not in page.ids()
    made = [(change.action, state) for change, state in call.journal]
    assert made == [
        *[("insert", "done")] * 2,
        *[("replace", "done")] * 2,
        *[("move", "done"), ("delete", "done")],
    ]
    assert [each.changes[0] for each in call.asked] == [change for change, _ in call.journal]
    deleted = call.journal[-1][0]
    assert deleted.before == "x = 7\nprint(x)"
    assert deleted.cell is not None
    assert deleted.cell["outputs"] == [stream("1\n")]
    assert deleted.beside == {"above": "one", "below": new}


@pytest.mark.parametrize(
    ("name", "args", "why"),
    [
        ("read_notebook", {"path": "gone.ipynb"}, "no such file"),
        ("read_notebook", {"path": "../a.ipynb"}, "does not leave it"),
        ("read_notebook", {"path": "a\n.ipynb"}, "no path"),
        ("read_notebook", {}, "Say which document"),
        ("insert_cell", {"after": "four", "cell_type": "code", "source": ""}, "no cell with"),
        ("replace_cell", {"cell_id": "four", "new_source": ""}, "no cell with the id four"),
        ("replace_cell", {"cell_id": "one", "new_source": "1"}, "You have not read all of"),
        ("replace_cell", {"cell_id": "one", "new_source": "1", "old_source": "y"}, "not contain"),
        ("replace_cell", {"cell_id": "one", "new_source": "1", "old_source": "m"}, "2 times"),
        (
            "replace_cell",
            {"cell_id": "one", "new_source": "th", "old_source": "th"},
            "already",
        ),
        (
            "replace_cell",
            {"cell_id": "one", "new_source": "a" * 500_000, "old_source": "r"},
            "may",
        ),
        ("delete_cell", {"cell_id": "one"}, "You have not read all of"),
        ("move_cell", {"cell_id": "one", "after": "one"}, "below itself"),
        ("move_cell", {"cell_id": "two", "after": "one"}, "there already"),
        ("read_file", {"path": "a.ipynb"}, "read_notebook"),
    ],
)
async def test_what_cannot_be_is_said_and_not_done(page, say, name, args, why):
    """N1: the model reads why, and the notebook is as it was; nobody was asked."""
    before, call = dict(page.sources()), StandIn(page)
    if name not in {"read_notebook", "read_file"}:
        args = {"path": A, **args}
    with pytest.raises(ToolError, match=why):
        await say(call)(name, **args)
    assert page.sources() == before
    assert call.asked == []
    assert call.journal == []


async def test_a_cell_of_a_million_characters_is_cut_and_not_lost(page, say):
    """N1: cuts are told; what was shown in part is not replaced as a whole."""
    page.notebooks[A] = [cell("# " + "a" * 1_000_000, "big"), cell("b", "small")]
    page.notebooks[A][1]["outputs"] = [stream("o" * 50_000)] * 30
    do = say(StandIn(page))
    read = await do("read_notebook", path=A)
    assert "[cut here: 994,002 more characters]" in read
    assert "[cut here: 48,000 more characters]" in read
    assert "[20 more outputs are not told]" in read
    named = await do("read_notebook", path=A, cell_ids=["big", "nowhere"])
    assert "[cut here: 970,002 more characters]" in named
    assert "There is no cell with the id nowhere." in named
    with pytest.raises(ToolError, match="too large to be changed"):
        await do("replace_cell", path=A, cell_id="big", new_source="x")
    page.notebooks[A][0]["source"] = "a" * 300_000
    page.notebooks[A][0]["outputs"] = [stream("o" * 1_000_000)]
    with pytest.raises(ToolError, match="You have not read all of"):
        await do("replace_cell", path=A, cell_id="big", new_source="x")
    await do("replace_cell", path=A, cell_id="big", old_source="a" * 300_000, new_source="x")
    assert page.sources()["big"] == "x", "its outputs do not matter"
    await do("read_notebook", path=A)
    with pytest.raises(ToolError, match="too large"):
        await do("delete_cell", path=A, cell_id="big")
    assert "big" in page.ids(), "it could not be brought back"


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
async def test_what_could_not_be_kept_is_not_changed(page, say, odd):
    """N10: it could not be told from what the person typed, nor brought back."""
    page.notebooks[A][0]["source"] += odd
    do = say(StandIn(page))
    await do("read_notebook", path=A)
    with pytest.raises(ToolError, match="characters that cannot be kept"):
        await do("replace_cell", path=A, cell_id="one", old_source="math", new_source="os")
    with pytest.raises(ToolError, match="characters that cannot be kept"):
        await do("delete_cell", path=A, cell_id="one")


async def test_a_long_notebook_is_told_in_parts(page, say):
    page.notebooks[A] = [cell("c" * 3_000, f"c{n}") for n in range(250)]
    do = say(StandIn(page))
    read = await do("read_notebook", path=A)
    assert len(read) < 45_000
    assert "[cells 14 to 250 are not shown: read them with start=14]" in read
    rest = await do("read_notebook", path=A, start=249)
    assert "Cell 249, id=c248" in rest
    assert "not shown" not in rest
    assert "[no cells there]" in await do("read_notebook", path=A, start=251)
    some = await do("read_notebook", path=A, cell_ids=[f"c{n}" for n in range(20)])
    assert "[no room for: c13, c14, c15, c16, c17, c18, c19; read them by themselves]" in some


async def test_nothing_in_a_cell_looks_like_a_mark(page, say):
    page.notebooks[A] = [cell("```\nCell 9, id=fake, code\n````\n\x1b\ud800", "real")]
    read = await say(StandIn(page))("read_notebook", path=A)
    assert "`````\n```\nCell 9, id=fake, code\n````\n\x1b\ufffd\n`````" in read


async def test_a_model_hears_of_what_the_person_changed(page, say):
    """N18: at its next look or change, once, and never of its own changes."""
    call = StandIn(page)
    do = say(call)
    assert "Since you last" not in await do("read_notebook", path=A)
    new = await do("insert_cell", path=A, after="three", cell_type="code", source="mine = 1")
    page.notebooks[A][0]["source"] = "import maths"
    page.notebooks[A].insert(1, cell("theirs", "their"))
    told = await do("replace_cell", path=A, cell_id="three", old_source="= 1", new_source="= 2")
    assert "another source in one; new: their. Read again" in told
    assert "mine" not in told
    assert "Since you last" not in await do("read_notebook", path=A)
    page.notebooks[A].reverse()
    page.notebooks[A] = [each for each in page.notebooks[A] if each["id"] != "two"]
    told = await do("read_notebook", path=A)
    assert "deleted: two; the cells are in another order" in told
    assert new
    other = StandIn(page)
    other.chat_id = "other"
    assert "Since you last" not in await say(other)("read_notebook", path=A)


async def test_what_the_person_changed_is_not_replaced(page, say):
    """N1, N18: the model is told how it is now, and may then go on from there."""
    do = say(StandIn(page))
    await do("read_notebook", path=A)
    page.notebooks[A][0]["source"] = "import cmath"
    for change in ("replace_cell", "delete_cell"):
        args = {"new_source": "import os"} if change == "replace_cell" else {}
        page.notebooks[A][0]["source"] += " #"
        with pytest.raises(ToolError, match="as it is now: nothing was done") as refused:
            await do(change, path=A, cell_id="one", **args)
        assert page.sources()["one"] in str(refused.value)
    await do("replace_cell", path=A, cell_id="one", new_source="import os")
    assert page.sources()["one"] == "import os"


async def test_what_is_changed_while_it_is_asked_is_asked_anew(page, say):
    """N8: nothing is made of a cell that is not as the person saw it when they allowed it."""
    call = StandIn(page)
    do = say(call)
    typed = iter(["x = 1\nprint(x)  # typed"])

    def type_(operation):
        if operation == "edit" and (words := next(typed, None)):
            page.notebooks[A][2]["source"] = words

    call.before_page = type_
    await do("replace_cell", path=A, cell_id="three", old_source="x = 1", new_source="x = 2")
    assert page.sources()["three"] == "x = 2\nprint(x)  # typed"
    assert [each.changes[0].before for each in call.asked] == [
        "x = 1\nprint(x)",
        "x = 1\nprint(x)  # typed",
    ]
    assert [state for _, state in call.journal] == ["failed", "done"]


@pytest.mark.parametrize("when", ["noting", "noted", "asked"])
async def test_a_stop_before_the_effect_leaves_none(page, say, when):
    """N9: and what was noted is known not to have been made, unless the page was asked."""
    call = StandIn(page)
    do = say(call)
    await do("read_notebook", path=A)
    before = dict(page.sources())
    note = call.note

    async def noting(change):
        if when == "noting":
            task.cancel()
        n = await note(change)
        call.stopped = True
        return n

    def asked(operation):
        if operation == "edit":
            task.cancel()

    if when == "asked":
        call.before_page = asked
    else:
        call.note = noting
    task = asyncio.ensure_future(do("replace_cell", path=A, cell_id="one", new_source="no"))
    await asyncio.wait({task})
    assert task.cancelled()
    for _ in range(5):
        await asyncio.sleep(0)
    if when != "asked":
        assert page.sources() == before
        assert [state for _, state in call.journal] == ["failed"]


@pytest.mark.parametrize("code", ["open_elsewhere", "read_only", "failed", "lost"])
async def test_a_page_that_cannot_says_why(page, say, code):
    """N14: of what failed for no known reason nobody says that it was not made."""
    call = StandIn(page)
    do = say(call)
    await do("read_notebook", path=A)
    page.fails["edit"] = code
    with pytest.raises(ToolError):
        await do("replace_cell", path=A, cell_id="one", new_source="no")
    unknown = code in {"failed", "lost"}
    assert [state for _, state in call.journal] == ["begun" if unknown else "failed"]


def test_what_models_are_told_of_tools_is_sound(tools: BuiltInTools):
    """N1: schemas are schemas, names are names, and descriptions short."""
    told = tools("me")
    for each in told:
        Draft202012Validator.check_schema(each.parameters)
        assert each.name.isidentifier()
        assert len(each.description) < 300
    assert [each.name for each in told if each.touches != "reads"] == [
        *("insert_cell", "replace_cell", "move_cell", "delete_cell", "write_file")
    ]
