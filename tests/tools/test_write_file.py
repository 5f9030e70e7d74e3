"""The tool that writes files: what is new, what is replaced, and what is refused."""

from __future__ import annotations

import asyncio
import os

import pytest

from jupyter_stop_chat.ports.tools import Asking, ToolError
from tests.tools.notebooks import Page, StandIn

A = "notes.txt"


def on_disk(root, name=A):
    return (root / name).read_bytes()


def put(root, content, name=A):
    (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())


async def test_an_open_file_is_written_where_it_is_open(root, say):
    """N1, N6, N8, N10: it begins from what is not saved; the page saves it."""
    page = Page()
    page.files[A] = "mine, not saved\nold\n"
    put(root, "as it was saved\n")
    call = StandIn(page)
    do = say(call)
    assert await do("write_file", path=A, old_text="old", new_text="new") == f"{A} is written."
    assert page.files[A] == "mine, not saved\nnew\n"
    assert on_disk(root) == b"as it was saved\n"
    ((change, state),) = call.journal
    assert (change.action, change.before, change.after, state) == (
        *("write", "mine, not saved\nold\n", "mine, not saved\nnew\n"),
        "done",
    )
    assert [each.changes for each in call.asked] == [(change,)]
    page.saves = False
    assert "could not be saved" in await do("write_file", path=A, old_text="new", new_text="old")


async def test_a_file_that_is_open_nowhere_is_written_as_it_is_saved(root, say):
    """N1, N10: and the next part is written by what the model wrote itself."""
    put(root, "one\ntwo\n")
    call = StandIn(Page())
    do = say(call)
    with pytest.raises(ToolError, match=r"not read all of this file.*It is:\n```\none\ntwo"):
        await do("write_file", path=A, text="all of it\n")
    assert call.asked == []
    await do("write_file", path=A, text="all of it\n")
    assert on_disk(root) == b"all of it\n"
    await do("write_file", path=A, old_text="all", new_text="most")
    await do("write_file", path=A, text="")
    assert on_disk(root) == b""
    await do("write_file", path=A, text="from nothing")
    assert on_disk(root) == b"from nothing"
    assert [state for _, state in call.journal] == ["done"] * 4
    assert call.journal[2][0].before == "most of it\n"
    assert call.journal[2][0].after == ""


async def test_a_new_file_is_written_and_its_folders_are_made(root, say):
    """N1, N8: as a person expects it; where it goes is in the question, and it is said."""
    call = StandIn(None)
    do = say(call)
    told = await do("write_file", path="/a/./b/new.bat", text="one\r\ntwo")
    assert told == (
        "The new file a/b/new.bat is written. There was no such folder: a, a/b is new, too."
    )
    assert on_disk(root, "a/b/new.bat") == b"one\r\ntwo"
    (change,) = call.asked[0].changes
    assert (change.path, change.before, change.after) == ("a/b/new.bat", None, "one\r\ntwo")
    assert not call.asked[0].always_asked
    await do("write_file", path="a/b/new.bat", text="three")
    assert on_disk(root, "a/b/new.bat") == b"three"


