"""A wrong address is called that, a whole answer is a reply, and no proxy is for this machine."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.transports import is_this_machine
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.providers import Provider, Script
from tests.providers.answers import Answers
from tests.providers.chat_models import make_model, make_provider
from tests.providers.reading import Reading

_LOGIN = "<html><body><form>Sign in</form></body></html>"
_WHOLE = {
    "id": "1",
    "choices": [
        {"message": {"role": "assistant", "content": "Good day."}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
}


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic", "ollama"])
async def test_a_web_page_is_a_wrong_address(kind: str) -> None:
    """T9: with status 200, as a single-page application or a login answers."""
    async with Answers(lambda sent: (200, _LOGIN)) as server:
        handler = LangChainHandler(make_model(kind, server.root_for(kind)))
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.WRONG_ADDRESS
        await handler.close()


async def test_a_redirect_to_a_login_page_is_one() -> None:
    """T9."""

    def answer(sent: int) -> Any:
        return (302, "", "text/plain", {"Location": "/login"}) if sent else (200, _LOGIN)

    async with Answers(answer) as server:
        handler = LangChainHandler(make_model("openai", server.base_url))
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.WRONG_ADDRESS
        await handler.close()


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic", "ollama"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_takes_a_prompt_to_another_host(kind: str, status: int) -> None:
    """T9, T11: nor to another port of the same; what the address named is asked, and none else."""
    async with Answers(lambda sent: None) as other, Answers(lambda sent: None) as server:
        for host in ("localhost", "127.0.0.1"):
            moved = {"Location": f"http://{host}:{other.port}/v1/chat/completions"}
            server.answer = lambda sent, moved=moved: (status, "", "text/plain", moved)
            handler = LangChainHandler(make_model(kind, server.root_for(kind)))
            error = await Reading(handler).end()
            assert other.lines == []
            assert isinstance(error, StopChatError), repr(error)
            assert error.code is ErrorCode.WRONG_ADDRESS
            await handler.close()
        assert len(server.lines) == 2


async def test_a_redirect_of_the_same_server_is_followed() -> None:
    """T9: with the prompt, where the server says that the method stays; a loop of them ends."""
    moved = (307, "", "text/plain", {"Location": "/v1/chat/completions/"})
    async with Answers(lambda sent: None) as server:
        server.answer = lambda sent: None if "completions/" in server.lines[-1] else moved
        handler = LangChainHandler(make_model("openai", server.base_url))
        reading = Reading(handler)
        assert await reading.end() is None
        assert reading.text == "Good day."
        server.answer = lambda sent: moved
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.WRONG_ADDRESS
        await handler.close()


async def test_one_whole_answer_is_a_reply() -> None:
    """T9: from a server that does not stream."""
    async with Answers(lambda sent: (200, _WHOLE)) as server:
        handler = LangChainHandler(make_model("openai", server.base_url))
        reading = Reading(handler)
        assert await reading.end() is None
        assert reading.text == "Good day."
        assert [(each.input_tokens, each.output_tokens) for each in reading.usage] == [(7, 2)]
        server.answer = lambda sent: (200, {"hello": "world"})
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError)
        assert error.code is ErrorCode.WRONG_ADDRESS
        server.answer = lambda sent: (200, {"error": "Unexpected endpoint or method. (POST /x)"})
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError)
        assert error.code is ErrorCode.WRONG_ADDRESS
        server.answer = lambda sent: None
        assert await Reading(handler).end() is None
        await handler.close()


async def test_a_stream_by_the_name_of_json_streams() -> None:
    """T9."""
    events = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}\n\ndata: [DONE]\n\n'
    async with Answers(lambda sent: (200, events, "application/json")) as server:
        handler = LangChainHandler(make_model("openai", server.base_url))
        reading = Reading(handler)
        await reading.end()
        assert reading.text == "Hi"
        await handler.close()


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic", "ollama"])
@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
async def test_no_proxy_is_asked_for_a_model_on_this_machine(
    kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T11."""
    provider: Provider = make_provider(kind)
    provider.script = Script(tokens=2)
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    async with provider, Answers(lambda sent: (502, "proxy")) as proxy:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        handler = LangChainHandler(make_model(kind, provider.base_url))
        reading = Reading(handler)
        assert await reading.end() is None
        assert reading.text == "t0 t1 "
        assert proxy.lines == []
        await handler.close()


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("LocalHost.", True),
        ("a.localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("10.0.0.1", False),
        ("api.openai.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, own: bool) -> None:
    """T11."""
    assert is_this_machine(host) is own
