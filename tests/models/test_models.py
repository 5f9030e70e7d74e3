"""Model ids, and what is said of those that cannot be had."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.models import BUILT_IN, ENTRY_POINTS, PROVIDERS, Models, catalogue
from jupyter_stop_chat.ports.handler import ChatHandler, Event, Text, Turn
from jupyter_stop_chat.testing import ScriptedHandler
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.providers import OpenAIProvider, Script
from tests.providers.reading import LONG, Reading, soon

pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def models(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Models]:
    models = Models(tmp_path)
    yield models
    jp_asyncio_loop.run_until_complete(models.close())


async def code_of(models: Models, model_id: str) -> ErrorCode:
    with pytest.raises(StopChatError) as caught:
        await models.resolve(model_id)
    return caught.value.code


@pytest.mark.parametrize("model_id", ["", "gpt", ":gpt", "openai:", ":", "no_such_provider:gpt"])
async def test_ids_that_mean_nothing(model_id: str, models: Models) -> None:
    """L5."""
    assert await code_of(models, model_id) is ErrorCode.UNKNOWN_MODEL


async def test_a_provider_without_its_package(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L5: one that we know, and one that only LangChain knows."""
    monkeypatch.setenv("MISTRAL_API_KEY", "a-key-of-mistral")
    monkeypatch.setitem(sys.modules, "langchain_mistralai", None)
    monkeypatch.setattr(
        catalogue, "find_spec", lambda name: None if "mistral" in name else object()
    )
    assert await code_of(models, "mistralai:small") is ErrorCode.MISSING_PACKAGE
    monkeypatch.setitem(sys.modules, "langchain_cohere", None)
    assert await code_of(models, "cohere:command") is ErrorCode.MISSING_PACKAGE


@pytest.mark.parametrize("model_id", ["openai:gpt-test", "anthropic:claude-test"])
async def test_a_provider_without_its_key(model_id: str, models: Models) -> None:
    """L5."""
    assert await code_of(models, model_id) is ErrorCode.MISSING_KEY


async def test_a_key_that_only_the_library_misses(tmp_path: Path) -> None:
    """L5: an address without a key may do elsewhere; the library says that it does not here."""
    models = Models(tmp_path, parameters={"openai": {"base_url": "http://127.0.0.1:9/v1"}})
    assert await code_of(models, "openai:gpt-test") is ErrorCode.MISSING_KEY
    await models.close()


async def test_a_wrong_parameter_is_told_as_an_error(tmp_path: Path) -> None:
    """L5."""
    models = Models(
        tmp_path, parameters={"openai": {"api_key": "sk-canary-0123456789", "max_retries": "x"}}
    )
    with pytest.raises(StopChatError) as caught:
        await models.resolve("openai:gpt-test")
    assert caught.value.code is ErrorCode.GENERATION_FAILED
    assert "canary" not in str(caught.value)
    await models.close()


async def test_a_model_is_built_once_and_replies(tmp_path: Path) -> None:
    """J7: by `init_chat_model`, with the administrator's parameters; those of the id win."""
    async with OpenAIProvider(Script(tokens=["Good ", "day."])) as provider:
        parameters = {
            "openai": {
                "base_url": provider.base_url,
                "api_key": "k-0123456",
                "temperature": 0.1,
            },
            "openai:gpt-b": {"temperature": 0.9},
        }
        models = Models(tmp_path, parameters=parameters)
        (one, name), (same, _), (other, _) = await asyncio.gather(
            models.resolve("openai:gpt-a"),
            models.resolve("openai:gpt-a"),
            models.resolve("openai:gpt-b"),
        )
        assert name == "gpt-a"
        assert one is same
        assert one is not other
        assert (await models.resolve("openai:gpt-a"))[0] is one
        for handler in (one, other):
            reading = Reading(handler)
            assert await reading.end() is None
            assert reading.text == "Good day."
        bodies = [request.body for request in provider.requests]
        assert [(body["model"], body["temperature"]) for body in bodies] == [
            ("gpt-a", 0.1),
            ("gpt-b", 0.9),
        ]
        assert provider.requests[0].headers["authorization"] == "Bearer k-0123456"
        await models.close()
        await asyncio.wait_for(provider.no_connections(), LONG)


