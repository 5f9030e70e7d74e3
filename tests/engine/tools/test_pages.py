"""Which page does a part of a tool's work, and what becomes of it where a page goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_stop_chat.engine.tools.asked import MAX_ANSWER, Patience
from jupyter_stop_chat.engine.tools.pages import PageCalls
from jupyter_stop_chat.ports.tools import PageError
from jupyter_stop_chat.wire.client_frames import ToolAnswer
from tests.engine.bench import turns_until
from tests.engine.tools.tabs import OWNER, Reply, Tab

BOOK = "a.ipynb"
#: Who says nothing at once has said nothing; the others answer at once, or are waited for.
AT_ONCE = Patience(taken=0.0, answered=100.0, back=100.0)


async def read(pages: PageCalls, reply: Reply, path: str = BOOK) -> Any:
    """Have a page read a document."""
    return await pages.ask(reply, "read", {"path": path})  # type: ignore[arg-type]


async def edit(pages: PageCalls, reply: Reply, what: Any = "new", path: str = BOOK) -> Any:
    """Have a page edit a document."""
    args = {"path": path, "edit": what}
    return await pages.ask(reply, "edit", args, effect=True)  # type: ignore[arg-type]


async def code(work: Any) -> str:
    """Return why a page cannot do something."""
    with pytest.raises(PageError) as caught:
        await work
    return caught.value.code


@pytest.fixture
def pages(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[PageCalls]:
    """Have pages asked; nothing is left of it at the end."""
    made = PageCalls(AT_ONCE)
    yield made

    async def leave() -> None:
        for each in [page for some in made._present._here.values() for page in some]:
            made.leave(each)
        made.close()

    jp_asyncio_loop.run_until_complete(leave())
    assert made.held == 0


async def test_the_page_of_the_prompt_is_asked_first_then_the_last_that_was_worked_in(
    pages: PageCalls,
) -> None:
    """N14: a page that does not have the notebook open passes it on."""
    sender, older, newer = Tab(pages), Tab(pages, BOOK, here=True), Tab(pages, BOOK, here=True)
    Tab(pages, BOOK, owner="eve", here=True)
    reply = Reply("r1")
    assert sender.page is not None
    sender.page.sends("r1")
    assert (await read(pages, reply))["by"] == newer.id
    assert [len(each.asked) for each in (sender, older, newer)] == [1, 0, 1]
    # From which page it was read is where it is read again, whichever is worked in since.
    assert older.page is not None
    pages.focus(older.page, older.id, here=True)
    assert (await read(pages, reply))["by"] == newer.id
    assert (await read(pages, Reply()))["by"] == older.id
    sender.documents[BOOK] = ""
    other = Reply("r1")
    assert (await read(pages, other))["by"] == sender.id
    assert await code(read(pages, reply, "b.ipynb")) == "not_open"
    assert await code(read(PageCalls(), reply)) == "no_page"


async def test_a_page_that_is_silent_is_passed_over(pages: PageCalls) -> None:
    """N14: it says "taken" soon, or the next is asked; it is asked again once it speaks."""
    silent, other = Tab(pages, BOOK, here=True), Tab(pages, BOOK)
    silent.silent = True
    assert (await read(pages, Reply()))["by"] == other.id
    assert silent.page is not None
    assert silent.page.silent
    silent.silent = False
    assert (await read(pages, Reply()))["by"] == other.id
    assert silent.asked == []
    pages.focus(silent.page, silent.id, here=True)
    assert (await read(pages, Reply()))["by"] == silent.id
    # Where no page says anything, nobody knows what is open.
    silent.silent = other.silent = True
    assert await code(read(pages, Reply())) == "no_answer"
    assert await code(edit(pages, Reply())) == "no_answer"
    assert await code(pages.ask(Reply(), "documents", {})) == "no_answer"  # type: ignore[arg-type]
    silent.silent = other.silent = False
    silent.documents.clear()
    other.documents.clear()
    assert await code(edit(pages, Reply())) == "not_open"
    slow = Tab(pages, BOOK, here=True)
    slow.slow = True
    work = asyncio.ensure_future(read(pages, Reply()))
    await turns_until(lambda: bool(slow.asked))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not work.done(), "it has taken it, and is waited for"
    slow.finish(slow.asked[0])
    assert (await work)["by"] == slow.id


async def test_a_change_is_made_where_it_was_read_or_not_at_all(pages: PageCalls) -> None:
    """N14: each page may have a copy of its own, so that it never moves to another one."""
    read_in, other = Tab(pages, BOOK, here=True), Tab(pages, BOOK)
    reply = Reply()
    await read(pages, reply)
    assert other.page is not None
    pages.focus(other.page, other.id, here=True)
    assert await edit(pages, reply) == {"done": True}
    assert (read_in.documents[BOOK], other.documents[BOOK]) == ("new", "")
    read_in.documents.clear()  # it is closed there
    assert await code(edit(pages, reply)) == "open_elsewhere"
    read_in.documents[BOOK] = ""
    assert (await read(pages, reply))["by"] == other.id
    other.leave()
    pages.close()  # it does not come back
    assert await code(edit(pages, reply)) == "open_elsewhere"
    assert (await read(pages, reply))["by"] == read_in.id
    read_in.documents.clear()
    assert await code(edit(pages, reply)) == "not_open"
    read_in.leave()
    pages.close()
    assert await code(edit(pages, reply)) == "no_page"
    assert (len(read_in.done), len(other.done)) == (1, 0)


async def test_what_was_not_read_is_changed_where_it_is_open(pages: PageCalls) -> None:
    """N14: that is found out without a change."""
    Tab(pages, here=True)
    has_it = Tab(pages, BOOK)
    assert await edit(pages, Reply()) == {"done": True}
    assert len(has_it.done) == 1
    assert await code(edit(pages, Reply(), path="b.ipynb")) == "not_open"


async def test_all_pages_tell_what_they_have_open(pages: PageCalls) -> None:
    """N1: of a document that several have, the word of the first one counts."""
    first, second, silent = Tab(pages, BOOK, here=True), Tab(pages, BOOK, "b.py"), Tab(pages, "c")
    silent.silent = True
    listed = await pages.ask(Reply(), "documents", {})  # type: ignore[arg-type]
    by = {each["path"]: each["by"] for each in listed["documents"]}
    assert by == {BOOK: first.id, "b.py": second.id}
    first.answer = second.answer = lambda frame: ({"documents": [{"path": 1}, 2]}, None)
    listed = await pages.ask(Reply(), "documents", {})  # type: ignore[arg-type]
    assert listed == {"documents": []}
    assert await code(PageCalls().ask(Reply(), "documents", {})) == "no_page"  # type: ignore[arg-type]


async def test_a_stop_is_told_to_the_page_and_nothing_is_asked_after_it(pages: PageCalls) -> None:
    """N9: also by what swallows its cancel; what is answered late changes nothing."""
    tab = Tab(pages, BOOK, here=True)
    tab.slow = True
    reply = Reply()
    for work in (edit(pages, reply), read(pages, reply)):
        tab.slow = False
        await read(pages, reply)
        tab.slow = True
        task = asyncio.ensure_future(work)
        seen = len(tab.asked)
        await turns_until(lambda seen=seen: len(tab.asked) > seen)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert tab.asked[-1].call in tab.cancelled
    assert tab.page is not None
    late = ToolAnswer(type="tool_answer", call=tab.asked[-1].call, result="1")
    tab.cancelled.clear()
    pages.answered(tab.page, late)
    pages.answered_apart(OWNER, late)
    assert tab.cancelled == {late.call}, "it is told so, that it keeps nothing"
    pages.taken(tab.page, late.call)
    reply.fenced = True
    asked = len(tab.asked)
    for work in (edit(pages, reply), read(pages, reply), pages.ask(reply, "documents", {})):  # type: ignore[arg-type]
        with pytest.raises(asyncio.CancelledError):
            await work
    assert len(tab.asked) == asked


@pytest.mark.parametrize("operation", ["read", "edit"])
async def test_a_connection_that_ends_at_each_frame(pages: PageCalls, operation: str) -> None:
    """N6, N14: the page comes back, and it was done once; no other page is turned to for it."""
    for cut in range(8):
        reply = Reply()
        tab, other = Tab(pages, BOOK, here=True), Tab(pages)
        await read(pages, reply)
        tab.cut_after = cut
        work = asyncio.ensure_future((read if operation == "read" else edit)(pages, reply))
        await turns_until(lambda tab=tab, work=work: tab.page is None or work.done())
        if tab.page is None:
            tab.connect()
        if operation == "edit":
            assert await work == {"done": True}
            assert len(tab.done) == 1
            assert not any(each.operation == "edit" for each in other.asked)
        else:
            # What only looks may be asked of another page meanwhile.
            await asyncio.wait([work])
            assert work.exception() is None or await code(work) == "not_open"
        for each in (tab, other):
            each.cut_after = None
            each.leave()
        pages.close()


async def test_a_page_that_is_the_only_one_is_waited_for(pages: PageCalls) -> None:
    """N6: a moment, where its connection has just ended; then it is gone."""
    tab = Tab(pages, BOOK, here=True)
    reply = Reply()
    await read(pages, reply)
    tab.leave()
    for do in (read, edit):
        work = asyncio.ensure_future(do(pages, reply))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not work.done()
        tab.connect()
        await work
        tab.leave()
    work = asyncio.ensure_future(read(pages, reply))
    await asyncio.sleep(0)
    pages.close()
    assert await code(work) == "no_page"


async def test_a_page_that_goes_in_the_middle_of_a_change(pages: PageCalls) -> None:
    """N14: whether it was made is not known, and that is told; another page is not asked."""
    tab, other = Tab(pages, BOOK, here=True), Tab(pages, BOOK)
    tab.slow = True
    reply = Reply()
    pages._patience = Patience(taken=0.0, answered=100.0, back=0.0)
    pages._reads_of(reply)[BOOK] = tab.page  # type: ignore[arg-type,assignment]
    work = asyncio.ensure_future(edit(pages, reply))
    await turns_until(lambda: bool(tab.asked))
    tab.leave()
    assert await code(work) == "failed"
    assert other.asked == []


async def test_a_dead_connection_that_nobody_has_noticed(pages: PageCalls) -> None:
    """N14: the page's next one takes over what was asked of it."""
    tab, other = Tab(pages, BOOK, here=True), Tab(pages, BOOK)
    reply = Reply()
    await read(pages, reply)
    tab.silent = True
    work = asyncio.ensure_future(edit(pages, reply))
    await asyncio.sleep(0)
    tab.silent = False
    tab.connect()  # the one before was not ended
    assert await work == {"done": True}
    assert (len(tab.done), other.asked) == (1, [])


