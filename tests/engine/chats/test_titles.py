"""Titles: always there in the end, never in anybody's way."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.engine.chats.titles import INSTRUCTION, LONGEST, clean, first_words
from jupyter_stop_chat.ports.handler import Reasoning, ToolStarted
from jupyter_stop_chat.testing import Endless, Gate, Raise, RefuseToClose
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.server_frames import ChatChanged
from tests.aids.in_turn import in_turn
from tests.engine.bench import MODEL, OWNER, Bench, turns_until


def titled(b: Bench, *title: object, reply: tuple[object, ...] = ("An answer.",)) -> None:
    """Let the model answer one way, and make titles another."""
    b.handler.script = lambda turn: title if turn.parameters else reply


async def title_of(b: Bench, chat_id: str) -> str | None:
    await b.quiet()
    chat = await b.store.get_chat(chat_id)
    return chat.title


def asked(b: Bench) -> list[str]:
    """Return what the model was asked for titles."""
    return [r.turn.messages[0].text for r in b.handler.replies if r.turn.parameters]


async def test_the_model_makes_a_title_after_the_first_turn(bench):
    """L9, L10: told to the owner and to who follows, and written down; once."""
    b = bench(titles="model")
    titled(b, ' "Towers ', 'of Paris" \n', "and more")
    accepted = await b.send("Which tower?")
    await b.end(accepted)
    assert await title_of(b, accepted.chat_id) == "Towers of Paris"
    (request,) = asked(b)
    assert request == f"{INSTRUCTION}\n\nUser: Which tower?\n\nAssistant: An answer."
    told = [c.chat for c in b.heard.told if isinstance(c, ChatChanged)]
    assert [(chat.title, chat.state) for chat in told[-2:]] == [("Towers of Paris", "idle")] * 2
    await b.end(await b.send("and then?", accepted.chat_id))
    await b.quiet()
    assert len(asked(b)) == 1
    # What is told of the chat later still bears it.
    assert b.heard.chats[-1].title == "Towers of Paris"


@pytest.mark.parametrize("end", ["stopped", "failed"])
async def test_also_when_the_first_turn_was_cut_short(bench, end):
    """L9: it is saved at once, and the title comes after."""
    gate = Gate()
    b = bench(titles="model")
    titled(b, "Half a story", reply=("Once", gate, Raise(RuntimeError())))
    accepted = await b.send("A story")
    await b.shown(accepted, "Once")
    if end == "stopped":
        await b.stop(chat_id=accepted.chat_id)
    gate.open()
    message = await b.end(accepted)
    assert message.state is not MessageState.COMPLETED
    assert message.text == "Once"
    assert await title_of(b, accepted.chat_id) == "Half a story"


async def test_a_turn_without_a_word_asks_no_model(bench):
    """L10: it has a title all the same."""
    b = bench(titles="model")
    titled(b, "never", reply=(Gate(),))
    accepted = await b.send("  A   tall\ntower ")
    reply = await b.handler.next_reply()
    await reply.started.wait()
    await b.stop(chat_id=accepted.chat_id)
    assert await title_of(b, accepted.chat_id) == "A tall tower"
    assert asked(b) == []


async def test_a_turn_that_was_taken_out_gives_no_title(bench):
    """V4: the chat is as it was before."""
    b = bench(titles="model")
    titled(b, "Second", reply=("x", Gate()))
    accepted = await b.send("first")
    await b.shown(accepted, "x")
    await b.stop(chat_id=accepted.chat_id, discard=True)
    assert await title_of(b, accepted.chat_id) is None
    titled(b, "Second")
    await b.end(await b.send("second", accepted.chat_id))
    assert await title_of(b, accepted.chat_id) == "Second"


@pytest.mark.parametrize(
    "title",
    [
        [],
        ["   \n"],
        ['""'],
        [Reasoning("only thinking")],
        [Raise(RuntimeError("sk-secret"))],
        [Raise(SystemExit(1))],
        [Raise(asyncio.CancelledError())],
        [Raise(StopChatError(ErrorCode.RATE_LIMITED))],
        [ToolStarted("c", "delete_everything")],
    ],
)
async def test_a_model_that_makes_none(bench, caplog, title):
    """L9: its failure is contained, and the prompt's first words do."""
    b = bench(titles="model")
    titled(b, *title)
    accepted = await b.send("word " * 40)
    await b.end(accepted)
    made = await title_of(b, accepted.chat_id)
    assert made.startswith("word word")
    assert made.endswith("…")
    assert len(made) <= LONGEST
    assert "sk-secret" not in caplog.text


