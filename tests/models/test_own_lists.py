"""What a provider itself says: which models it has, and whether it takes a key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from jupyter_stop_chat.local_model import CONTEXT
from jupyter_stop_chat.models import BUILT_IN, PROVIDERS, Models, building
from jupyter_stop_chat.models.kept import Takes
from jupyter_stop_chat.models.key_file import KeyFile
from jupyter_stop_chat.models.keys import Given
from jupyter_stop_chat.models.places import place_of, trial_of
from jupyter_stop_chat.models.trying import Trial
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import ModelInfo
from jupyter_stop_chat.wire.secrets import mask_for_people
from tests.providers.answers import Answers

KEY = "sk-canary-0123456789abcdef"


pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def models(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Models]:
    models = Models(tmp_path, key_file=KeyFile(tmp_path / "keys.json", lambda: None))
    yield models
    jp_asyncio_loop.run_until_complete(models.close())


def names(listed: Any, provider: str) -> list[str]:
    return [each.id.partition(":")[2] for each in listed.models if each.provider == provider]


async def test_a_provider_tells_which_models_it_has(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U7: its own list is what is shown, asked for once, without what does not chat."""
    await models.set_choice("server", BUILT_IN)
    data = [{"id": each} for each in ("gpt-9", "gpt-5", "whisper-1", "text-embedding-3", "tts-1")]
    async with Answers(lambda sent: (200, {"data": data})) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
        assert names(await models.listed(), "openai") == list(PROVIDERS["openai"].models)
        assert server.lines == [], "nobody is asked without a key"
        assert (await models.give_key("server", "openai", KEY)).accepted
        for _ in range(3):
            listed = await models.listed()
            assert names(listed, "openai") == ["gpt-5", "gpt-9"]
        assert len(server.lines) == 2, "the key was tried, and the list asked for, once each"
        assert all("/models" in line for line in server.lines)
        (provider,) = [each for each in listed.providers if each.name == "openai"]
        assert provider.keys_url is None, "it is another server's key"


async def test_what_is_suggested_stands_in_for_a_list_that_is_not_told(models: Models) -> None:
    """U7: a provider that does not answer is no reason to show nothing."""
    await models.give_key("server", "openai", KEY)
    assert names(await models.listed(), "openai") == list(PROVIDERS["openai"].models)


