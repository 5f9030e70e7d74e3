"""A key that was given is used, for its owner alone, and let go of when it changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from packaging.version import Version

from jupyter_stop_chat.models import PROVIDERS, Models, Rules
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.providers import AnthropicProvider, OllamaProvider, OpenAIProvider, Script
from tests.providers.reading import LONG, Reading, soon

ANNA, BEN = "user:anna", "user:ben"
#: From which version on OpenAI's client always keeps a connection for the next request.
KEEPS = Version("3.52")


pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def make(
    tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Callable[..., Models]]:
    made: list[Models] = []

    def build(parameters: Any = None, **rules: Any) -> Models:
        made.append(Models(tmp_path, rules=lambda: Rules(**rules), parameters=parameters))
        return made[-1]

    yield build
    for each in made:
        jp_asyncio_loop.run_until_complete(each.close())


async def reply(models: Models, model_id: str, owner: str = "server") -> None:
    handler, _ = await models.resolve(model_id, owner)
    assert await Reading(handler).end() is None


def bearer(provider: Any, at: int = -1) -> str:
    sent: str = provider.requests[at].headers["authorization"]
    return sent.removeprefix("Bearer ")


async def test_a_given_key_is_used_for_its_owner_alone(make: Callable[..., Models]) -> None:
    """J6: two people, two keys, one model id; a third has none."""
    async with OpenAIProvider(Script(tokens=2)) as provider:
        models = make({"openai:gpt-test": {"base_url": provider.base_url}})
        await models.give_key(ANNA, "openai", "key-of-anna")
        await models.give_key(BEN, "openai", "key-of-ben")
        for owner, key in ((ANNA, "key-of-anna"), (BEN, "key-of-ben"), (ANNA, "key-of-anna")):
            await reply(models, "openai:gpt-test", owner)
            assert bearer(provider) == key
        assert (await models.resolve("openai:gpt-test", ANNA))[0] is not (
            await models.resolve("openai:gpt-test", BEN)
        )[0]
        await models.keys.forget_key(ANNA, "openai")
        with pytest.raises(StopChatError) as caught:
            await models.resolve("openai:other", ANNA)
        assert caught.value.code is ErrorCode.MISSING_KEY
        await reply(models, "openai:gpt-test", BEN)
        assert bearer(provider) == "key-of-ben"


async def test_the_environment_goes_first(
    make: Callable[..., Models], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with OpenAIProvider(Script(tokens=2)) as provider:
        models = make({"openai:gpt-test": {"base_url": provider.base_url}})
        await models.give_key("server", "openai", "key-that-was-given")
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-environment")
        await reply(models, "openai:gpt-test")
        assert bearer(provider) == "key-of-the-environment"
        info = next(each for each in (await models.listed()).providers if each.name == "openai")
        assert (info.key, info.may_give) == ("environment", False)


async def test_a_new_key_closes_the_idle_connections_of_the_old_one(
    make: Callable[..., Models],
) -> None:
    """L5: nothing that was signed with the old key stays open; the next reply has the new one."""
    async with OpenAIProvider(Script(tokens=2)) as provider:
        models = make({"openai:gpt-test": {"base_url": provider.base_url}})
        await models.give_key("server", "openai", "old-key")
        await reply(models, "openai:gpt-test")
        # For the next request; an older client keeps it only if the end came along with [DONE].
        if Version(openai.__version__) >= KEEPS:
            assert provider.open_connections == 1
        await models.give_key("server", "openai", "new-key")
        await asyncio.wait_for(provider.no_connections(), LONG)
        await reply(models, "openai:gpt-test")
        assert bearer(provider) == "new-key"


async def test_a_reply_that_is_being_made_keeps_its_model(make: Callable[..., Models]) -> None:
    """L5: a new key ends nothing; its connection is closed when the reply has ended."""
    script = Script(tokens=6, stall_after=2)
    async with OpenAIProvider(script) as provider:
        models = make({"openai:gpt-test": {"base_url": provider.base_url}})
        await models.give_key("server", "openai", "old-key")
        handler, _ = await models.resolve("openai:gpt-test")
        reading = Reading(handler)
        await soon(reading.first_text)
        await models.give_key("server", "openai", "new-key")
        await asyncio.gather(*models._retiring.tasks)
        assert provider.open_connections == 1
        script.resume.set()
        assert await reading.end() is None
        assert reading.text == "t0 t1 t2 t3 t4 t5 "
        await asyncio.wait_for(provider.no_connections(), LONG)


async def test_an_anthropic_key_changes_the_same_way(make: Callable[..., Models]) -> None:
    async with AnthropicProvider(Script(tokens=2)) as provider:
        models = make({"anthropic:claude-test": {"base_url": provider.base_url}})
        for key in ("old-key", "new-key"):
            await models.give_key("server", "anthropic", key)
            await reply(models, "anthropic:claude-test")
            assert any(key in value for value in provider.requests[-1].headers.values())
        await models.keys.forget_key("server", "anthropic")
        await asyncio.wait_for(provider.no_connections(), LONG)


async def test_an_address_of_ones_own(
    make: Callable[..., Models], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its models are listed; it gets its own key, or none, and never OpenAI's."""
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai")
    async with OpenAIProvider(Script(tokens=2)) as provider:
        models = make()
        await models.give_address("server", "openai_compatible", provider.base_url)
        await reply(models, "openai_compatible:any")
        assert "key-of-openai" not in str(provider.requests[-1].headers)
        assert provider.requests[-1].path == "/v1/chat/completions"
        await models.give_key("server", "openai_compatible", "key-of-it")
        await reply(models, "openai_compatible:any")
        assert bearer(provider) == "key-of-it"
        listed = await models.listed()
        assert "openai_compatible:gpt-test" in [each.id for each in listed.models]
        info = next(each for each in listed.providers if each.name == "openai_compatible")
        assert info.base_url == provider.base_url
        assert "key-of" not in listed.model_dump_json()


