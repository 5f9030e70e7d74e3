"""A canary for a key: it is used, and is nowhere to be seen."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from traitlets.config import Config

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.mcp_servers.config import entries_of
from jupyter_stop_chat.settings.masking import mask, reveal, secrets_in
from tests.providers import AnthropicProvider, OpenAIProvider, Provider, Script

#: Given in the settings, in the environment, in a header, and in the page.
GIVEN = "sk-canary-given-0123456789"
FOUND = "sk-canary-found-9876543210"
HEADER = "Bearer canary-header-5555"
TYPED = "sk-canary-typed-7777777777"
CANARY = "canary"


@pytest.fixture
def providers(
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[tuple[OpenAIProvider, AnthropicProvider]]:
    made = OpenAIProvider(), AnthropicProvider()
    for each in made:
        jp_asyncio_loop.run_until_complete(each.start())
    yield made
    for each in made:
        jp_asyncio_loop.run_until_complete(each.stop())


@pytest.fixture
def jp_server_config(providers: tuple[Provider, Provider]) -> Config:
    """Give a key as an administrator does, in the configuration."""
    openai, anthropic = providers
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}},
            "StopChatApp": {
                "titles": "prompt",
                "model_parameters": {
                    "openai": {
                        "base_url": openai.base_url,
                        # As the settings' own print-out at DEBUG comes before any extension.
                        "api_key": SecretStr(GIVEN),
                        "default_headers": {"X-Proxy-Authorization": HEADER},
                        "max_retries": 0,
                    },
                    "anthropic": {"base_url": anthropic.base_url, "max_retries": 0},
                },
            },
        }
    )


@pytest.fixture(autouse=True)
def _key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", FOUND)


@pytest.mark.may_hold_the_loop("Jupyter tells at once all that the tests before it counted")
async def test_a_key_is_used_and_nowhere_to_be_seen(
    providers: tuple[Provider, Provider],
    connect: Any,
    app: Any,
    jp_fetch: Any,
    tmp_path: Path,
    caplog: Any,
) -> None:
    """L5: in no frame, answer, event, metric, log line at DEBUG, setting or file."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "openai", "anthropic", "jupyter_stop_chat", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    recorded = StringIO()
    app.serverapp.event_logger.register_handler(logging.StreamHandler(recorded))
    page = await connect()
    told: list[str] = []
    openai, anthropic = providers
    given = ("api", "stop-chat", "providers", "openai_compatible")
    for what, fields in (("address", {"base_url": openai.base_url}), ("key", {"key": TYPED})):
        answer = await jp_fetch(*given, what, method="PUT", body=json.dumps(fields))
        told.append(f"{answer.headers} {answer.body!r}")
    models = ("openai:gpt-loopback", "anthropic:claude-loopback", "openai_compatible:m")
    for provider, model in zip((*providers, openai), models, strict=True):
        for script in (
            Script(tokens=3),
            Script(trouble="bad_key"),
            Script(trouble="server_error"),
        ):
            provider.script = script
            accepted = await page.ask(model=model)
            message = await page.end_of(accepted["message"]["id"])
            assert message["state"] == ("failed" if script.trouble else "completed"), message
        body = json.dumps({"body": "Hi", "model": model})
        streamed = await jp_fetch("api", "stop-chat", "generate", method="POST", body=body)
        told.append(streamed.body.decode())
    assert openai.requests[0].headers["authorization"] == f"Bearer {GIVEN}", "it is used"
    assert openai.requests[-1].headers["authorization"] == f"Bearer {TYPED}"
    assert openai.requests[0].headers["x-proxy-authorization"] == HEADER
    assert any(FOUND in value for value in anthropic.requests[0].headers.values())
    for path in ("models", "generations", "openapi.json"):
        told.append((await jp_fetch("api", "stop-chat", path)).body.decode())
    told.append((await jp_fetch("metrics")).body.decode())
    told.append((await jp_fetch("api", "spec.yaml")).body.decode())
    told.append((await jp_fetch("api", "status")).body.decode())
    places = {
        "frames": json.dumps(page.frames),
        "answers": "\n".join(told),
        "events": recorded.getvalue(),
        "settings": repr(app.model_parameters) + repr(app.config) + repr(app.serverapp.config),
        "web settings": repr(app.serverapp.web_app.settings),
        "traits": repr({name: getattr(app, name) for name in app.traits(config=True)}),
        "log": "\n".join(
            f"{logging.Formatter().format(each)} {each.args!r}" for each in caplog.records
        ),
    }
    services = await app.services()
    inside = (services.models, services.models.keys, services.models._catalogue)
    places["services"] = repr(services) + "".join(repr(vars(each)) for each in inside)
    chat = page.frames[-1]["message"]["chat_id"]
    for form in ("md", "ipynb", "json"):
        path = ("api", "stop-chat", "chats", chat, "export")
        exported = await jp_fetch(*path, params={"format": form})
        places[f"export as {form}"] = exported.body.decode()
    assert places["events"].count("started") >= 6
    for place, text in places.items():
        assert CANARY not in text, f"{place}: …{_around(text)}…"
    await services.store.close()
    files = [each for each in tmp_path.rglob("*") if each.is_file()]  # noqa: ASYNC240
    assert [each for each in files if each.name.startswith("chats.sqlite")]
    # Where there is no keychain, this one file, which nobody else can read, holds it.
    holding = [each for each in files if CANARY.encode() in each.read_bytes()]
    assert [each.name for each in holding] == ["keys.json"]
    assert holding[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("how", "as_json"),
    [
        pytest.param("file", False, marks=pytest.mark.stress),
        pytest.param("file", True, marks=pytest.mark.stress),
        pytest.param("command line", False, marks=pytest.mark.stress),
        ("wrapped", True),
    ],
)
def test_settings_that_are_printed_show_no_key(tmp_path: Path, how: str, as_json: bool) -> None:
    """`jupyter server --show-config` prints the whole configuration."""
    parameters: Any = {"openai": {"api_key": GIVEN, "default_headers": {"Authorization": HEADER}}}
    folder = tmp_path / "config"
    folder.mkdir()
    enabled = {"ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}}}
    (folder / "jupyter_server_config.json").write_text(json.dumps(enabled))
    arguments = []
    if how == "command line":
        arguments = [f"--StopChatApp.model_parameters={parameters!r}"]
    else:
        value = repr(parameters)
        first = ""
        if how == "wrapped":
            first = "from pydantic import SecretStr\n"
            value = value.replace(repr(GIVEN), f"SecretStr({GIVEN!r})")
        (folder / "jupyter_server_config.py").write_text(
            f"{first}c.StopChatApp.model_parameters = {value}\n"
        )
    shown = subprocess.run(
        [
            *(sys.executable, "-m", "jupyter", "server", "--allow-root"),
            *(f"--show-config{'-json' if as_json else ''}", *arguments),
        ],
        env=os.environ
        | {
            "HOME": str(tmp_path),
            "JUPYTER_CONFIG_DIR": str(folder),
            "JUPYTER_DATA_DIR": str(tmp_path / "data"),
            "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = shown.stdout + shown.stderr
    assert "model_parameters" in told
    assert "SecretStr('**********')" in told
    assert CANARY not in told, _around(told)


def test_what_is_masked_can_be_revealed() -> None:
    parameters = {
        "openai": {"api_key": "k", "base_url": "http://u", "max_tokens": 5, "temperature": 0.5},
        "openai:gpt-5": {"default_headers": {"Authorization": "h", "X-Trace": "t"}},
        "other": {"aws_secret_access_key": "s", "client_secret": "c", "password": "p", "key": ""},
    }
    masked = mask(parameters)
    assert reveal(masked) == parameters
    assert mask(masked) == masked
    assert masked["openai"]["base_url"] == "http://u"
    assert masked["openai"]["max_tokens"] == 5
    assert masked["openai:gpt-5"]["default_headers"]["X-Trace"] == "t"
    assert (
        sorted(secrets_in(masked)) == sorted(secrets_in(parameters)) == ["c", "h", "k", "p", "s"]
    )
    for secret in ("'k'", "'h'", "'s'", "'c'", "'p'"):
        assert secret not in repr(masked)


def test_the_setting_masks_what_it_is_given() -> None:
    app = StopChatApp()
    app.model_parameters = {"openai": {"api_key": GIVEN}}
    assert CANARY not in repr(app.model_parameters)
    assert reveal(app.model_parameters)["openai"]["api_key"] == GIVEN
    app.mcp_servers = {"a": {"command": "x", "env": {"API_KEY": GIVEN}}}
    assert CANARY not in repr(app.mcp_servers)
    entry = entries_of(app.mcp_rules("server"), "server", {})["a"]
    assert (entry.env, CANARY in repr(entry)) == ({"API_KEY": GIVEN}, False)


def _around(text: str) -> str:
    where = text.find(CANARY)
    return text[max(0, where - 200) : where + 60]


@pytest.mark.stress
def test_a_key_in_any_tests_output_is_noticed(pytester: pytest.Pytester) -> None:
    """L5: the whole suite is watched for the keys that it gives; here the watch is."""
    pytester.makeconftest((Path(__file__).parents[1] / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        """
        import logging

        def test_silent():
            logging.getLogger("jupyter_stop_chat").debug("nothing")

        def test_logs():
            logging.getLogger("jupyter_stop_chat").debug("key=%s", "sk-canary" + "-1")

        def test_prints():
            print("sk-canary" + "-2")
        """
    )
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--show-capture=no")
    ran.assert_outcomes(passed=1, failed=2)
    ran.stdout.fnmatch_lines(["*a key is in what*test_logs*", "*a key is in what*test_prints*"])
