"""What a provider itself said: told to people as plain words, without keys, hashes and paths."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.provider_errors import said_by, stop_chat_error
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import MAX_SAID
from jupyter_stop_chat.wire.secrets import mask_for_people
from tests.aids.in_turn import in_turn
from tests.providers.answers import Answers
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading

#: Far more than it takes, in seconds.
SOON = 0.5
QUOTA = "You exceeded your current quota, please check your plan and billing details."


class Refused(Exception):
    """An error of a client library, with the answer's body."""

    def __init__(self, body: Any, words: str = "in /home/ada/secret.py") -> None:
        super().__init__(words)
        self.body = body


@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama"])
async def test_an_empty_account_says_so_in_its_own_words(kind: str) -> None:
    """U2: its own code, and the provider's sentence beside it; it is asked once."""
    body = {
        "error": {"message": QUOTA, "type": "insufficient_quota", "code": "insufficient_quota"}
    }
    async with Answers(lambda sent: (429, body)) as server:
        handler = LangChainHandler(make_model(kind, server.base_url))
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError)
        assert error.code == "quota_exceeded"
        assert error.said == QUOTA
        assert len(server.sent) == 1
        await handler.close()


def test_only_the_answer_is_told_and_no_exception() -> None:
    """U2: neither an exception's own words, nor a page, nor what a tool was answered."""
    assert said_by(Refused(None)) is None
    assert said_by(ValueError("at /home/ada/secret.py")) is None
    assert said_by(Refused("<html><body>An inner server of ours</body></html>")) is None
    assert said_by(Refused({"error": {"code": "x", "status": 400}})) is None
    refused = Refused({"error": {"message": "No more of this."}})
    assert said_by(refused) == "No more of this."
    assert stop_chat_error(refused).said is None, "who asked is not known"
    assert stop_chat_error(refused, tells=True).said == "No more of this."
    wrapped = RuntimeError("outer words")
    wrapped.__cause__ = refused
    assert said_by(wrapped) == "No more of this."
    gateway = {"error": {"message": "Provider returned error", "metadata": {"raw": '{"error":'
               '{"message": "Behind it is no money."}}'}}}  # fmt: skip
    assert said_by(Refused(gateway)) == "Provider returned error Behind it is no money."
    response = SimpleNamespace(text='{"message": "It is full."}', status_code=500, headers={})
    refused = Refused(None)
    refused.response = response  # type: ignore[attr-defined]
    assert said_by(refused) == "It is full."


@in_turn(
    ("said", "told"),
    [
        ("Incorrect API key provided: sk-proj-ab*****yz.", "Incorrect API key provided: [key]"),
        ("Incorrect API key provided: my.own.secret", "Incorrect API key provided: [key]"),
        ("invalid token 'tiny1'", "invalid token '[key]'"),
        ("API key 'wpx-1' is not valid", "API key '[key]' is not valid"),
        ("for user deadbeefdeadbeef0123456789abcdef today", "for user [key] today"),
        ("ends in ****1234 and so on", "ends in [key] and so on"),
        ("cannot open /usr/share/ollama/blobs/sha256-0a1b: gone", "cannot open [path] gone"),
        (r"cannot open C:\Users\ada\model.gguf now", "cannot open [path] now"),
        ("at ~/models/a.gguf", "at [path]"),
        ("a secret of ours: hunter22 is known", "a secret of ours: [known] is known"),
        ("two\nlines\x1b[31m and\u202e more", "two lines [31m and more"),
        ("invalid token \u201ctiny1\u201d", "invalid token \u201c[key]\u201d"),
        ("API key\uff1atiny1, and so on", "API key\uff1a[key], and so on"),
        ("无效的令牌\uff1atiny1", "无效的令牌\uff1a[key]"),
        ("HUNTER22 is known", "[known] is known"),
        ("so is hunt er\u00ad22 here", "so is [known] here"),
        ("https://host/v1?k=p%2Fq%2Br%3D%3Ds.t", "https://host/v1?k=[key]"),
        ("Basic cC9xK3I9PXMudA== and no more", "Basic [key] and no more"),
        (f"{' ' * 11_995}hunter22", ""),
        ("cannot open C:/Users/ada/model.gguf now", "cannot open [path] now"),
        ("not found:/home/ada/model.gguf now", "not found:[path] now"),
        ("not '/Users/Ada King/a.gguf' now", "not '[path]' now"),
        ("not 'C:\\Users\\Ada King\\a.gguf' now", "not '[path]' now"),
        ("at ~ada/models/a.gguf", "at [path]"),
        # What is no key and no path stays readable.
        ("http://localhost:11434/api/chat failed", "http://localhost:11434/api/chat failed"),
        ("as mixed=yes and 12345678901234567890", "as mixed=yes and 12345678901234567890"),
        (
            "The model `claude-sonnet-4-5-20250929` does not exist.",
            "The model `claude-sonnet-4-5-20250929` does not exist.",
        ),
        (
            "See https://platform.openai.com/account/billing, and/or ask; 3/4 tokens/min.",
            "See https://platform.openai.com/account/billing, and/or ask; 3/4 tokens/min.",
        ),
        ("Unknown path /v1/chats", "Unknown path [path]"),
        (QUOTA, QUOTA),
    ],
)
def test_nothing_of_a_key_or_a_path_is_in_it(said: str, told: str) -> None:
    """U2: whatever stands around it; and all of it is one line of plain words."""
    secrets = ["hunter22", "p/q+r==s.t"]
    assert mask_for_people(said, secrets) == told.replace("[known]", "[key]")


