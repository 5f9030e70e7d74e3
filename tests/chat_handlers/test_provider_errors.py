"""What providers answer when they refuse, in the words of the closed table."""

from __future__ import annotations

import asyncio
import socket
import ssl
import traceback
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.provider_errors import code_of, stop_chat_error
from jupyter_stop_chat.ports.handler import Finished
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.secrets import mask_keys
from tests.providers import NeverAccepts, Provider, Script, Trouble
from tests.providers.chat_models import KEY, make_model
from tests.providers.reading import Reading

CODES: dict[Trouble, ErrorCode] = {
    "bad_key": ErrorCode.KEY_REFUSED,
    "forbidden": ErrorCode.FORBIDDEN,
    "no_such_model": ErrorCode.MODEL_NOT_FOUND,
    "timeout": ErrorCode.PROVIDER_TIMEOUT,
    "too_large": ErrorCode.CONTEXT_TOO_LONG,
    "context_length": ErrorCode.CONTEXT_TOO_LONG,
    "content_filter": ErrorCode.CONTENT_FILTERED,
    "rate_limit": ErrorCode.RATE_LIMITED,
    "bad_request": ErrorCode.REQUEST_REFUSED,
    "server_error": ErrorCode.PROVIDER_FAILED,
    "overloaded": ErrorCode.PROVIDER_FAILED,
}


def assert_code(error: Any, code: ErrorCode) -> None:
    assert isinstance(error, StopChatError), repr(error)
    assert error.code is code, str(error)
    assert KEY not in str(error)
    assert KEY not in error.sentence
    assert KEY not in error.detail


@pytest.mark.parametrize(("trouble", "code"), CODES.items(), ids=list(CODES))
async def test_a_refusal_gets_its_code(
    trouble: Trouble, code: ErrorCode, handler: LangChainHandler, provider: Provider
) -> None:
    """L5: a code and a plain sentence; the key that some providers echo is masked."""
    provider.script = Script(trouble=trouble)
    reading = Reading(handler)
    assert_code(await reading.end(), code)
    assert reading.reports == ["started", "closed"]
    assert len(provider.requests) == 1


@pytest.mark.parametrize("trouble", ["server_error", "overloaded", "rate_limit"])
async def test_trouble_in_the_middle_keeps_the_text(
    trouble: Trouble, handler: LangChainHandler, provider: Provider
) -> None:
    """V3, T13: an error that a stream tells of after its first words, by number, name or words."""
    provider.script = Script(tokens=9, trouble=trouble, trouble_after=2)
    reading = Reading(handler)
    error = await reading.end()
    assert reading.text == "t0 t1 "
    assert_code(error, CODES[trouble])


async def test_a_connection_that_breaks_off(handler: LangChainHandler, provider: Provider) -> None:
    """V3: the socket closes in the middle of the body."""
    provider.script = Script(tokens=9, drop_after=2)
    reading = Reading(handler)
    assert_code(await reading.end(), ErrorCode.PROVIDER_FAILED)
    assert reading.text == "t0 t1 "


async def test_a_connection_that_breaks_off_in_a_thought(
    handler: LangChainHandler, provider: Provider
) -> None:
    """U13: it is told as one that breaks off between words."""
    provider.script = Script(tokens=9, reasoning=["Hm. "], drop_after=0)
    reading = Reading(handler)
    assert_code(await reading.end(), ErrorCode.PROVIDER_FAILED)
    assert reading.reasoning == "Hm. "
    assert reading.events[-1] == Finished("cut_off")


async def test_nobody_listens(kind: str) -> None:
    """L5: a refused connection."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        handler = LangChainHandler(
            make_model(kind, f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
        )
        assert_code(await Reading(handler).end(), ErrorCode.PROVIDER_UNREACHABLE)
        await handler.close()


async def test_no_such_host(kind: str) -> None:
    """L5: a name that does not resolve."""
    handler = LangChainHandler(make_model(kind, "http://no-such-host.invalid/v1"))
    assert_code(await Reading(handler).end(), ErrorCode.PROVIDER_UNREACHABLE)
    await handler.close()


async def test_tls_where_there_is_none(kind: str, provider: Provider) -> None:
    """L5: a failed handshake."""
    handler = LangChainHandler(make_model(kind, provider.base_url.replace("http:", "https:")))
    assert_code(await Reading(handler).end(), ErrorCode.PROVIDER_UNREACHABLE)
    await handler.close()


async def test_a_provider_that_does_not_answer_in_time(kind: str, provider: Provider) -> None:
    """L5: the client library's own time limit."""
    provider.script = Script(stall="before_headers")
    more: dict[str, Any] = (
        {"async_client_kwargs": {"timeout": 0.05}} if kind == "ollama" else {"timeout": 0.05}
    )
    handler = LangChainHandler(make_model(kind, provider.base_url, **more))
    assert_code(await Reading(handler).end(), ErrorCode.PROVIDER_TIMEOUT)
    await handler.close()


async def test_a_provider_that_takes_no_connection_in_time(kind: str) -> None:
    """L5."""
    more: dict[str, Any] = (
        {"async_client_kwargs": {"timeout": 0.05}} if kind == "ollama" else {"timeout": 0.05}
    )
    with NeverAccepts() as silent:
        handler = LangChainHandler(make_model(kind, f"{silent.origin}/v1", **more))
        assert_code(await Reading(handler).end(), ErrorCode.PROVIDER_TIMEOUT)
        await handler.close()


