"""The writer: groups under load, no wait when alone, first come first served."""

import asyncio

import pytest

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store import writer as module
from jupyter_stop_chat.store.operations import Append, Settle
from jupyter_stop_chat.store.weight import weight
from jupyter_stop_chat.store.writer import Writer
from jupyter_stop_chat.wire.objects import MessageState


class Commits:
    """What stands in for the database: each commit ends when the test says so."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.begun = asyncio.Event()
        self._go = asyncio.Semaphore(0)

    async def __call__(self, group, failed=None):
        self.groups.append([getattr(each, "text", "settle") for each in group])
        self.begun.set()
        await self._go.acquire()
        return [None] * len(group)

    def end(self, count: int = 1) -> None:
        for _ in range(count):
            self._go.release()


def _append(text: str) -> Append:
    return Append("m", text, "text")


async def _write(writer, *texts) -> list[asyncio.Task]:
    tasks = [asyncio.ensure_future(writer.write(_append(text))) for text in texts]
    await asyncio.sleep(0)
    return tasks


@pytest.fixture
def commits() -> Commits:
    return Commits()


async def test_a_lone_append_waits_for_nothing_and_what_follows_is_one_group(commits):
    """Rule 8: no timer; what arrives while a commit runs goes into the next."""
    writer = Writer(commits)
    writer.start()
    first = await _write(writer, "a")
    await commits.begun.wait()
    assert commits.groups == [["a"]]
    rest = await _write(writer, "b", "c", "d")
    assert commits.groups == [["a"]]
    assert not any(task.done() for task in first + rest)
    commits.end()
    await asyncio.gather(*first)
    commits.end()
    await asyncio.gather(*rest)
    assert commits.groups == [["a"], ["b", "c", "d"]]
    await writer.close()


async def test_a_caller_returns_after_the_commit_that_carried_it(commits):
    writer = Writer(commits)
    writer.start()
    (task,) = await _write(writer, "a")
    await commits.begun.wait()
    assert not task.done()
    commits.end()
    await task
    await writer.close()


async def test_a_group_is_bounded_by_number_and_by_size(commits, monkeypatch):
    monkeypatch.setattr(module, "GROUP_OPERATIONS", 3)
    monkeypatch.setattr(module, "GROUP_BYTES", 3 * weight(_append("12345")))
    writer = Writer(commits)
    writer.start()
    tasks = await _write(writer, "-")
    await commits.begun.wait()
    tasks += await _write(writer, "a", "b", "c", "d", "x" * 200, "y" * 200, "z")
    commits.end(10)
    await asyncio.gather(*tasks)
    groups = [[text[:1] for text in group] for group in commits.groups]
    assert groups == [["-"], ["a", "b", "c"], ["d"], ["x"], ["y"], ["z"]]
    await writer.close()


async def test_a_full_queue_holds_text_back_and_nothing_else(commits, monkeypatch):
    """Rule 8: what waits is bounded, and what ends a message always gets through."""
    monkeypatch.setattr(module, "WAITING_BYTES", 100)
    writer = Writer(commits)
    writer.start()
    tasks = await _write(writer, "a")
    await commits.begun.wait()
    tasks += await _write(writer, "b" * 100)
    tasks += await _write(writer, "held back")
    assert writer.backlog == 1
    end = Settle("m", Settlement(MessageState.COMPLETED))
    tasks.append(asyncio.ensure_future(writer.write(end)))
    await asyncio.sleep(0)
    assert writer.backlog == 2
    commits.end(10)
    await asyncio.gather(*tasks)
    assert commits.groups == [["a"], ["b" * 100, "settle"], ["held back"]]
    await writer.close()


async def test_an_end_is_told_first_and_others_have_their_turn_in_between(commits, monkeypatch):
    """S5: to tell of a thousand texts holds nobody up, least of all who waits for an end."""
    monkeypatch.setattr(module, "TELLING", 0.0)
    writer = Writer(commits)
    writer.start()
    tasks = await _write(writer, "-")
    await commits.begun.wait()
    told, all_told = [], asyncio.Event()

    def tell(what):
        told.append(what)
        asyncio.get_running_loop().call_soon(told.append, "others")
        if what == "b":
            all_told.set()

    for text in "ab":
        writer.write_then(_append(text), lambda *_, text=text: tell(text))
    end = Settle("other", Settlement(MessageState.INTERRUPTED))
    writer.write_then(end, lambda *_: tell("end"))
    commits.end(10)
    await asyncio.gather(*tasks)
    await all_told.wait()
    assert told[:5] == ["end", "others", "a", "others", "b"]
    await writer.close()


async def test_a_job_is_alone_and_in_its_place(commits):
    writer = Writer(commits)
    writer.start()
    order: list[object] = []

    async def job():
        order.append(len(commits.groups))
        return "done"

    tasks = await _write(writer, "a", "b")
    answer = asyncio.create_task(writer.run(job))
    await asyncio.sleep(0)
    tasks += await _write(writer, "c")
    commits.end(10)
    await asyncio.gather(*tasks)
    assert await answer == "done"
    assert [text for group in commits.groups for text in group] == ["a", "b", "c"]
    assert order == [len(commits.groups) - 1]
    await writer.close()


async def test_a_commit_that_raises_tells_its_callers_and_the_next_goes_on():
    async def commit(group, failed):
        if group[0].text == "bad":
            raise ValueError("bad")
        return [None] * len(group)

    writer = Writer(commit)
    writer.start()
    with pytest.raises(ValueError, match="bad"):
        await writer.write(_append("bad"))
    await writer.write(_append("good"))
    await writer.close()


async def test_close_commits_what_waits_and_then_nothing_is_taken(commits):
    writer = Writer(commits)
    with pytest.raises(RuntimeError):
        await writer.write(_append("too early"))
    writer.start()
    tasks = await _write(writer, "a", "b")
    closing = asyncio.create_task(writer.close())
    commits.end(10)
    await closing
    await asyncio.gather(*tasks)
    with pytest.raises(RuntimeError):
        await writer.write(_append("too late"))
