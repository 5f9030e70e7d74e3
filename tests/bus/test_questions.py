"""What is asked of an engine by several ways, and done once."""

from __future__ import annotations

from jupyter_stop_chat.bus import questions
from jupyter_stop_chat.bus.questions import Once
from jupyter_stop_chat.ports.peers import Question
from jupyter_stop_chat.store.processes.questions import OLD_SECONDS
from tests.bus.others import FakeEngine


async def test_what_was_answered_before_the_end_is_not_done_again_after_it() -> None:
    """The slower way is closed behind: the same question may still come by it."""
    engine = FakeEngine("a")
    once = Once(engine, lambda: 0.0)
    question = Question("ada", "x")
    answer = await once.answer(question)
    await once.settle(1.0)
    assert await once.answer(question) == answer
    assert len(engine.questions) == 1


async def test_a_question_is_remembered_for_longer_than_it_can_come_by_the_slower_way() -> None:
    """It is asked there a while later, and counts there from then on."""
    now = 0.0
    engine = FakeEngine("a")
    once = Once(engine, lambda: now)
    question = Question("ada", "x")
    await once.answer(question)
    now = OLD_SECONDS + 10.0
    await once.answer(Question("ada", "y"))
    await once.answer(question)
    assert [each.frame for each in engine.questions] == ["x", "y"]
    now += questions.REMEMBERED_SECONDS
    await once.answer(question)
    assert len(engine.questions) == 3, "it is forgotten at last"