class Slow:
    """What builds a handler in the thread when it is let, and count."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.built = 0
        self.began = threading.Event()
        self.release = threading.Event()
        self.threads: set[str] = set()

    def __call__(self, name: str) -> Any:
        self.began.set()
        self.release.wait(10)
        self.built += 1
        self.threads.add(threading.current_thread().name)
        outcome = self.outcomes.pop(0) if self.outcomes else ScriptedHandler()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


async def test_first_uses_at_once_share_one_build(models: Models) -> None:
    """J6: in a thread of its own, off the loop."""
    slow = Slow()
    models.register("slow", slow)
    waiting = [asyncio.create_task(models.resolve("slow:m")) for _ in range(5)]
    await asyncio.sleep(0)
    slow.release.set()
    found = await asyncio.gather(*waiting)
    assert slow.built == 1
    assert len({id(handler) for handler, _ in found}) == 1
    assert all(name.startswith("stop-chat-import") for name in slow.threads)


async def test_a_stop_while_a_model_is_built_stops_only_the_waiting(models: Models) -> None:
    """V8, J2: who waits is gone at once, and the next one has the model."""
    slow = Slow()
    models.register("slow", slow)
    waiting = asyncio.create_task(models.resolve("slow:m"))
    other = asyncio.create_task(models.resolve("slow:m"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not other.done()
    slow.release.set()
    handler, _ = await other
    assert (await models.resolve("slow:m"))[0] is handler
    assert slow.built == 1


async def test_a_failed_build_is_tried_again(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V3: whoever waits for it is told; the person mends it and sends again."""
    slow = Slow(StopChatError(ErrorCode.MISSING_KEY))
    models.register("slow", slow)
    build, waiting_for_it = models._build, []

    async def counted(*what: Any) -> Any:
        waiting_for_it.append(what)
        return await build(*what)

    monkeypatch.setattr(models, "_build", counted)
    waiting = [asyncio.create_task(models.resolve("slow:m")) for _ in range(2)]
    while len(waiting_for_it) < 2:  # noqa: ASYNC110 - each looks for plugins and keys before
        await asyncio.sleep(0)
    slow.release.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {getattr(each, "code", None) for each in found} == {ErrorCode.MISSING_KEY}
    assert slow.built == 1
    handler, _ = await models.resolve("slow:m")
    assert isinstance(handler, ScriptedHandler)
    assert slow.built == 2


async def test_a_build_that_fails_with_nobody_waiting_is_quiet(models: Models) -> None:
    slow = Slow(ValueError("no"))
    models.register("slow", slow)
    waiting = asyncio.create_task(models.resolve("slow:m"))
    assert await asyncio.to_thread(slow.began.wait, LONG)
    waiting.cancel()
    await asyncio.wait({waiting})
    slow.release.set()
    await asyncio.wait(models._building.values())
    assert isinstance((await models.resolve("slow:m"))[0], ScriptedHandler)


async def test_a_forgotten_provider_is_built_anew(models: Models) -> None:
    """L5: a new key is used by the next reply."""
    slow = Slow()
    slow.release.set()
    models.register("slow", slow)
    first, _ = await models.resolve("slow:m")
    models.forget("other")
    assert (await models.resolve("slow:m"))[0] is first
    models.forget("slow")
    assert (await models.resolve("slow:m"))[0] is not first


async def test_a_runnable_of_the_administrator(models: Models) -> None:
    """J7: an agent is wrapped, and so refused when it cannot be stopped."""

    def make(name: str) -> Any:
        from jupyter_stop_chat.testing import ScriptedModel

        model = ScriptedModel(script=[f"I am {name}"])
        if name == "bad":
            return model.with_fallbacks([model], exceptions_to_handle=(BaseException,))
        return model

    models.register("ours", make)
    handler, name = await models.resolve("ours:good:with:colons")
    assert name == "good:with:colons"
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.text == "I am good:with:colons"
    assert await code_of(models, "ours:bad") is ErrorCode.UNSTOPPABLE_MODEL


class Plugin:
    """A chat handler of another package."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        yield Text(f"{self.name} for {turn.model}")

    async def close(self) -> None:
        pass


async def test_a_package_offers_a_provider(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry point comes before LangChain's provider of the same name."""
    points = [
        EntryPoint("openai", f"{__name__}:Plugin", ENTRY_POINTS),
        EntryPoint("broken", "no_such_package:Handler", ENTRY_POINTS),
    ]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: points)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Plugin.__module__])
    handler, _ = await models.resolve("openai:m")
    assert isinstance(handler, Plugin)
    assert await code_of(models, "broken:m") is ErrorCode.MISSING_PACKAGE
    ids = [info.id for info in await asyncio.to_thread(models.available)]
    assert ids[:2] == ["broken:default", "openai:default"]
    assert f"openai:{PROVIDERS['openai'].suggested}" not in ids