async def test_an_address_is_not_told_to_others(make: Callable[..., Models]) -> None:
    models = make(addresses=True)
    await models.give_address(ANNA, "openai_compatible", "http://127.0.0.1:1/secret-place")
    assert "secret-place" not in (await models.listed(BEN)).model_dump_json()
    with pytest.raises(StopChatError) as caught:
        await models.resolve("openai_compatible:any", BEN)
    assert caught.value.code is ErrorCode.MISSING_KEY


async def test_ollama_lists_what_it_has(
    make: Callable[..., Models], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it runs; where it does not, nothing is listed and nobody waits."""
    models = make()
    assert not [each for each in (await models.listed()).models if each.provider == "ollama"]
    async with OllamaProvider() as provider:
        monkeypatch.setenv("OLLAMA_HOST", provider.base_url.removeprefix("http://"))
        listed = await make().listed()
        found = [each for each in listed.models if each.provider == "ollama"]
        assert found
        assert all(each.available for each in found)


async def test_a_key_of_the_environment_is_cleaned_too(
    make: Callable[..., Models], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T15: what stands around it goes; what no header can carry is told in words."""
    async with OpenAIProvider(Script(tokens=2)) as provider:
        models = make({"openai:gpt-test": {"base_url": provider.base_url}})
        monkeypatch.setenv("OPENAI_API_KEY", "“a-key-of-mine”\n")
        await reply(models, "openai:gpt-test")
        assert bearer(provider) == "a-key-of-mine"
        models = make({"openai:gpt-test": {"base_url": provider.base_url}})
        monkeypatch.setenv("OPENAI_API_KEY", "ключ")
        with pytest.raises(StopChatError) as caught:
            await models.resolve("openai:gpt-test")
        assert caught.value.code is ErrorCode.INVALID_KEY


async def test_a_keychain_that_is_unlocked_later_works_from_then_on(tmp_path: Path) -> None:
    """R4: until then the message says so, and nothing is sent in the place of the key."""
    from jupyter_stop_chat.models.key_file import KeyFile
    from tests.models.test_keys import Chain

    class Locks(Chain):
        locked = False

        def get_password(self, service: str, username: str) -> str | None:
            if self.locked:
                raise RuntimeError("locked")
            return super().get_password(service, username)

    chain, path = Locks(), tmp_path / "keys.json"
    async with OpenAIProvider(Script(tokens=2)) as provider:
        first = Models(tmp_path, key_file=KeyFile(path, lambda: chain))
        await first.give_address("server", "openai_compatible", provider.base_url)
        await first.give_key("server", "openai_compatible", "the-key")
        await first.close()
        chain.locked = True
        models = Models(tmp_path, key_file=KeyFile(path, lambda: chain))
        with pytest.raises(StopChatError) as caught:
            await models.resolve("openai_compatible:m")
        assert caught.value.code is ErrorCode.KEYCHAIN_LOCKED
        assert provider.requests == []
        chain.locked = False
        await reply(models, "openai_compatible:m")
        assert bearer(provider) == "the-key"
        await models.close()


async def test_a_provider_whose_key_is_locked_stays_the_chosen_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4, B11: another is not taken for it in silence, whoever chose it; the message says why."""
    from jupyter_stop_chat.models.key_file import KeyFile
    from tests.models.test_keys import Chain

    class Locks(Chain):
        locked = False

        def get_password(self, service: str, username: str) -> str | None:
            if self.locked:
                raise RuntimeError("locked")
            return super().get_password(service, username)

    for known in PROVIDERS.values():
        for name in known.keys:
            monkeypatch.delenv(name, raising=False)
    path, chain = tmp_path / "keys.json", Locks()
    first = Models(tmp_path, key_file=KeyFile(path, lambda: chain))
    await first.give_key("server", "openai", "the-key")
    chosen = first.default_model()
    assert chosen is not None
    assert chosen.startswith("openai:")
    await first.close()
    chain.locked = True
    for default in ("", "openai:gpt-other"):
        models = Models(
            tmp_path,
            key_file=KeyFile(path, lambda: chain),
            rules=lambda default=default: Rules(default=default),
        )
        listed = await models.listed("server", 0.0)
        assert listed.default_model == models.default_model() == (default or chosen)
        (info,) = [each for each in listed.models if each.id == listed.default_model]
        assert (info.available, info.reason) == (False, ErrorCode.KEYCHAIN_LOCKED)
        with pytest.raises(StopChatError) as caught:
            await models.resolve(listed.default_model)
        assert caught.value.code is ErrorCode.KEYCHAIN_LOCKED
        await models.close()


async def test_a_locked_key_outlives_the_same_address_given_again(tmp_path: Path) -> None:
    """R4: what is not given now is not forgotten; the list says what is the matter."""
    from jupyter_stop_chat.models.key_file import KeyFile
    from tests.models.test_keys import Chain

    class Locks(Chain):
        locked = False

        def get_password(self, service: str, username: str) -> str | None:
            if self.locked:
                raise RuntimeError("locked")
            return super().get_password(service, username)

    chain, path = Locks(), tmp_path / "keys.json"
    address = "http://127.0.0.1:9/v1"
    first = Models(tmp_path, key_file=KeyFile(path, lambda: chain))
    await first.give_address("server", "openai_compatible", address)
    await first.give_key("server", "openai_compatible", "the-key")
    await first.give_key("server", "openai", "another-key")
    await first.close()
    chain.locked = True
    models = Models(tmp_path, key_file=KeyFile(path, lambda: chain))
    await models.give_address("server", "openai_compatible", address)
    reasons = {each.reason for each in (await models.listed()).models if each.provider == "openai"}
    assert reasons == {ErrorCode.KEYCHAIN_LOCKED}
    chain.locked = False
    await models.resolve("openai:gpt-test")
    await models.resolve("openai_compatible:m")
    key = models.keys.given("server", "openai_compatible").key
    assert key is not None
    assert key.get_secret_value() == "the-key"
    await models.close()


async def test_a_keychain_that_hangs_costs_nobody_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4: it is asked in one thread; who needs no key of it goes on meanwhile."""
    from jupyter_stop_chat.models import keys
    from jupyter_stop_chat.models.key_file import KeyFile
    from tests.models.test_keys import Chain

    asked: list[str] = []
    begun, opened = threading.Event(), threading.Event()

    class StandIn:
        async def reply(self, turn: Any) -> None:
            """Make no reply."""

        async def close(self) -> None:
            """Close nothing."""

    class Hangs(Chain):
        hangs = False

        def get_password(self, service: str, username: str) -> str | None:
            if self.hangs:
                asked.append(username)
                begun.set()
                opened.wait(60)
            return super().get_password(service, username)

    chain, path = Hangs(), tmp_path / "keys.json"
    first = Models(tmp_path, key_file=KeyFile(path, lambda: chain))
    for provider in ("openai", "anthropic", "groq"):
        await first.give_key("server", provider, "the-key")
    await first.close()
    chain.hangs = True
    monkeypatch.setattr(keys, "QUICK_S", 0.0)
    models = Models(tmp_path, key_file=KeyFile(path, lambda: chain))
    models.register("mine", lambda name: StandIn())
    await models.resolve("mine:x")
    assert (await models.listed()).models
    await asyncio.to_thread(begun.wait, 10)
    await models.resolve("mine:y")
    assert len(asked) == 1, "one look at a time"
    opened.set()
    await models.resolve("openai:gpt-test")
    await models.close()