async def test_a_reply_that_the_filter_ended(
    kind: str, handler: LangChainHandler, provider: Provider
) -> None:
    """L5, T5: what came before it is kept, and how it ended is told; else it is a failure."""
    if kind == "ollama":
        pytest.skip("Ollama has no filter")
    provider.script = Script(tokens=2, filtered=True)
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.text == "t0 t1 "
    reason = "refusal" if kind == "anthropic" else "content_filter"
    assert reading.events[-1] == Finished(reason)
    provider.script = Script(tokens=0, filtered=True)
    assert_code(await Reading(handler).end(), ErrorCode.CONTENT_FILTERED)


class _Status(Exception):
    def __init__(self, status: int, **more: Any) -> None:
        super().__init__("no")
        self.status_code = status
        self.__dict__.update(more)


class _Google(Exception):
    """Shaped like `google.genai.errors.APIError`."""

    def __init__(self, code: int, status: str) -> None:
        super().__init__(f"{code} {status}")
        self.code = code
        self.status = status


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (_Status(401), ErrorCode.KEY_REFUSED),
        (_Status(418), ErrorCode.REQUEST_REFUSED),
        (_Status(502), ErrorCode.PROVIDER_FAILED),
        (_Status(504), ErrorCode.PROVIDER_TIMEOUT),
        (_Status(429, code="insufficient_quota"), ErrorCode.QUOTA_EXCEEDED),
        (_Status(200, body={"error": {"type": "overloaded_error"}}), ErrorCode.PROVIDER_FAILED),
        (_Google(400, "INVALID_ARGUMENT"), ErrorCode.REQUEST_REFUSED),
        (_Google(403, "PERMISSION_DENIED"), ErrorCode.FORBIDDEN),
        (_Google(429, "RESOURCE_EXHAUSTED"), ErrorCode.RATE_LIMITED),
        (_Google(503, "UNAVAILABLE"), ErrorCode.PROVIDER_FAILED),
        (TimeoutError(), ErrorCode.PROVIDER_TIMEOUT),
        (ConnectionRefusedError(), ErrorCode.PROVIDER_UNREACHABLE),
        (ConnectionResetError(), ErrorCode.PROVIDER_FAILED),
        (socket.gaierror(), ErrorCode.PROVIDER_UNREACHABLE),
        (ssl.SSLError(), ErrorCode.PROVIDER_UNREACHABLE),
        (ValueError("anything"), ErrorCode.GENERATION_FAILED),
        (StopChatError(ErrorCode.TOO_MANY_STUCK), ErrorCode.TOO_MANY_STUCK),
    ],
    ids=repr,
)
def test_the_code_of_an_exception(error: BaseException, code: ErrorCode) -> None:
    """L5."""
    assert code_of(error) is code


def test_the_cause_says_what_its_wrapper_does_not() -> None:
    """L5: libraries wrap one exception in another."""
    outer = RuntimeError("it failed")
    outer.__cause__ = _Status(404)
    assert code_of(outer) is ErrorCode.MODEL_NOT_FOUND
    hidden = RuntimeError("it failed")
    hidden.__context__ = _Status(404)
    hidden.__suppress_context__ = True
    assert code_of(hidden) is ErrorCode.GENERATION_FAILED
    circle = RuntimeError("round")
    circle.__cause__ = circle
    assert code_of(circle) is ErrorCode.GENERATION_FAILED


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: {KEY}.",
        "Authorization: Bearer s3cr3t-value",
        "GET https://x.test/v1?key=s3cr3t-value&alt=sse",
        "x-api-key: s3cr3t-value",
        "https://user:s3cr3t-value@proxy.test:3128",
        "the AIzaSyA-s3cr3t-value0 is wrong",
        "what I set is s3cr3t-value",
        "and the other: an-odd-one",
    ],
)
def test_keys_are_masked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: what looks like a key, what is one in the environment, what was given as one."""
    monkeypatch.setenv("ODD_API_KEY", "s3cr3t-value")
    masked = mask_keys(text, ["an-odd-one"])
    assert "s3cr3t" not in masked
    assert KEY not in masked
    assert "odd-one" not in masked
    assert "[key]" in masked


def test_plain_words_are_left_alone() -> None:
    text = "The model `gpt-5` said: ask-again, task-force, 12 tokens."
    assert mask_keys(text) == text


def test_a_long_answer_is_cut() -> None:
    assert len(stop_chat_error(ValueError("x" * 10**6)).detail) == 2000


async def test_a_key_of_the_model_itself_is_masked() -> None:
    """L5: a key of no known form, which only the model knows."""
    from langchain_openai import ChatOpenAI

    class Echoes(ChatOpenAI):
        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            raise ValueError(f"with {self.openai_api_key.get_secret_value()} it failed")
            yield

    model = Echoes(model="m", api_key="correct-horse-battery", base_url="http://127.0.0.1:9/")
    error = await Reading(LangChainHandler(model)).end()
    assert isinstance(error, StopChatError)
    assert "correct-horse" not in error.detail
    assert "[key]" in error.detail
    assert "correct-horse" in "".join(traceback.format_exception(error.__cause__))


async def test_a_stopped_reply_has_no_error(handler: LangChainHandler, provider: Provider) -> None:
    """L3, V3: what goes wrong after the stop is no failure."""
    script = Script(tokens=9, trouble="server_error", trouble_after=2, stall_after=2)
    provider.script = script
    reading = Reading(handler)
    request = await asyncio.wait_for(provider.next_request(), 10)
    await request.stalled.wait()
    reading.stopped = True
    script.resume.set()
    assert await reading.end() is None
