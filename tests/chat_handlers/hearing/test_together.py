"""Words that come together are handed on as one, and nothing else of a stream is changed by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest

from jupyter_stop_chat.chat_handlers.hearing import Hearing, hooks
from jupyter_stop_chat.chat_handlers.hearing.ahead import MOST
from jupyter_stop_chat.chat_handlers.hearing.plain import Plain
from tests.chat_handlers.hearing.bodies import DONE, Body, chunk, client_of, raw_chunk
from tests.engine.bench import turns_until
from tests.providers.reading import nothing_left, soon

pytestmark = pytest.mark.may_hold_the_loop("the library prepares itself at its first request")

#: Longer than any test: what is waited for so long never comes.
FOREVER = 3600.0


@dataclass
class Seen:
    """What a client library made of a body.

    :ivar texts: the text of each of its chunks that has any.
    """

    texts: list[str] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    finish: list[str] = field(default_factory=list)
    error: Exception | None = None

    @property
    def text(self) -> str:
        return "".join(self.texts)


async def read(body: Body, seen: Seen | None = None, hearing: Hearing | None = None) -> Seen:
    """Read a body as OpenAI's client does."""
    seen = seen or Seen()
    http = client_of(body, hearing)
    async with openai.AsyncOpenAI(
        api_key="k", base_url="http://there/v1", http_client=http, max_retries=0
    ) as client:
        asked: Any = [{"role": "user", "content": "Hi"}]
        try:
            stream = await client.chat.completions.create(model="m", messages=asked, stream=True)
            async for each in stream:
                for choice in each.choices:
                    if choice.delta.content:
                        seen.texts.append(choice.delta.content)
                        seen.began.set()
                    if choice.finish_reason:
                        seen.finish.append(choice.finish_reason)
        except Exception as error:
            seen.error = error
    for _ in range(10):  # what the library dropped is closed by the loop
        await asyncio.sleep(0)
    return seen


def of(*pieces: bytes) -> Body:
    """Return a body that comes at once."""
    return Body([b"".join(pieces)])


async def test_words_that_come_together_are_one_chunk() -> None:
    """V1: the library reads the first, all others as one, and the end."""
    seen = await read(of(*(chunk(f"w{at} ") for at in range(100)), chunk(None, "length"), DONE))
    assert seen.texts == ["w0 ", "".join(f"w{at} " for at in range(1, 100))]
    assert (seen.finish, seen.error) == (["length"], None)


async def test_padding_keeps_no_words_apart() -> None:
    """V1: OpenAI pads each event with some letters, so that its size does not tell its word."""
    pads = ["", "ab", "abcdefg", "abc"]
    events = [chunk(f"w{at} ", usage=None, obfuscation=pad) for at, pad in enumerate(pads)]
    seen = await read(of(*events, chunk(None, "stop", obfuscation="x"), DONE))
    assert seen.texts == ["w0 ", "w1 w2 w3 "]
    assert seen.finish == ["stop"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (['"Hi"', r'"\ud83d"', r'"\ude00"', '" you"'], "Hi\U0001f600 you"),
        (['"Hi"', r'"\ud83d"', '" you"', r'"\ude00"'], "Hi\ud83d you\ude00"),
        (['"Hi"', r'"\\"', r'"\\"', r'"n"', r'"\""'], 'Hi\\\\n"'),
        (['"Hi"', r'"\\u00"', '"e9"'], "Hi\\u00e9"),
        (['"Hi"', '""', '""', '" you"'], "Hi you"),
        (['"Hi"', r'"\u2028"', '"\u2028"', '"\x85"', '" you"'], "Hi\u2028\u2028\x85 you"),
    ],
    ids=["pair", "halves", "backslashes", "no escape", "empty", "line ends"],
)
async def test_words_stay_what_they_are(words: list[str], text: str) -> None:
    """B5: a pair that was cut is the character that it is."""
    seen = await read(of(*map(raw_chunk, words), chunk(None, "stop"), DONE))
    assert (seen.text, seen.error) == (text, None)


BAD = [rb'"\x"', rb'"\u00"', rb'"\ud83"', b'"a\tb"', b'"\x00"', b'"\x1f"']


@pytest.mark.parametrize("bad", BAD)
async def test_an_event_that_cannot_be_read_takes_no_word_with_it(bad: bytes) -> None:
    """T4: neither one before it nor one behind it, though they came together."""
    events = [chunk("Hi"), chunk(" you"), raw_chunk(bad), chunk(" all"), chunk(None, "stop")]
    seen = await read(of(*events, DONE))
    assert (seen.text, seen.finish, seen.error) == ("Hi you all", ["stop"], None)


@pytest.mark.parametrize("together", [True, False])
async def test_a_character_that_was_cut_takes_no_word_with_it(together: bool) -> None:
    """T4: it is whole again where its bytes came together."""
    cut = [raw_chunk(b'"\xc3"'), raw_chunk(b'"\xa9"')]
    if not together:
        cut.insert(1, chunk(" you", created=2))
    events = [chunk("Hi"), chunk(" you"), *cut, raw_chunk(b'"\xff"'), chunk(None, "stop"), DONE]
    seen = await read(of(*events))
    assert seen.text == ("Hi you\xe9\ufffd" if together else "Hi you\ufffd you\ufffd\ufffd")
    assert seen.finish == ["stop"]
    assert seen.error is None


async def test_a_first_word_that_is_no_text_ends_nothing() -> None:
    """T4: that is an event which the library reads by itself."""
    seen = await read(of(raw_chunk(b'"\xff"'), chunk("Hi"), chunk(None, "stop"), DONE))
    assert (seen.text, seen.finish, seen.error) == ("\ufffdHi", ["stop"], None)