def test_a_key_in_two_sentences_is_one() -> None:
    """U2: a provider that writes it over two lines, or into two fields."""
    body = {"error": {"message": "Your key is hunter", "detail": "22 and wrong"}}
    assert said_by(Refused(body), ["hunter22"]) == "Your key is [key] and wrong"


@pytest.mark.parametrize(
    "words",
    [
        "<!--a-->" * 100,
        f"<html>{'<' * 19_000}",
        f"<html>{'<style ' * 2_700}",
        "a" * 20_000,
        "a-" * 10_000,
        "*-" * 10_000,
        "aaaaaaaaaaaaaa1-" * 2_000,
        "-eyJ" * 500_000,
        "word and other words " * 500_000,
    ],
    ids=lambda words: words[:8],
)
def test_no_words_hold_the_server(words: str) -> None:
    """U2, L5: what a provider writes is read in a time that grows with its length alone."""
    many = {"errors": [words, *(f"{at} {words[:20_000]}" for at in range(100))]}
    began = time.process_time()
    stop_chat_error(Refused(many, words), ["hunter22"], tells=True)
    # Half a minute, and for comments longer than anybody lives, is what it must not take.
    assert time.process_time() - began < 10


def test_a_key_that_is_cut_in_two_is_not_in_the_log() -> None:
    """L5: of much, the beginning is written down, without the beginning of a key."""
    words = f"{'sk-' + 'x' * 19_000} {'y ' * 470}hunter22"
    detail = str(stop_chat_error(Refused(None, words), ["hunter22"]))
    assert "hunt" not in detail
    assert "[key] y y" in detail


@pytest.mark.parametrize(
    "part",
    [
        "x",
        "x1",
        "*",
        "/a",
        "a:\\",
        "\\",
        "key:",
        "key ",
        "eyJa.",
        "sk-a",
        "-",
        " ",
        "://a:",
        "Bearer ",
        "[",
        "~/",
    ],
)
def test_no_answer_takes_long(part: str) -> None:
    """U2: whatever its provider says, nobody waits for it to be cleaned."""
    began = time.thread_time()
    mask_for_people(part * 20_000)
    assert time.thread_time() - began < SOON


def test_no_half_of_a_key_is_left_where_it_is_cut() -> None:
    """U2: a key that is known is taken out before anything is cut off."""
    secret = "my secret with blanks and no digits"
    for before in range(550, 640):
        assert "secret" not in mask_for_people("x" * before + " " + secret, [secret])
        assert "secret" not in mask_for_people(
            "word " * 470 + "y" * (before - 550) + secret, [secret]
        )


def test_much_is_cut() -> None:
    """U2: a page has room for a sentence, not for a novel."""
    told = said_by(Refused({"message": "very long words " * 10_000}))
    assert told is not None
    assert len(told) == MAX_SAID
    assert told.endswith("…")
