"""What an administrator allows, locks and turns off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.models import BUILT_IN, Models, Rules
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

ANNA = "user:anna"


pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def make(
    tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Callable[..., Models]]:
    made: list[Models] = []

    def build(**rules: Any) -> Models:
        parameters = rules.pop("parameters", None)
        made.append(Models(tmp_path, rules=lambda: Rules(**rules), parameters=parameters))
        return made[-1]

    yield build
    for each in made:
        jp_asyncio_loop.run_until_complete(each.close())


def code_of(models: Models, wanted: str | None, owner: str = "server") -> ErrorCode | None:
    try:
        models.choose(wanted, owner)
    except StopChatError as error:
        return error.code
    return None


def ids(models: Models, owner: str = "server") -> list[str]:
    return [each.id for each in models.available(owner)]


def test_without_rules_anything_goes(make: Callable[..., Models]) -> None:
    models = make()
    assert code_of(models, "openai:anything-at-all") is None
    assert code_of(models, "local:/models/own.gguf") is None
    assert models.choose(None, "server") == BUILT_IN


def test_a_fixed_list(make: Callable[..., Models], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, and patterns; what is not among them is neither listed nor used."""
    monkeypatch.setenv("OPENAI_API_KEY", "k-0123456")
    models = make(allowed=("anthropic:*", "team:agent"))
    assert code_of(models, "openai:gpt-5") is ErrorCode.MODEL_NOT_ALLOWED
    assert code_of(models, BUILT_IN) is ErrorCode.MODEL_NOT_ALLOWED
    assert code_of(models, "anthropic:claude-new") is None
    assert {each.split(":")[0] for each in ids(models)} == {"team", "anthropic"}
    assert models.default_model() == "team:agent", "openai's, whose key is there, is not allowed"


def test_nothing_that_is_allowed_is_known(make: Callable[..., Models]) -> None:
    models = make(allowed=("openai:gpt-*",))
    assert models.default_model() is None
    assert models.choose(None, "server") is None


async def test_a_lock(make: Callable[..., Models]) -> None:
    models = make(default="ollama:llama3", locked=True)
    assert code_of(models, "openai:gpt-5") is ErrorCode.MODEL_NOT_ALLOWED
    assert code_of(models, None) is None
    assert code_of(models, "ollama:llama3") is None
    assert await asyncio.to_thread(ids, models) == ["ollama:llama3"]
    with pytest.raises(StopChatError) as caught:
        await models.resolve("openai:gpt-5")
    assert caught.value.code is ErrorCode.MODEL_NOT_ALLOWED
    listed = await models.listed()
    assert listed.locked
    assert not listed.any_model


async def test_a_lock_without_a_default_holds_what_is_found(make: Callable[..., Models]) -> None:
    models = make(locked=True)
    assert await asyncio.to_thread(ids, models) == [BUILT_IN]
    assert code_of(models, "local:/models/own.gguf") is ErrorCode.MODEL_NOT_ALLOWED


@pytest.mark.parametrize(
    ("files", "owner", "may"),
    [
        (None, "server", True),
        (None, ANNA, False),
        (True, ANNA, True),
        (False, "server", False),
    ],
)
async def test_files_of_the_server(
    make: Callable[..., Models], files: bool | None, owner: str, may: bool
) -> None:
    """Where people have names, a file of the server is not for everyone to read."""
    models = make(files=files)
    expected = None if may else ErrorCode.MODEL_NOT_ALLOWED
    assert code_of(models, "local:/models/own.gguf", owner) is expected
    assert code_of(models, BUILT_IN, owner) is None
    assert (await models.listed(owner)).model_files is may


@pytest.mark.parametrize(
    ("rules", "owner", "code"),
    [
        ({}, "server", None),
        ({}, ANNA, ErrorCode.NOT_ALLOWED),
        ({"addresses": True}, ANNA, None),
        ({"addresses": False}, "server", ErrorCode.NOT_ALLOWED),
        ({"addresses": True, "keys": False}, "server", ErrorCode.NOT_ALLOWED),
    ],
)
async def test_addresses_of_ones_own(
    make: Callable[..., Models], rules: dict[str, bool], owner: str, code: ErrorCode | None
) -> None:
    """A server that connects wherever somebody says reaches what they cannot."""
    models = make(**rules)
    given = models.give_address(owner, "openai_compatible", "http://127.0.0.1:9/v1")
    if code is None:
        await given
        assert models.keys.given(owner, "openai_compatible").base_url
        return
    with pytest.raises(StopChatError) as caught:
        await given
    assert caught.value.code is code


async def test_giving_keys_can_be_turned_off(make: Callable[..., Models]) -> None:
    """What was given before is not used then, and can still be taken back."""
    models = make()
    await models.give_key("server", "openai", "k-0123456")
    off = make(keys=False)
    await off.keys.refresh()
    with pytest.raises(StopChatError) as caught:
        await off.give_key("server", "openai", "k-new-one")
    assert caught.value.code is ErrorCode.NOT_ALLOWED
    with pytest.raises(StopChatError) as caught:
        await off.resolve("openai:gpt-test")
    assert caught.value.code is ErrorCode.MISSING_KEY
    info = next(each for each in (await off.listed()).providers if each.name == "openai")
    assert (info.key, info.may_give) == (None, False)
    await off.keys.forget_key("server", "openai")
    await models.keys.refresh()
    assert models.keys.given("server", "openai").key is None


@pytest.mark.parametrize("provider", ["no_such", "ollama", "local"])
async def test_who_takes_no_key(make: Callable[..., Models], provider: str) -> None:
    models = make()
    with pytest.raises(StopChatError) as caught:
        await models.give_key("server", provider, "k-0123456")
    assert caught.value.code is ErrorCode.UNKNOWN_PROVIDER


async def test_who_has_an_address_of_its_own(make: Callable[..., Models]) -> None:
    """OpenAI's key, from the environment, must not be sent elsewhere."""
    models = make()
    with pytest.raises(StopChatError) as caught:
        await models.give_address("server", "openai", "http://127.0.0.1:9/v1")
    assert caught.value.code is ErrorCode.UNKNOWN_PROVIDER