async def test_a_name_that_is_the_word_as_well_is_no_text() -> None:
    """Only what stands where the text stands is one."""
    event = raw_chunk(r'"\u0048i"').replace(b'"m"', b'"Hi"')
    seen = await read(of(event * 3, DONE))
    assert seen.text == "HiHiHi"


async def test_what_came_before_a_break_is_shown_in_order() -> None:
    """T4."""
    body = Body([chunk("Hi"), chunk(" you"), chunk(" all"), OSError("gone")])
    hearing = Hearing()
    seen = await read(body, hearing=hearing)
    assert seen.text == "Hi you all"
    assert isinstance(seen.error, Exception)
    assert hearing.answers[0].broke


async def test_the_first_word_comes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """V1: and so does the next one of a provider that is slower than they are shown."""
    wait = asyncio.Event()
    seen = Seen()
    reading = asyncio.create_task(read(Body([chunk("Hi"), wait, chunk(" you"), DONE]), seen))
    await soon(seen.began)
    assert seen.texts == ["Hi"]
    wait.set()
    await reading
    assert seen.text == "Hi you"
    monkeypatch.setattr(hooks, "STEP", FOREVER)
    assert (await read(of(chunk("Hi"), chunk(" you", "stop"), DONE))).text == "Hi you"


@pytest.mark.parametrize("end", [(chunk(None, "stop"), DONE), (OSError("gone"),)])
async def test_the_last_words_come_at_once(
    end: tuple[bytes | Exception, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """V1: behind a body that is over, or broke off, no more words are waited for."""
    monkeypatch.setattr(hooks, "STEP", FOREVER)
    more = asyncio.Event()
    seen = Seen()
    reading = asyncio.create_task(read(Body([chunk("Hi"), more, chunk(" you"), *end]), seen))
    await soon(seen.began)
    for _ in range(10):  # it waits for more words by now
        await asyncio.sleep(0)
    more.set()
    await turns_until(reading.done)
    assert seen.text == "Hi you"


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
async def test_a_body_may_be_cut_anywhere(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """T2: also one that is far larger than what is read ahead."""
    monkeypatch.setattr(hooks, "STEP", 0.0)
    words = ["é", "\\", '"', "\n", "word ", "\U0001f600"] * (10 if size == 1 else 1000)
    if size > 100:
        words.insert(7, "x" * 200_000)
    whole = b"".join([*map(chunk, words), chunk(None, "stop"), DONE])
    cut = [whole[at : at + size] for at in range(0, len(whole), size)]
    seen = await read(Body(cut))
    assert (seen.text == "".join(words), seen.finish, seen.error) == (True, ["stop"], None)


async def test_a_cancel_while_more_is_waited_for_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """V1, V2: of what was read ahead nothing is shown."""
    monkeypatch.setattr(hooks, "STEP", FOREVER)
    more = asyncio.Event()
    body = Body([chunk("Hi"), more, *[chunk(" you")] * 10_000])
    seen = Seen()
    reading = asyncio.create_task(read(body, seen))
    await soon(seen.began)
    more.set()
    await turns_until(lambda: body.taken >= MOST)
    reading.cancel()
    await asyncio.wait({reading})
    assert reading.cancelled()
    assert seen.texts == ["Hi"]
    assert body.closed
    await soon(body.over)
    await nothing_left()


async def test_a_second_cancel_leaves_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """V1, B1: one that lands in the clean-up of the first."""
    for turns in range(6):
        body = Body([chunk("Hi"), asyncio.Event()])
        seen = Seen()
        reading = asyncio.create_task(read(body, seen))
        await soon(seen.began)
        reading.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        assert body.closed
        await soon(body.over)
        await nothing_left()


def joins(monkeypatch: pytest.MonkeyPatch, *, known: bool) -> None:
    """Have plain events known, or each read by itself."""
    if not known:
        monkeypatch.setattr(Plain, "find", lambda *_: None)


OTHERS: Sequence[bytes] = (
    chunk(" a", index=1).replace(b'"index": 0', b'"index": 1'),
    chunk(" a").replace(b'"content"', b'"reasoning_content"'),
    chunk(" a", usage={"prompt_tokens": 3, "completion_tokens": 4}),
    chunk(" a", "stop"),
    chunk(None, "tool_calls"),
    b": ping\n\n",
    b": ping\n" + chunk(" a"),
    b"id: 7\n" + chunk(" a"),
    b"event: message\n" + chunk(" a"),
    chunk(" a").replace(b"\n", b"\r\n"),
    chunk(" a").replace(b"\n", b"\r"),
    chunk(" a") + b"\n",
    chunk(" a").replace(b'"delta"', b'"logprobs": {"content": [{"token": "a"}]}, "delta"'),
    raw_chunk('" a", "tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]'),
    chunk(" a", system_fingerprint="f"),
)


@pytest.mark.parametrize("other", OTHERS)
async def test_what_stands_between_words_keeps_its_place(
    other: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T2, T6, T7: as if no words were joined."""
    events = [chunk("Hi"), chunk(" you"), chunk(" all"), other, chunk(" b"), other, chunk(" c")]
    told = []
    for known in (True, False):
        joins(monkeypatch, known=known)
        hearing = Hearing()
        seen = await read(of(*events, DONE), hearing=hearing)
        answer = hearing.answers[0]
        told.append((seen.text, seen.finish, answer.used, answer.ending, answer.take()))
        assert seen.error is None
    assert told[0] == told[1]
    assert json.dumps(told[0][0]).count("Hi you all") == 1