async def test_local_models_share_one_handler(models: Models) -> None:
    """B11."""
    from jupyter_stop_chat.chat_handlers.local import LocalHandler

    one, name = await models.resolve("local:smollm2")
    other, path = await models.resolve("local:/somewhere/else.gguf")
    assert isinstance(one, LocalHandler)
    assert one is other
    assert (name, path) == ("smollm2", "/somewhere/else.gguf")


def test_the_default_model(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """B11: the administrator's, else a provider's whose key is there, else the local one."""
    assert models.default_model() == BUILT_IN
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key-of-mine")
    assert models.default_model() == f"anthropic:{PROVIDERS['anthropic'].suggested}"
    monkeypatch.setenv("OPENAI_API_KEY", "another-key")
    assert models.default_model() == f"openai:{PROVIDERS['openai'].suggested}"
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    assert models.default_model() == BUILT_IN


def test_what_is_available(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Say why a model cannot be chosen."""
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-mine")
    monkeypatch.setattr(
        catalogue, "find_spec", lambda name: None if "mistral" in name else object()
    )
    infos = {info.id.split(":")[0]: info for info in models.available()}
    assert infos["openai"].available
    assert infos["openai"].reason is None
    assert infos["anthropic"].reason is ErrorCode.MISSING_KEY
    assert infos["mistralai"].reason is ErrorCode.MISSING_PACKAGE
    assert infos["local"].reason is ErrorCode.LOCAL_MODEL_MISSING
    given = Models(tmp_path, parameters={"anthropic": {"api_key": "given"}})
    infos = {info.id.split(":")[0]: info for info in given.available()}
    assert infos["anthropic"].available


class Closing(ScriptedHandler):
    """What fails, or not, when it is closed."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error

    async def close(self) -> None:
        await super().close()
        if self.error is not None:
            raise self.error


async def test_closing_closes_every_handler_also_when_one_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """L12: the store is closed after them, so what one of them raises is logged and ends there."""
    models = Models(tmp_path)
    bad, good = Closing(OSError("sk-canary-in-its-words")), Closing()
    made: dict[str, ChatHandler] = {"bad": bad, "good": good}
    models.register("ours", made.__getitem__)
    for name in made:
        await models.resolve(f"ours:{name}")
    await models.close()
    assert "Closing could not be closed: OSError" in caplog.text
    assert bad.closed
    assert good.closed


async def test_closing_while_a_model_is_built(tmp_path: Path) -> None:
    """L12: nobody waits for an import at the end of the server."""
    models = Models(tmp_path)
    slow = Slow()
    models.register("slow", slow)
    waiting = asyncio.create_task(models.resolve("slow:m"))
    assert await asyncio.to_thread(slow.began.wait, LONG)
    await asyncio.wait_for(models.close(), LONG)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    slow.release.set()
    assert await code_of(models, "slow:m") is ErrorCode.SHUTTING_DOWN


def test_nothing_heavy_is_imported_until_it_is_used(tmp_path: Path) -> None:
    """Jupyter Server starts as fast as without the extension."""
    program = f"""
import sys, pathlib
from jupyter_stop_chat.models import Models
import jupyter_stop_chat.testing
models = Models(pathlib.Path({str(tmp_path)!r}))
models.available(); models.default_model()
heavy = ("langchain", "langgraph", "openai", "anthropic", "ollama", "xllamacpp", "httpx")
print([name for name in sys.modules if name.split(".")[0].split("_")[0] in heavy])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_a_stop_works_on_a_model_that_was_found(tmp_path: Path) -> None:
    """J7, V1: from the model id to the closed socket."""
    async with OpenAIProvider(Script(tokens=10**9, stall_after=2)) as provider:
        parameters = {"openai": {"base_url": provider.base_url, "api_key": "k"}}
        models = Models(tmp_path, parameters=parameters)
        handler, _ = await models.resolve("openai:gpt-test")
        reading = Reading(handler)
        await soon(reading.first_text)
        assert await reading.stop() == "cancelled"
        await soon(provider.requests[0].closed)
        assert reading.reports == ["started", "closed"]
        await models.close()


def test_the_table_of_providers_agrees_with_langchain() -> None:
    """A name or a package that LangChain does not know would be offered in vain."""
    from langchain.chat_models import base

    from jupyter_stop_chat.models.providers import LANGCHAIN_NAMES

    for name, provider in PROVIDERS.items():
        package, *_ = base._BUILTIN_PROVIDERS[LANGCHAIN_NAMES.get(name, name)]
        assert package.split(".")[0] == provider.package