async def test_a_long_file_is_replaced_once_all_of_it_was_read(root, say):
    """N1: in parts, in order; a line that was cut was not read."""
    text = "".join(f"line {n}\n" for n in range(1, 9001))
    put(root, text)
    do = say(StandIn(Page()))
    unread = pytest.raises(ToolError, match=r"nothing was done\. Read it with read_file")
    with unread:
        await do("write_file", path=A, text="short")
    read = await do("read_file", path=A)
    assert "start_line=4111]" in read
    await do("read_file", path=A, start_line=8700)
    with unread:
        await do("write_file", path=A, text="short")
    await do("read_file", path=A, start_line=4111)
    with unread:
        await do("write_file", path=A, text="short")
    await do("read_file", path=A, start_line=8100)
    put(root, text + "theirs\n")
    with unread:
        await do("write_file", path=A, text="short")
    assert "Somebody else changed this file" in await do("read_file", path=A, start_line=9001)
    put(root, "a" * 50_000)
    await do("read_file", path=A)
    with unread:
        await do("write_file", path=A, text="short")
    put(root, text)
    for start in (1, 4111, 8100):
        await do("read_file", path=A, start_line=start)
    await do("write_file", path=A, text="short")
    assert on_disk(root) == b"short"


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (b"a\r\nb\r\nc\r\n", "a\nb", "a\nx\ny", b"a\r\nx\r\ny\r\nc\r\n"),
        (b"a\r\nb", "b", "c", b"a\r\nc"),
        (b"\xef\xbb\xbfa\nb\n", "a", "c", b"\xef\xbb\xbfc\nb\n"),
        (b"a\r\nb\r\n", "a\r\nb\r\n", "c\r\n", b"c\r\n"),
        ("ü 😀\n".encode(), "😀", "🎉", "ü 🎉\n".encode()),
    ],
    ids=["CRLF", "no end", "BOM", "CRLF from the model", "two units"],
)
async def test_how_a_file_is_written_stays(root, say, before, old, new, after):
    """N1: the ends of its lines, the mark at its beginning, and no end behind its last line."""
    put(root, before)
    await say(StandIn(Page()))("write_file", path=A, old_text=old, new_text=new)
    assert on_disk(root) == after
    if before.startswith(b"\xef\xbb\xbf"):
        await say(StandIn(Page()))("read_file", path=A)
    put(root, before)


async def test_the_mark_at_the_beginning_stays_where_all_is_replaced(root, say):
    put(root, b"\xef\xbb\xbfa")
    do = say(StandIn(Page()))
    assert "```\na\n```\n[the last line has no end]" in await do("read_file", path=A)
    await do("write_file", path=A, text="b\n")
    assert on_disk(root) == b"\xef\xbb\xbfb\n"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"path": "a.ipynb", "text": "x"}, "This is a notebook: .* insert_cell"),
        ({"path": "b/New.IPYNB. ", "text": "x"}, "This is a notebook"),
        ({"path": "folder", "text": "x"}, "This is a folder"),
        ({"path": "latin.txt", "text": "x"}, "no file of text in UTF-8"),
        ({"path": "nul.txt", "old_text": "a", "new_text": "b"}, "characters that cannot be kept"),
        ({"path": "huge.txt", "old_text": "a", "new_text": "b"}, "too large"),
        ({"path": "long.txt", "old_text": "b", "new_text": "c"}, "more than 400,000 characters"),
        ({"path": A, "text": "a" * 400_001, "old_text": None}, "may have 400,000 characters"),
        ({"path": "new.txt", "text": "a" * 400_001}, "may have 400,000 characters"),
        ({"path": A}, "Give either text"),
        ({"path": A, "text": "x", "old_text": "a", "new_text": "b"}, "Give either text"),
        ({"path": A, "old_text": "a"}, "Give either text"),
        ({"path": A, "text": "x", "new_text": "b"}, "Give either text"),
        ({"path": A, "old_text": "one", "new_text": "one"}, "has that text already"),
        ({"path": A, "old_text": "o", "new_text": "x"}, "is in this file 2 times"),
        ({"path": A, "old_text": "", "new_text": "x"}, "does not contain old_text"),
        ({"path": A, "old_text": "three", "new_text": "x"}, "It is:\n```\none\ntwo"),
        ({"path": "new.txt", "old_text": "a", "new_text": "b"}, "There is no such file. Give"),
        ({"path": f"{A}/new.txt", "text": "x"}, "part of this path is no folder"),
        ({"path": "../new.txt", "text": "x"}, "does not leave it"),
        ({"path": "a\x00b", "text": "x"}, "no path of a file"),
        ({"path": "ü" * 130, "text": "x"}, "too long for a file"),
        ({"path": ".env", "text": "x"}, "shows no hidden files"),
        ({"path": ".new/x.txt", "text": "x"}, "shows no hidden files"),
    ],
)
async def test_what_cannot_be_is_said_and_not_done(root, say, args, why):
    """N1, N19: the model reads why; nothing is written, nobody is asked."""
    put(root, "one\ntwo\n")
    put(root, b"caf\xe9", "latin.txt")
    put(root, b"a\0", "nul.txt")
    put(root, b"", "huge.txt")
    os.truncate(root / "huge.txt", 50 * 1024 * 1024)
    put(root, "b" + "a" * 400_000, "long.txt")
    (root / "folder").mkdir()
    before = {each: each.stat().st_mtime_ns for each in sorted(root.rglob("*"))}
    call = StandIn(Page())
    do = say(call)
    await do("read_file", path=A)
    with pytest.raises(ToolError, match=why):
        await do("write_file", **args)
    assert {each: each.stat().st_mtime_ns for each in sorted(root.rglob("*"))} == before
    assert (call.asked, call.journal) == ([], [])