@pytest.mark.parametrize("polite", [True, False])
async def test_a_model_that_talks_on_is_closed(bench, polite):
    """A title costs few tokens, also with a model that takes no limit."""
    b = bench(titles="model")
    titled(b, Endless("bla ", polite=polite))
    accepted = await b.send("Talk")
    await b.end(accepted)
    assert (await title_of(b, accepted.chat_id)).startswith("bla bla")
    reply = b.handler.replies[-1]
    assert reply.ended.is_set()
    assert len(reply.yielded) < 60
    assert reply.turn.parameters == {"max_tokens": 24}


@pytest.mark.parametrize(
    "step", [Gate(), Endless("", polite=False)], ids=["waits", "says_nothing"]
)
async def test_a_model_that_takes_too_long(bench, step):
    """L9, L10, B1: so many seconds at most, also where it never gives the loop back by itself."""
    b = bench(titles="model", title_patience=0.05)
    titled(b, step)
    accepted = await b.send("Patience")
    await b.end(accepted)
    assert await title_of(b, accepted.chat_id) == "Patience"
    assert b.handler.replies[-1].turn.stopped
    assert b.handler.replies[-1].ended.is_set()


@pytest.mark.parametrize(
    "make", [lambda: Gate(swallow=-1), RefuseToClose], ids=["swallows", "refuses"]
)
async def test_a_model_that_does_not_stop_making_a_title(bench, monkeypatch, make):
    """B1: it is fenced off like any other."""
    monkeypatch.setattr("jupyter_stop_chat.engine.chats.titles.UNWIND", 0.05)
    bad = make()
    gate = bad if isinstance(bad, Gate) else Gate()
    b = bench(titles="model", title_patience=0.05)
    titled(b, "x", bad, gate)
    accepted = await b.send("Stubborn")
    await b.end(accepted)
    assert await title_of(b, accepted.chat_id) == "Stubborn"
    gate.open()
    await b.handler.replies[-1].ended.wait()
    await asyncio.sleep(0)
    assert b.engine.runaway == 0


async def test_a_stop_of_the_chat_stops_its_title(bench):
    """L9, L10."""
    b = bench(titles="model")
    titled(b, Gate())
    accepted = await b.send("Stop me")
    await b.end(accepted)
    reply = await b.handler.next_reply(2)
    assert await b.stop(chat_id=accepted.chat_id) == ()
    assert await title_of(b, accepted.chat_id) == "Stop me"
    assert reply.cancels == 1


async def test_another_s_stop_stops_no_title_of_mine(bench):
    """J6."""
    b = bench(titles="model")
    gate = Gate()
    titled(b, gate, "Mine")
    accepted = await b.send("Keep me")
    await b.end(accepted)
    await b.handler.next_reply(2)
    await b.stop(owner="eve", all=True)
    await b.stop(owner="eve", chat_id=accepted.chat_id)
    gate.open()
    assert await title_of(b, accepted.chat_id) == "Mine"


