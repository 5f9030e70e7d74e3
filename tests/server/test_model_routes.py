"""Models, keys and the local model's weights over HTTP, as a page and a script use them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider, User
from tornado.httpclient import HTTPClientError

from jupyter_stop_chat.local_model import CONTEXT
from jupyter_stop_chat.local_model.weights import SMOLLM2, Progress, weights_path
from tests.aids.in_turn import in_turn
from tests.aids.ports import listening
from tests.providers import OpenAIProvider, Script

CANARY = "sk-canary-0123456789"


pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")


@pytest.fixture
def call(jp_fetch: Any, app: Any) -> Any:
    app.titles = "prompt"

    async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        try:
            answer = await jp_fetch(
                *("api", "stop-chat", *path.split("/")),
                method=method,
                body=text,
                allow_nonstandard_methods=True,
            )
        except HTTPClientError as error:
            answer = error.response
        return answer.code, json.loads(answer.body) if answer.body else None

    return ask


def provider_of(listed: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in listed["providers"] if each["name"] == name)
    return found


async def test_a_server_that_is_slow_to_list_its_models_delays_nothing(
    call: Any, jp_fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T14: the first look answers at once, and one that waits has the rest."""
    go_on, asked = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await go_on.wait()
        body = json.dumps({"models": [{"name": f"m{at}"} for at in range(3000)]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with listening(answer) as port:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
        for _ in range(2):
            _, listed = await call("GET", "models")
            assert listed["asking"] is True
            assert [each for each in listed["models"] if each["provider"] == "ollama"] == []
        await asked.wait()
        waits = asyncio.ensure_future(jp_fetch("api", "stop-chat", "models", params={"wait": "1"}))
        _, again = await call("GET", "models")
        assert again == listed
        assert not waits.done()
        go_on.set()
        whole = json.loads((await waits).body)
        assert whole["asking"] is False
        assert len([each for each in whole["models"] if each["provider"] == "ollama"]) == 3000
        _, listed = await call("GET", "models")
        assert listed == whole


async def test_what_there_is(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """B11, U6: each provider, what it lacks, where its keys are made; the local one is marked."""
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_BASE")
    status, listed = await call("GET", "models")
    assert status == 200
    assert provider_of(listed, "openai") == {
        "name": "openai",
        "label": "OpenAI",
        "installed": True,
        "package": "langchain-openai",
        "takes_key": True,
        "may_give": True,
        "keys_url": "https://platform.openai.com/api-keys",
        "account_url": "https://platform.openai.com/settings/organization/billing/overview",
    }
    assert not provider_of(listed, "ollama")["takes_key"]
    (local,) = [each for each in listed["models"] if each["local"]]
    assert local == {
        "id": "local:smollm2",
        "label": "SmolLM2",
        "provider": "local",
        "local": True,
        "available": False,
        "reason": "local_model_missing",
        "max_input_tokens": CONTEXT,
        "image_inputs": False,
        "tool_calling": False,
    }
    assert listed["default_model"] == "local:smollm2"
    assert listed["any_model"]
    assert not listed["locked"]


async def test_a_choice_is_for_all_prompts_that_name_no_model(call: Any, jp_fetch: Any) -> None:
    """U8: those of a notebook's cells too; it can be taken back, and has to be a model's id."""
    assert (await call("PUT", "models/choice", {"model": "openai:mine"})) == (204, None)
    _, listed = await call("GET", "models")
    assert (listed["chosen"], listed["default_model"]) == ("openai:mine", "openai:mine")
    asked = await jp_fetch("api", "stop-chat", "generate", method="POST", body='{"body":"Hi"}')
    assert b'"model":"openai:mine"' in asked.body
    for body, status, code in (
        ({"model": "nothing"}, 404, "unknown_model"),
        ({"model": ""}, 400, "invalid_field"),
        ({}, 400, "invalid_field"),
    ):
        refused, answer = await call("PUT", "models/choice", body)
        assert (refused, answer["code"]) == (status, code)
    assert (await call("DELETE", "models/choice")) == (204, None)
    _, listed = await call("GET", "models")
    assert "chosen" not in listed
    assert (listed["default_model"], listed["recent"]) == ("local:smollm2", ["openai:mine"])


async def test_a_key_goes_in_and_never_out(call: Any, tmp_path: Path, app: Any) -> None:
    """L5: given, used, replaced and taken back."""
    status, given = await call("PUT", "providers/openai/key", {"key": CANARY})
    assert (status, given["tried"], given["untried"]["code"]) == (
        200,
        False,
        "provider_unreachable",
    )
    _, listed = await call("GET", "models")
    assert provider_of(listed, "openai")["key"] == "given"
    assert CANARY not in json.dumps(listed)
    assert listed["default_model"].startswith("openai:")
    by_id = {each["id"]: each for each in listed["models"]}
    assert by_id[listed["default_model"]]["available"]
    assert (await call("DELETE", "providers/openai/key")) == (204, None)
    assert (await call("DELETE", "providers/openai/key")) == (204, None)
    _, listed = await call("GET", "models")
    assert "key" not in provider_of(listed, "openai")


@in_turn(
    ("name", "body", "status", "code"),
    [
        ("nobody", {"key": "k"}, 404, "unknown_provider"),
        ("openai", {}, 400, "invalid_field"),
        ("openai", {"key": ""}, 400, "invalid_field"),
        ("openai", {"key": "k\nk"}, 400, "invalid_key"),
        ("openai", {"key": 7}, 400, "invalid_field"),
        ("openai", {"key": "k", "owner": "user:anna"}, 400, "invalid_field"),
        ("ollama", {"key": "k"}, 404, "unknown_provider"),
    ],
)
async def test_what_is_refused(
    call: Any, name: str, body: dict[str, Any], status: int, code: str
) -> None:
    got, told = await call("PUT", f"providers/{name}/key", body)
    assert (got, told["code"]) == (status, code)


async def test_an_address_of_ones_own(call: Any) -> None:
    path = "providers/openai_compatible/address"
    address = "http://127.0.0.1:1/v1"
    assert (await call("PUT", path, {"base_url": address}))[0] == 204
    assert (
        provider_of((await call("GET", "models"))[1], "openai_compatible")["base_url"] == address
    )
    assert (await call("DELETE", path))[0] == 204
    assert "base_url" not in provider_of((await call("GET", "models"))[1], "openai_compatible")
    status, told = await call("PUT", path, {"base_url": "file:///etc/passwd"})
    assert (status, told["code"]) == (400, "invalid_address")
    status, told = await call("PUT", "providers/openai/address", {"base_url": address})
    assert (status, told["code"]) == (404, "unknown_provider")


async def test_a_key_from_the_page_answers(call: Any, app: Any, connect: Any) -> None:
    """L5, J2: wrong first, with the next step in its message; then the right one."""
    with OpenAIProvider(Script(trouble="bad_key")).in_thread() as provider:
        app.model_parameters = {"openai:gpt-test": {"base_url": provider.base_url}}
        page = await connect()
        accepted = await page.ask(model="openai:gpt-test")
        message = await page.end_of(accepted["message"]["id"])
        assert message["error"]["code"] == "missing_key"
        await call("PUT", "providers/openai/key", {"key": CANARY + "-wrong"})
        accepted = await page.ask(model="openai:gpt-test")
        message = await page.end_of(accepted["message"]["id"])
        assert message["error"]["code"] == "key_refused"
        assert "Check it, or give another one" in message["error"]["message"]
        provider.script = Script(tokens=["Good ", "day."])
        await call("PUT", "providers/openai/key", {"key": CANARY})
        accepted = await page.ask(model="openai:gpt-test")
        message = await page.end_of(accepted["message"]["id"])
        assert message["state"] == "completed"
        assert provider.requests[-1].headers["authorization"] == f"Bearer {CANARY}"
        assert CANARY not in json.dumps(page.frames)


async def test_a_model_that_is_not_allowed_is_refused_before_anything_is_written(
    call: Any, app: Any, connect: Any
) -> None:
    app.allowed_models = ["local:smollm2"]
    status, told = await call("POST", "generate", {"body": "Hi", "model": "openai:gpt-5"})
    assert (status, told["code"]) == (403, "model_not_allowed")
    assert (await call("GET", "chats"))[1] == {"chats": []}


#: Who asks more often than a hundred times a second is told to wait.
_BETWEEN_S = 0.02


async def test_the_weights_are_installed_from_the_page(call: Any, app: Any) -> None:
    """B11: begun, looked at, stopped, begun again, there; then the model can be chosen."""
    services = await app.services()
    steps: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    gates: list[asyncio.Event] = []

    def install(data_dir: Path, progress: Progress) -> None:
        gate = asyncio.run_coroutine_threadsafe(_gate(gates, steps), loop).result(20)
        progress(40, 100)
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(20)
        progress(100, 100)
        path = weights_path(data_dir)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(SMOLLM2.size)

    services.installing._install = install
    assert (await call("GET", "local-model"))[1]["state"] == "missing"
    status, told = await call("POST", "local-model")
    assert (status, told["state"]) == (202, "installing")
    await steps.get()
    while (await call("GET", "local-model"))[1]["done"] != 40:  # noqa: ASYNC110
        await asyncio.sleep(_BETWEEN_S)
    stopping = asyncio.create_task(call("DELETE", "local-model"))
    while (await call("GET", "local-model"))[1]["state"] != "stopping":  # noqa: ASYNC110 - a page asks too
        await asyncio.sleep(_BETWEEN_S)
    gates[0].set()
    assert (await stopping)[1]["state"] == "missing"
    await call("POST", "local-model")
    await steps.get()
    while (told := (await call("GET", "local-model"))[1])["done"] != 40:  # noqa: ASYNC110
        await asyncio.sleep(_BETWEEN_S)
    assert (told["state"], told["total"]) == ("installing", 100)
    gates[1].set()
    await services.installing.ended()
    assert (await call("GET", "local-model"))[1]["state"] == "installed"
    (local,) = [each for each in (await call("GET", "models"))[1]["models"] if each["local"]]
    assert local["available"]
    assert (await call("DELETE", "local-model"))[1]["state"] == "installed", "they stay"


async def _gate(gates: list[asyncio.Event], steps: asyncio.Queue[str]) -> asyncio.Event:
    gates.append(asyncio.Event())
    steps.put_nowait("begun")
    return gates[-1]


async def test_a_failure_is_told_in_a_sentence(call: Any, app: Any) -> None:
    """L5: with the real installer, and no index to fetch from."""
    await call("POST", "local-model")
    services = await app.services()
    await services.installing.ended()
    _, told = await call("GET", "local-model")
    assert told["state"] == "missing"
    assert told["error"]["code"] == "download_failed"
    assert "Check the server's network" in told["error"]["message"]
    assert "/" not in told["error"]["message"], "no path, no address"


async def test_installing_can_be_turned_off(call: Any, app: Any) -> None:
    app.allow_install = False
    status, told = await call("POST", "local-model")
    assert (status, told["code"]) == (403, "not_allowed")
    assert not (await call("GET", "local-model"))[1]["may_install"]


class Named(IdentityProvider):
    """What knows people by name, as a hub does."""

    def get_user(self, handler: Any) -> User | None:  # type: ignore[override]
        name = handler.request.headers.get("X-User")
        return User(username=name) if name else None


@pytest.mark.parametrize(
    "jp_server_config",
    [
        {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_stop_chat": True},
                "identity_provider_class": Named,
                "disable_check_xsrf": True,
            },
            "StopChatApp": {"titles": "prompt"},
        }
    ],
    ids=[""],
)
async def test_a_key_makes_nobody_elses_replies(jp_fetch: Any, app: Any) -> None:
    """J6: over HTTP, with people who have names."""
    with OpenAIProvider(Script(tokens=["Good ", "day."])).in_thread() as provider:
        app.model_parameters = {"openai:gpt-test": {"base_url": provider.base_url}}

        async def ask(who: str, method: str, *path: str, **fields: Any) -> str:
            answer = await jp_fetch(
                *("api", "stop-chat", *path),
                method=method,
                body=json.dumps(fields) if fields else None,
                headers={"X-User": who},
                allow_nonstandard_methods=True,
            )
            return str(answer.body.decode())

        await ask("anna", "PUT", "providers", "openai", "key", key=CANARY)
        prompt = {"body": "Hi", "model": "openai:gpt-test"}
        assert "Good" in await ask("anna", "POST", "generate", **prompt)
        refused = await ask("ben", "POST", "generate", **prompt)
        assert "missing_key" in refused
        assert len(provider.requests) == 1
        assert "key" in provider_of(json.loads(await ask("anna", "GET", "models")), "openai")
        assert "key" not in provider_of(json.loads(await ask("ben", "GET", "models")), "openai")
        address = {"base_url": provider.base_url}
        with pytest.raises(HTTPClientError) as caught:
            await ask("ben", "PUT", "providers", "openai_compatible", "address", **address)
        assert caught.value.code == 403
        with pytest.raises(HTTPClientError) as caught:
            await ask("ben", "POST", "generate", body="Hi", model="local:/etc/passwd")
        assert caught.value.code == 403
