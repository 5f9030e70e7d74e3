"""Thoughts that come in one text with the answer, and ends of thoughts that nothing opened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.ports.handler import Event, Reasoning, Text, WasThought
from jupyter_stop_chat.ports.thoughts import Thoughts, without_thought
from jupyter_stop_chat.wire.utf16 import utf16_length
from tests.chat_handlers.test_hearing import DONE, HEAD, chunk
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading, nothing_left
from tests.providers.wire_server import WireProvider


def parted(text: str, size: int, *, unopened: str = "") -> tuple[str, str, Thoughts]:
    """Return the answer and the thought of a text that comes in pieces."""
    thoughts = Thoughts(unopened=unopened)

    def events() -> Iterator[Event]:
        for at in range(0, len(text), size):
            yield from thoughts.feed(text[at : at + size])
        yield from thoughts.end(complete=True)

    said = thought = ""
    for each in events():
        if isinstance(each, Text):
            said += each.text
        elif isinstance(each, Reasoning):
            thought += each.text
        elif isinstance(each, WasThought):
            assert each.length == utf16_length(said)
            said, thought = "", thought + said
    return said, thought, thoughts


UNOPENED = "I use `x`, hm: a < b.\n```py\nx\n```\n</think>\n\nThe answer."


@pytest.mark.parametrize("size", [1, 3, 7])
def test_the_end_of_a_thought_that_nothing_opened_is_no_text(size: int) -> None:
    """T7: nor is what came before it, in the first reply and in the next ones."""
    for unopened in ("", "</think>"):
        said, thought, thoughts = parted(UNOPENED, size, unopened=unopened)
        assert said == "The answer."
        assert thought == UNOPENED.partition("</think>")[0]
        assert thoughts.unopened == "</think>"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Okay.\n</think>\n\nYes", "</think>"),
        ("Okay</think>Yes", "</think>"),
        ("Okay.</think>Yes", "</think>"),
        ("Okay.</think>\nYes", "</think>"),
        ("Okay. </think> Yes", "</think>"),
        ("Okay, 4. </think>4", "</think>"),
        ("Okay 😀 </think>\n😀", "</think>"),
        ("好的，用户想知道。</think>是的。", "</think>"),
        ("Tags: <think>a</think>, fine.\n</think>\nYes", "</think>"),
        ("`</think>` is the tag.\n</THINK>\n**Yes**", "</think>"),
        ("Hm.\n</thinking>\nYes", "</thinking>"),
        ("Hm.[/THINK]Yes", "[/think]"),
        ("Hm.◁/think▷Yes", "◁/think▷"),
        ("Hm.</seed:think>Yes", "</seed:think>"),
        ("Hm.\n<|end_of_thought|>\nYes", "<|end_of_thought|>"),
        ("Hm**so**</think>**Yes**", "</think>"),
        ("Okay\n</think>yes", "</think>"),
        ("- a\n- b\n</think>\n\n- yes", "</think>"),
        ("Hm, 4 </think>\n\n4", "</think>"),
        ("```py\nx = `a`\n```\nIt`s so.\n\n</think>\n\nyes", "</think>"),
        ("好的。\n</think>\n\n是的。", "</think>"),
        ("Okay.\n</think>", "</think>"),
    ],
)
def test_what_ends_a_thought_that_nothing_opened(text: str, tag: str, size: int) -> None:
    """T7: alone in its line, behind a sentence, or without a blank; whatever the tag."""
    said, thought, thoughts = parted(text, size)
    at = text.lower().rindex(tag)
    assert (said, thought) == (text[at + len(tag) :].lstrip(), text[:at])
    assert thoughts.unopened == tag
    assert without_thought(text) == said
    assert parted(text, size, unopened=tag)[0] != text


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "Templates end it with `</think>`\nand go on.",
        "As here:\n```\nhm\n</think>\nyes\n```\nSo.",
        "The tag </think> ends it.",
        "Open it. </think> is what closes it.",
        'Write "</think>" there.',
        "It (</think>) ends it, or </think>.",
        "Use <think>hm</think>, then answer.",
        "Use <think>\nhm\n</think>\nthen answer.",
        "<b>Use</b>\n<reasoning>\nBecause.\n</reasoning>\n<answer>4</answer>",
        "As here:\n\n~~~\n</think>\n~~~\nSo.",
        "As here:\n\n````md\n```\n</think>\n```\n````\nSo.",
        "As here:\n\n    </think>\n\nends it.",
        "What ends it is </think>\nand that is common.",
        "It is **</think>** that ends it, or *</think>*, or _</think>_.",
        "| tag | does |\n|---|---|\n|</think>|ends|\n| </think> | ends |",
        "There are two tags.\n</think> is the one that ends it.",
        "Two tags:\n- </think>\n- <think>",
        "Two tags:\n1. </think>\n2. <think>",
        "> </think>\n\nis what it said.",
        "使用</think>标签结束思考。",
        "思考は</think>で終わります。",
        "$</think>$ and [</think>](https://x.y)",
        "a </thi",
        "a </think>",
        "x < y </ z",
    ],
)
def test_an_answer_may_speak_of_that_tag(text: str, size: int) -> None:
    """T7: in code, and in the middle of a line."""
    said, thought, thoughts = parted(text, size)
    assert (said, thought, thoughts.unopened) == (text, "", "")
    assert without_thought(text) == text


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_who_was_taken_to_think_and_did_not_has_its_answer(size: int) -> None:
    """T7: and the next reply is taken for an answer from its start."""
    said, _, thoughts = parted("The answer.", size, unopened="</think>")
    assert said == "The answer."
    assert not thoughts.unopened


def test_a_thought_that_opens_itself_after_all() -> None:
    assert parted("<think>Hm.</think>Yes", 100, unopened="</think>")[:2] == ("Yes", "Hm.")


def test_a_kept_reply_without_its_thought() -> None:
    """T7."""
    assert without_thought("<think>Hm.</think>\n\nYes") == "Yes"
    assert without_thought(UNOPENED) == "The answer."
    assert without_thought("<think>It was cut off") == ""
    assert without_thought("Yes\n") == "Yes\n"


@pytest.mark.parametrize("tag", ["</think>", "<think></think>", "</think>x", "\n`</think>"])
def test_many_tags_cost_no_more_than_their_length(tag: str) -> None:
    """V1: one piece of half a megabyte holds the loop for no time to speak of."""
    thoughts = Thoughts()
    assert sum(1 for _ in thoughts.feed(tag * 50_000)) < 200


async def test_a_handler_learns_how_its_model_begins() -> None:
    """T7: the second reply's thought is shown as one, live; and where thoughts come apart, not."""
    pieces = ["Hm, ", "so.", "\n</think>", "\n\nYes", "."]
    said = b"".join(map(chunk, pieces)) + chunk(None, "stop") + DONE
    plain = chunk("No.") + chunk(None, "stop") + DONE
    async with WireProvider("lines") as provider:
        handler = LangChainHandler(make_model("openai", f"{provider.url}/v1"))
        provider.answers = [HEAD + b"\n" + each for each in (said, said, said, plain, plain)]
        told = []
        for prefix in ("", "", "Yes. ", "", ""):
            reading = Reading(handler, prefix=prefix)
            assert await reading.end() is None
            told.append((reading.text, reading.reasoning))
        assert told[0] == ("Yes.", "Hm, so.\n")
        assert told[1] == ("Yes.", "Hm, so.\n")
        assert told[2] == ("Yes.", "Hm, so.\n")
        assert told[3] == ("No.", "No.")
        assert told[4] == ("No.", "")
        await handler.close()
        await nothing_left()