async def test_odd_characters(root, say):
    """N1: names that can be are written; half a pair becomes what can be kept."""
    do = say(StandIn(Page()))
    for name in ("a b.txt", "Ä%23?#.txt", "-rf", "日本/語.txt", "a'\"$(x).txt"):
        await do("write_file", path=name, text="x\ud800y")
        assert on_disk(root, name) == "x\ufffdy".encode()


async def test_what_the_server_reads_as_a_notebook_is_none_of_its_files(root, contents, say):
    """N19: as with jupytext, on the server and in a page; its cells have their own tools."""
    put(root, "# %%\n1\n", "a.py")
    get = contents._manager.get

    async def notebooks(path, **more):
        return {**await get(path, **more), **({"type": "notebook"} if path == "a.py" else {})}

    contents._manager.get = notebooks
    with pytest.raises(ToolError, match="This is a notebook"):
        await say(StandIn(None))("write_file", path="a.py", old_text="1", new_text="2")
    page = Page()
    page.notebooks["b.py"] = []
    with pytest.raises(ToolError, match="This is a notebook"):
        await say(StandIn(page))("write_file", path="b.py", old_text="1", new_text="2")


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
async def test_links(root, say):
    """N6, N19: inside the root by the file's own name alone; out of it it is asked each time."""
    (root.parent / "outside").mkdir()
    put(root, "one")
    (root / "link.txt").symlink_to(A)
    (root / "here").symlink_to(".")
    (root / "away").symlink_to("../outside")
    (root / "nowhere.txt").symlink_to("../outside/new.txt")
    (root / "book.txt").symlink_to("a.ipynb")
    put(root, "{}", "a.ipynb")
    call = StandIn(Page())
    do = say(call)
    for path, own in {
        "link.txt": A,
        f"here/{A}": A,
        "here/new.txt": "new.txt",
        "book.txt": "a.ipynb",
    }.items():
        with pytest.raises(ToolError, match=f"is a link: .* own path: {own}$"):
            await do("write_file", path=path, text="two")
    assert call.asked == []
    await do("write_file", path="away/new.txt", text="x")
    await do("write_file", path="nowhere.txt", old_text="x", new_text="y")
    assert [each.always_asked for each in call.asked] == [True, True]
    assert on_disk(root.parent, "outside/new.txt") == b"y"
    assert on_disk(root) == b"one"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
async def test_a_link_that_comes_to_be_after_it_was_allowed(root, tools):
    """N8, N19: it was allowed for another place, and is asked for anew, each time."""
    (root / "folder").mkdir()
    (root.parent / "outside").mkdir()
    call = StandIn(Page())
    (tool,) = [each for each in tools("me") if each.name == "write_file"]
    args = {"path": "folder/new.txt", "text": "x"}
    call.proposal = await tool.propose(call, args)
    assert not call.proposal.always_asked
    (root / "folder").rmdir()
    (root / "folder").symlink_to("../outside")
    with pytest.raises(Asking):
        await tool.run(call, args)
    assert (await tool.propose(call, args)).always_asked
    assert list((root.parent / "outside").iterdir()) == []


