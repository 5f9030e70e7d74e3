"""What providers send, word for word, and what is made of it, however the network cuts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.hearing import hooks
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.ports.handler import Finished, TokensUsed
from jupyter_stop_chat.wire.errors import StopChatError
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading, nothing_left
from tests.providers.wire_server import WireProvider

FOLDER = Path(__file__).parent.parent / "providers" / "wire"
#: Each answer by its adapter and its name.
FILES = {
    f"{path.relative_to(FOLDER).parts[0]}-{path.stem}": path for path in FOLDER.rglob("*.http")
}
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())


#: By the byte, each takes long; the plainest of each provider stands for them at each run.
CUTS = [
    pytest.param(
        name, cuts, marks=[pytest.mark.stress] * ("bytes" in cuts and not name.endswith("-whole"))
    )
    for name in EXPECTED
    for cuts in (["whole", "lines", "pieces"], ["bytes"])
]


@pytest.mark.parametrize(("name", "cuts"), CUTS)
async def test_what_providers_send(
    name: str, cuts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T1, T2, T3, T4, T5, T6, T7, T13: and the next prompt is answered after it."""
    adapter = name.partition("-")[0]
    expected = EXPECTED[name]
    sent = FILES[name].read_bytes()
    if b"\nThen: hold\n" not in sent:
        # On a busy machine a body that comes by the byte may take longer than it is waited for.
        monkeypatch.setattr(hooks, "GRACE", 60.0)
    async with WireProvider() as provider:
        root = "/v1" if adapter in {"openai", "responses"} else ""
        handler = LangChainHandler(make_model(adapter, provider.url + root))
        for provider.cut in cuts:
            provider.answers = [sent]
            reading = Reading(handler)
            error = await reading.end()
            code = error.code.value if isinstance(error, StopChatError) else error
            finished = [each.reason for each in reading.events if isinstance(each, Finished)]
            assert {
                "text": reading.text,
                "reasoning": reading.reasoning,
                "finish": finished,
                "error": code,
            } == {
                "text": expected["text"],
                "reasoning": expected.get("reasoning", ""),
                "finish": [expected["finish"]] if "finish" in expected else [],
                "error": expected.get("error"),
            }, provider.cut
            usage = [TokensUsed(*expected["usage"])] if "usage" in expected else []
            assert reading.usage == usage, provider.cut
        provider.answers = [FILES[f"{adapter}-whole"].read_bytes()]
        again = Reading(handler)
        assert await again.end() is None
        assert again.text.startswith("Hello")
        await handler.close()
        await nothing_left()


def test_every_file_has_its_expected_outcome() -> None:
    assert set(FILES) == set(EXPECTED)
    assert len(FILES) == len(list(FOLDER.rglob("*.http")))


async def test_a_model_that_cannot_think_is_asked_again_without() -> None:
    """T7: and from then on it is not asked to think at all."""
    refusal = (
        b"HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n"
        b'{"error": "\\"gemma3\\" does not support thinking"}'
    )
    whole = FILES["ollama-whole"].read_bytes()
    async with WireProvider("whole") as provider:
        handler = LangChainHandler(make_model("ollama", provider.url))
        provider.answers = [refusal, whole, whole]
        for _ in range(2):
            reading = Reading(handler)
            assert await reading.end() is None
            assert reading.text == "Hello"
        assert [each.get("think") for each in provider.requests] == [True, None, None]
        await handler.close()
        await nothing_left()