async def test_a_title_gives_way_to_the_next_prompt(bench):
    """L10: it is there once the chat goes on, and the prompt does not wait for it."""
    b = bench(titles="model")
    titled(b, Gate())
    accepted = await b.send("First words")
    await b.end(accepted)
    reply = await b.handler.next_reply(2)
    again = await b.send("next", accepted.chat_id)
    assert (await b.end(again)).text == "An answer."
    assert await title_of(b, accepted.chat_id) == "First words"
    assert reply.ended.is_set()


async def test_a_queue_does_not_wait_for_a_title(bench):
    b = bench(titles="model")
    gate = Gate()
    titled(b, "never", reply=("x", gate))
    accepted = await b.send("First words")
    second = await b.send("second", accepted.chat_id)
    gate.open()
    await b.end(second)
    assert await title_of(b, accepted.chat_id) == "First words"
    assert asked(b) == []


async def test_a_person_s_title_stays(bench):
    """L10: given while the model makes one."""
    b = bench(titles="model")
    titled(b, Gate())
    accepted = await b.send("First")
    await b.end(accepted)
    await b.handler.next_reply(2)
    chat = await b.engine.set_title(OWNER, accepted.chat_id, "Mine")
    assert chat.title == "Mine"
    assert await title_of(b, accepted.chat_id) == "Mine"
    assert b.heard.chats[-1].title == "Mine"
    # Taken away again, the next turn makes one.
    await b.engine.set_title(OWNER, accepted.chat_id, None)
    assert await title_of(b, accepted.chat_id) is None
    titled(b, "Made anew")
    await b.end(await b.send("more", accepted.chat_id))
    assert await title_of(b, accepted.chat_id) == "Made anew"
    with pytest.raises(StopChatError):
        await b.engine.set_title("eve", accepted.chat_id, "Hers")


async def test_deleting_a_chat_stops_its_title(bench):
    b = bench(titles="model")
    titled(b, Gate())
    accepted = await b.send("First")
    await b.end(accepted)
    reply = await b.handler.next_reply(2)
    await b.engine.delete_chat(OWNER, accepted.chat_id)
    await b.quiet()
    assert reply.ended.is_set()
    assert await b.store.get_chat(accepted.chat_id) is None


async def test_shutdown_leaves_a_title_and_no_task(bench):
    """L12, L10."""
    b = bench(titles="model")
    titled(b, Gate())
    accepted = await b.send("First words")
    await b.end(accepted)
    await b.handler.next_reply(2)
    await b.engine.shutdown()
    assert len(b.engine.background) == 0
    assert (await b.store.get_chat(accepted.chat_id)).title == "First words"


async def test_a_model_that_is_stuck_is_not_asked_for_more(bench):
    """Rule 7: one thread that does not end is enough."""
    turns = []

    def script(turn):
        turns.append(turn)
        turn.still_finishing()
        return ["x", Gate()]

    b = bench(script, titles="model")
    b.handler.reports = False
    accepted = await b.send("Stuck")
    await b.shown(accepted, "x")
    await b.stop(chat_id=accepted.chat_id)
    assert await title_of(b, accepted.chat_id) == "Stuck"
    assert len(turns) == 1


async def test_a_handler_may_make_no_titles(bench):
    """An agent has tools; nobody asked it to use them."""
    b = bench(titles="model")
    titled(b, "never")
    b.handler.makes_titles = False
    accepted = await b.send("Agent")
    await b.end(accepted)
    assert await title_of(b, accepted.chat_id) == "Agent"
    assert asked(b) == []


async def test_titles_without_a_model_are_a_setting(bench):
    b = bench(titles="prompt")
    titled(b, "never")
    accepted = await b.send("Only words")
    await b.end(accepted)
    assert await title_of(b, accepted.chat_id) == "Only words"
    assert asked(b) == []