async def test_what_a_page_answers_is_not_believed(pages: PageCalls) -> None:
    """N1: no JSON, too much of it, a code that is none: each is an error that is known."""
    tab = Tab(pages, BOOK, here=True)
    reply = Reply()
    tab.answer = lambda frame: ({"source": "2"}, "changed")
    with pytest.raises(PageError) as caught:
        await edit(pages, reply)
    assert (caught.value.code, caught.value.result) == ("not_open", None), "it lists nothing"
    await code(read(pages, reply))
    with pytest.raises(PageError) as caught:
        await edit(pages, reply)
    assert (caught.value.code, caught.value.result) == ("changed", {"source": "2"})
    other = Tab(pages, BOOK)
    tab.answer = lambda frame: (None, "failed")
    assert (await read(pages, Reply()))["by"] == other.id, "the next one may know more"
    other.leave()
    pages.close()
    tab.answer = lambda frame: (None, "made_up")
    assert await code(read(pages, reply)) == "failed"
    tab.slow = True
    for result, error in (
        ("{", "failed"),
        ("NaN", "failed"),
        ("[" * 100_000, "failed"),
        (json.dumps("x" * MAX_ANSWER), "too_large"),
    ):
        work = asyncio.ensure_future(read(pages, reply))
        seen = len(tab.asked)
        await turns_until(lambda seen=seen: len(tab.asked) > seen)
        call = tab.asked[-1].call
        pages.answered_apart("eve", ToolAnswer(type="tool_answer", call=call, result="1"))
        pages.answered_apart(OWNER, ToolAnswer(type="tool_answer", call=call, result=result))
        assert await code(work) == error
    # What is long is read in a thread.
    work = asyncio.ensure_future(read(pages, reply))
    seen = len(tab.asked)
    await turns_until(lambda: len(tab.asked) > seen)
    long = json.dumps({"text": "x" * 1_000_000})
    answer = ToolAnswer(type="tool_answer", call=tab.asked[-1].call, result=long)
    pages.answered_apart(OWNER, answer)
    assert len((await work)["text"]) == 1_000_000


@pytest.mark.parametrize("odd", [{1}, float("nan"), object()], ids=["set", "nan", "object"])
async def test_what_no_frame_can_carry_is_asked_of_no_page(pages: PageCalls, odd: Any) -> None:
    """N14: a tool of another package may ask for anything; the page's socket stays open."""
    tab, reply = Tab(pages, BOOK), Reply()
    assert await code(edit(pages, reply, odd)) == "bad_request"
    assert tab.asked == []