@pytest.mark.parametrize(
    "path", ["jupyter_server_config.py", "my_secret.txt", "mcp.json", "id_rsa"]
)
async def test_settings_and_keys_are_asked_for_each_time(root, say, path):
    """N19: no rule allows them, whether they are there or new."""
    call = StandIn(Page())
    await say(call)("write_file", path=path, text="x")
    await say(call)("write_file", path=path, old_text="x", new_text="y")
    assert [each.always_asked for each in call.asked] == [True, True]


async def test_hidden_files_are_asked_for_each_time_where_the_server_shows_them(
    root, contents, say
):
    """N19."""
    contents._manager.allow_hidden = True
    call = StandIn(Page())
    await say(call)("write_file", path=".config/a.txt", text="x")
    assert [each.always_asked for each in call.asked] == [True]
    assert on_disk(root, ".config/a.txt") == b"x"


async def test_what_changes_after_it_was_allowed_is_asked_anew(root, say):
    """N8: with what it has become, on the page and in the file; all of it must be read again."""
    page = Page()
    call = StandIn(page)
    do = say(call)
    for where in ("page", "file"):
        call.asked.clear()
        put(root, "one\ntwo\n")
        if where == "page":
            page.files[A] = "one\ntwo\n"

        async def changed(operation, where=where):
            if operation == "write" and len(call.asked) == 1:
                if where == "page":
                    page.files[A] = "one\ntwo\ntheirs\n"
                else:
                    await asyncio.to_thread(put, root, "one\ntwo\ntheirs\n")

        call.before_page = changed
        await do("write_file", path=A, old_text="two", new_text="2")
        assert [each.changes[0].before for each in call.asked] == [
            *("one\ntwo\n", "one\ntwo\ntheirs\n")
        ]
        now = page.files.pop(A) if where == "page" else on_disk(root).decode()
        assert now == "one\n2\ntheirs\n"
        states = [state for _, state in call.journal]
        assert states[-2:] == ["failed", "done"]
    put(root, "mine")
    await do("read_file", path=A)
    call.asked.clear()
    call.before_page = lambda operation: (
        operation == "write" and asyncio.to_thread(put, root, "theirs")
    )
    with pytest.raises(ToolError, match=r"(?s)not read all of this file.*\ntheirs\n"):
        await do("write_file", path=A, text="all")
    assert on_disk(root) == b"theirs"


async def test_a_new_file_that_somebody_else_makes_meanwhile_stays(root, say):
    """N8: also where a page has opened it."""
    page = Page()
    call = StandIn(page)
    call.before_page = lambda operation: (
        operation == "write" and asyncio.to_thread(put, root, "theirs")
    )
    with pytest.raises(ToolError, match="not read all"):
        await say(call)("write_file", path=A, text="mine")
    assert on_disk(root) == b"theirs"
    call.before_page = lambda operation: (
        operation == "write" and page.files.setdefault("b.txt", "theirs")
    )
    with pytest.raises(ToolError, match="not read all"):
        await say(call)("write_file", path="b.txt", text="mine")
    assert page.files["b.txt"] == "theirs"


async def test_a_file_in_the_way_of_the_page_is_not_written_behind_it(root, say):
    """N6, N14: nor where it is open in another tab, read-only, or nobody knows what was done."""
    put(root, "one")
    for code, why in {
        "open_elsewhere": "open in another tab",
        "read_only": "read-only",
        "no_answer": "does not answer",
        "lost": "Nobody said whether this was done",
    }.items():
        page = Page()
        page.files[A] = "one"
        page.fails["write"] = code
        call = StandIn(page)
        with pytest.raises(ToolError, match=why):
            await say(call)("write_file", path=A, old_text="one", new_text="two")
        assert [state for _, state in call.journal] == ["begun" if code == "lost" else "failed"]
    assert on_disk(root) == b"one"


async def test_two_writes_at_once_are_both_made(root, say, tools):
    put(root, "one\ntwo\n")
    first, second = StandIn(Page()), StandIn(Page())
    await asyncio.gather(
        say(first)("write_file", path=A, old_text="one", new_text="1"),
        say(second)("write_file", path=A, old_text="two", new_text="2"),
    )
    assert on_disk(root) == b"1\n2\n"
    await tools.close()