async def test_a_model_that_is_gone_makes_no_title(bench):
    b = bench(titles="model")
    gate = Gate()
    titled(b, "never", reply=("x", gate))
    accepted = await b.send("Gone")
    await b.shown(accepted, "x")
    del b.handlers[MODEL]
    gate.open()
    await b.end(accepted)
    await turns_until(lambda: len(b.engine.titles) == 0)
    assert await title_of(b, accepted.chat_id) == "Gone"


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Title: Towers", "Towers"),
        ("\n\n# **Towers**\nmore", "Towers"),
        ("„Türme“", "Türme"),
        ("«Tours»", "Tours"),
        ("\ud800 half", "� half"),
        ("x" * 200, "x" * (LONGEST - 1) + "…"),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_what_a_model_answers_becomes_a_title(answer, title):
    assert clean(answer) == title


def test_first_words_end_with_a_word():
    assert first_words("one two") == "one two"
    long = first_words("alpha " * 30)
    assert long.endswith("alpha…")
    assert len(long) <= LONGEST


@in_turn(
    ("said", "title"),
    [
        ("<think>The user wants\na title.</think>\n\nSorting lists", "Sorting lists"),
        ("<think>It never ends", ""),
        ("**Sorting lists**", "Sorting lists"),
        ('# Title: "Sorting lists"', "Sorting lists"),
        ("Sure! Here is a title:\n\n“Sorting lists”", "Sorting lists"),
        ("Here's a title for it: `Sorting lists`", "Sorting lists"),
        ("Of course!\nSorting lists", "Sorting lists"),
        ("Python: lists", "Python: lists"),
        ("Sure! Here is a title: **Sorting lists**", "Sorting lists"),
        ('Sure, here\'s a title: "Sorting lists"', "Sorting lists"),
        ("I'd suggest: “Sorting lists”", "Sorting lists"),
        ("A good title would be: Sorting lists", "Sorting lists"),
        ('A good title would be "Sorting lists".', "Sorting lists"),
        ("Natürlich! Hier ist ein Titel: „Listen sortieren“", "Listen sortieren"),
        ("Bien sûr ! Voici un titre : «Trier des listes»", "Trier des listes"),
        ("Claro! Aquí tienes un título: Ordenar listas", "Ordenar listas"),
        ("Конечно! Вот заголовок: Сортировка", "Сортировка"),
        ("当然！标题：《列表排序》", "列表排序"),
        ("「リストの並べ替え」", "リストの並べ替え"),
        ("Here are some options:\n\n1. Sorting lists\n2. Ordering lists", "Sorting lists"),
        ("Possible titles:\n- Sorting lists\n- Ordering lists", "Sorting lists"),
        ("Option 1: Sorting lists", "Sorting lists"),
        ("Assistant: Sorting lists", "Sorting lists"),
        ("The user wants\na title.\n</think>\n\nSorting lists", "Sorting lists"),
        ("</think>\n\nSorting lists", "Sorting lists"),
        ("---\n## Sorting lists ##", "Sorting lists"),
        ("<title>Sorting lists</title>", "Sorting lists"),
        ('{"title": "Sorting lists"}', "Sorting lists"),
        ("\\boxed{Sorting lists}", "Sorting lists"),
        ("<|channel|>analysis<|message|>We need", ""),
        ("I'm sorry, but I can't help with that.", ""),
        ("Sure!", ""),
        # These only look like it.
        ("A title fight in 1999: who won", "A title fight in 1999: who won"),
        ("Absolutely fabulous: the series", "Absolutely fabulous: the series"),
        ('"Sorting" lists', '"Sorting" lists'),
        ("Lists and “sorting”", "Lists and “sorting”"),
        ("Use of __init__", "Use of __init__"),
        ("#1 song of 1999", "#1 song of 1999"),
        ("3 ways to sort", "3 ways to sort"),
        ("The dogs' bowls", "The dogs' bowls"),
        ("Here and now", "Here and now"),
        ("C# basics", "C# basics"),
    ],
)
def test_a_title_is_a_title(said: str, title: str) -> None:
    """T12: thoughts, Markdown, quotation marks and small talk are no part of it."""
    assert clean(said) == title