async def test_each_providers_way_to_list(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """U7: Anthropic's header and path, and how others say what does not chat."""
    await models.set_choice("server", BUILT_IN)
    async with Answers(lambda sent: (200, {"data": [{"id": "claude-9"}]})) as server:
        monkeypatch.setenv("ANTHROPIC_API_URL", server.base_url.removesuffix("/v1"))
        await models.give_key("server", "anthropic", KEY)
        assert names(await models.listed(), "anthropic") == ["claude-9"]
        assert server.lines[-1].startswith("GET /v1/models")
    given = Given(models.keys.given("server", "anthropic").key)
    place = place_of("anthropic", {}, given)
    assert place is not None
    assert place.headers == {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
    google = place_of("google_genai", {}, given)
    assert google is not None
    assert google.headers == {"x-goog-api-key": KEY}
    assert KEY not in repr(google)
    data = {
        "models": [
            {"name": "models/gemini-9", "supportedGenerationMethods": ["generateContent"]},
            {"name": "models/aqa", "supportedGenerationMethods": ["generateAnswer"]},
            {"id": "m-chat", "capabilities": {"completion_chat": True}, "type": "chat"},
            {"id": "m-no", "capabilities": {"completion_chat": False}},
            {"id": "flux", "type": "image"},
        ]
    }
    async with Answers(lambda sent: (200, data)) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
        await models.give_key("server", "openai", KEY)
        assert names(await models.listed(), "openai") == ["gemini-9", "m-chat"]


@pytest.mark.parametrize(
    ("provider", "parameters"),
    [
        ("openai", {"openai_api_base": "http://inside/v1"}),
        ("anthropic", {"anthropic_api_url": "http://inside"}),
        ("mistralai", {"endpoint": "http://inside/v1"}),
        ("deepseek", {"api_base": "http://inside/v1"}),
        ("openai", {"base_url": SecretStr("http://inside/v1")}),
        ("google_genai", {"client_options": {"api_endpoint": "inside"}}),
    ],
)
def test_a_key_goes_nowhere_but_to_the_address_that_is_set_up(
    provider: str, parameters: dict[str, Any]
) -> None:
    """U6, U7: whatever it is called there, a key for it is not shown to the provider itself."""
    for key in ("api_key", "other_api_key"):
        place = place_of(provider, parameters | {key: KEY}, Given())
        assert place is None or place.url.startswith("http://inside/")
        trial = trial_of(provider, parameters, Given(SecretStr(KEY)))
        assert trial is None or trial.url.startswith("http://inside/")


def test_the_environments_address_is_the_one_that_prompts_go_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """U7: where two are set, LangChain takes one, and the key goes to that alone."""
    monkeypatch.setenv("OPENAI_API_BASE", "http://first/v1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://second/v1")
    from langchain_openai import ChatOpenAI

    asked = str(ChatOpenAI(api_key=SecretStr(KEY)).root_client.base_url)
    place = place_of("openai", {}, Given(SecretStr(KEY)))
    assert place is not None
    assert place.url == f"{asked}models"


async def test_a_key_that_is_refused_replaces_none(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U6: it is tried at its provider, which says why; the one that was there stays."""
    body = {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}
    answer: list[Any] = [(200, {"data": []})]
    async with Answers(lambda sent: answer[0]) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
        assert (await models.give_key("server", "openai", KEY)).accepted
        answer[0] = (401, body)
        with pytest.raises(StopChatError) as caught:
            await models.give_key("server", "openai", "sk-another-one")
        assert caught.value.code is ErrorCode.KEY_REFUSED
        assert caught.value.said == "Incorrect API key provided: [key]"
        kept = models.keys.given("server", "openai").key
        assert kept is not None
        assert kept.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (402, {"error": {"message": "No money left."}}, ErrorCode.QUOTA_EXCEEDED),
        (403, {"error": {"message": "Missing scopes: api.model.read"}}, ErrorCode.FORBIDDEN),
        (404, "<html>nothing</html>", ErrorCode.WRONG_ADDRESS),
        (503, {"error": {"message": "Overloaded today."}}, ErrorCode.PROVIDER_FAILED),
        (0, None, ErrorCode.PROVIDER_UNREACHABLE),
    ],
)
async def test_a_key_that_could_not_be_tried_is_kept(
    models: Models, monkeypatch: pytest.MonkeyPatch, status: int, body: Any, code: ErrorCode
) -> None:
    """U6: and why is told, in the provider's own words where it has any."""
    async with Answers(lambda sent: (status, body)) as server:
        address = server.base_url if status else "http://127.0.0.1:1"
        monkeypatch.setenv("OPENAI_API_BASE", address)
        trial = await models.give_key("server", "openai", KEY)
    assert not trial.accepted
    assert trial.why is not None
    assert trial.why.code is code
    assert trial.why.said == (body["error"]["message"] if isinstance(body, dict) else None)
    assert models.keys.given("server", "openai").key is not None


async def test_a_provider_without_a_list_keeps_its_key(models: Models) -> None:
    """U6: nowhere to try it, and nothing is claimed."""
    trial = await models.give_key("server", "perplexity", KEY)
    assert (trial.accepted, trial.why) == (False, None)
    assert models.keys.given("server", "perplexity").key is not None


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_list_that_is_open_to_all_says_nothing_of_a_key(
    models: Models, is_open: bool
) -> None:
    """U6: a server of one's own that shows its models to anybody has not accepted a key."""
    async with Answers(lambda sent: (200, {"data": []})) as server:
        server.answer = lambda sent: (
            (401, {}) if len(server.lines) % 2 and not is_open else (200, {"data": []})
        )
        await models.give_address("server", "openai_compatible", server.base_url)
        trial = await models.give_key("server", "openai_compatible", KEY)
        assert (trial.accepted, trial.why) == (not is_open, None)
        # Listed for the address, tried with the key and without, and listed with it.
        assert len(server.lines) == 4


async def test_how_much_a_model_takes(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """U14: as its provider tells, as it is set up, and as its package knows it."""

    async def size_of(model_id: str) -> int | None:
        found = [each for each in (await models.listed()).models if each.id == model_id]
        return found[0].max_input_tokens if found else None

    assert await size_of(BUILT_IN) == CONTEXT
    data = [{"id": "gpt-5", "context_length": 5000}, {"id": "gpt-9"}]
    async with Answers(lambda sent: (200, {"data": data})) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
        await models.give_key("server", "openai", KEY)
        assert await size_of("openai:gpt-5") == 5000
        assert await size_of("openai:gpt-9") is None
        for name in ("gpt-5", "gpt-9"):
            await models.resolve(f"openai:{name}")
        assert await size_of("openai:gpt-5") == 5000, "less than LangChain knows of it"
        assert await size_of("openai:gpt-9") is None


async def _taken(models: Models, model_id: str) -> Takes:
    """Return what the list says that a model takes."""
    about = ModelInfo(id=model_id, label="", provider="", available=True)
    told = await asyncio.to_thread(models._catalogue._sized, about, "server")
    return told.max_input_tokens, told.image_inputs, told.tool_calling


async def test_what_a_model_takes_is_known_before_it_is_built(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U14, W22: LangChain's packages have it in a file, which says what a model of theirs says."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    ids = ("openai:gpt-5", "openai:gpt-3.5-turbo", "anthropic:claude-haiku-4-5", "openai:gpt-99")

    before = [await _taken(models, each) for each in ids]
    assert not len(models._handlers)
    for each in ids:
        await models.resolve(each)
    assert [models._takes(each, "server") for each in ids] == before
    assert [sees for _, sees, _ in before] == [True, False, True, None]
    assert [calls for *_, calls in before] == [True, False, True, None]
    assert before[0][0] > 100_000
    available = {each.id: each for each in await asyncio.to_thread(models.available)}
    assert available["openai:gpt-5"].image_inputs is True


@pytest.mark.parametrize("said", ["import nothing", "_PROFILES = 5", "_PROFILES = {'m': 5}", ""])
async def test_a_package_that_says_anything_of_its_models_spoils_no_list(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """U14: nor does one that is not there; what is set up counts in its place."""
    data = tmp_path / "langchain_groq" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise SystemExit")
    (data / "_profiles.py").write_text(said)
    monkeypatch.syspath_prepend(str(tmp_path))
    for each in ("groq:m", "xai:m", "nobody:m"):
        assert await _taken(models, each) == (None, None, None)
    given = {"profile": {"image_inputs": True, "max_input_tokens": "many"}}
    models._catalogue._parameters = {"groq:m": given}
    assert await _taken(models, "groq:m") == (None, True, None)


async def test_a_refusal_is_read_in_no_time(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U6: also one that is nearly the key, again and again: the watchdog of all tests looks."""
    key = "a" * 1999 + "b"
    said = "Incorrect API key. " + "a " * 7000
    async with Answers(lambda sent: (401, {"error": {"message": said}})) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
        with pytest.raises(StopChatError) as caught:
            await models.give_key("server", "openai", key)
    assert caught.value.code is ErrorCode.KEY_REFUSED
    assert mask_for_people(said, [key]).startswith("Incorrect API key.")


class OddSize:
    """A chat handler of a package that says anything of its size."""

    def __init__(self, size: Any) -> None:
        self._size = size

    @property
    def max_input_tokens(self) -> Any:
        if isinstance(self._size, Exception):
            raise self._size
        return self._size

    async def reply(self, turn: Any) -> Any:
        yield ""

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("size", ["128k", -1, True, 2.5, [], 2**70, RuntimeError("odd")])
async def test_an_odd_size_spoils_no_list(models: Models, size: Any) -> None:
    """U14: what is no number of tokens is not told."""
    models.register("own", lambda name: OddSize(size))
    await models.resolve("own:m")
    assert (await _taken(models, "own:m"))[0] is None
    (await models.listed("server", 0.0)).model_dump_json()


@pytest.mark.parametrize("newer", ["key", "address", "taken back"])
async def test_a_key_that_is_tried_for_long_undoes_nothing_newer(
    models: Models, newer: str
) -> None:
    """U6: nor does it go to an address that it was not given for."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(place: Any) -> Trial:
        if place.key.get_secret_value() == KEY:
            asked.set()
            await go_on.wait()
        return Trial(accepted=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "try_key", slow)
        await models.give_address("server", "openai_compatible", "http://127.0.0.1:1/v1")
        giving = asyncio.create_task(models.give_key("server", "openai_compatible", KEY))
        await asked.wait()
        if newer == "key":
            await models.give_key("server", "openai_compatible", "sk-newer")
        elif newer == "address":
            await models.give_address("server", "openai_compatible", "http://127.0.0.1:2/v1")
        else:
            await models.take_back("server", "openai_compatible")
        go_on.set()
        await giving
    kept = models.keys.given("server", "openai_compatible").key
    assert (kept and kept.get_secret_value()) == ("sk-newer" if newer == "key" else None)
