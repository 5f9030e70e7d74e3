"""Settings that are wrong: the chat is off then, and never open."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from traitlets import TraitError
from traitlets.config import Config

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.settings.check import SettingsError
from tests.aids.in_turn import in_turn
from tests.browser.lab import NOT_BESIDE

LOCKED = {"lock_model": True, "allow_keys": False, "allow_install": False}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"titles": "nobody"}, r"StopChatApp\.titles must be .*'prompt'.*'nobody'"),
    ({"while_generating": "wait"}, r"while_generating must be .*'queue'"),
    ({"max_duration": -5}, r"max_duration must be a number that is more than 0, not -5"),
    ({"max_duration": 0}, "max_duration must be"),
    ({"max_duration": "600"}, "max_duration must be a number"),
    ({"max_duration": True}, "max_duration must be a number"),
    ({"stop_deadline": float("nan")}, "stop_deadline must be a number"),
    ({"local_idle_shutdown": float("inf")}, "local_idle_shutdown must be a number"),
    ({"max_prompt_length": 0}, "max_prompt_length must be a whole number, 1 or more"),
    ({"max_generations": -1}, "max_generations must be"),
    ({"max_stuck": 1.5}, "max_stuck must be a whole number"),
    ({"max_burst": 0}, "max_burst must be"),
    ({"max_rate": -1.0}, "max_rate must be a number, 0 or more"),
    ({"max_chats_per_owner": -1}, "max_chats_per_owner must be"),
    ({"max_sockets_per_owner": True}, "max_sockets_per_owner must be"),
    ({"local_memory_limit": -1}, "local_memory_limit must be"),
    ({"allow_keys": "False"}, "allow_keys must be a boolean"),
    ({"allow_keys": None}, "allow_keys must be a boolean"),
    ({"allow_model_files": "no"}, "allow_model_files must be"),
    ({"lock_modle": True}, r"there is no StopChatApp\.lock_modle \(is lock_model meant\?\)"),
    ({"nonsense": 1}, r"there is no StopChatApp\.nonsense"),
    ({"allowed_models": "openai:*"}, "allowed_models must be a list"),
    ({"allowed_models": ["openai:*", ""]}, "allowed_models must be a list"),
    ({"allowed_models": [3]}, "allowed_models must be a list"),
    ({"default_model": "gpt-5"}, "default_model must be a model as 'provider:model'"),
    ({"default_model": ["openai:gpt-5"]}, "default_model must be"),
    ({"model_parameters": {"openai": "sk-canary-1"}}, "model_parameters must be a dictionary"),
    ({"model_parameters": [{"api_key": "sk-canary-2"}]}, "model_parameters must be"),
    ({"model_parameters": "sk-canary-3"}, "model_parameters must be"),
    ({"db_url": "/tmp/chats.sqlite"}, "db_url must be 'sqlite:///…' or 'postgresql://…'"),
    ({"db_url": "postgres:sk-canary-4@host"}, "db_url must be"),
    ({"bus_url": "http://:sk-canary-5@host"}, r"bus_url must be 'redis://.*begins with none of"),
    ({"bus_url": "redis://:sk-canary-6@host:x/0"}, r"bus_url must be .*a port is a number"),
    ({"bus_url": 6379}, "bus_url must be"),
    ({"mcp_servers": {"a": {}}}, "mcp_servers must be a dictionary by name"),
    ({"mcp_servers": [{"env": {"KEY": "sk-canary-7"}}]}, "mcp_servers must be"),
    ({"allowed_mcp_servers": ["uvx", ""]}, "allowed_mcp_servers must be a list"),
    ({"allow_own_mcp_servers": "no"}, "allow_own_mcp_servers must be"),
]


@in_turn(("wrong", "told"), WRONG)
def test_each_wrong_setting_is_named_with_what_it_may_be(wrong: Any, told: str) -> None:
    """H2."""
    with pytest.raises(TraitError, match=told) as caught:
        StopChatApp(config=Config({"StopChatApp": LOCKED | wrong}))
    assert "canary" not in str(caught.value)


def test_a_database_without_its_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """H2."""
    config = Config({"StopChatApp": LOCKED | {"db_url": "postgresql://me:canary@host/chats"}})
    StopChatApp(config=config)
    monkeypatch.setattr("jupyter_stop_chat.settings.kinds.find_spec", lambda name: None)
    with pytest.raises(TraitError, match=r"pip install 'jupyter-stop-chat\[postgresql\]'") as told:
        StopChatApp(config=config)
    assert "canary" not in str(told.value)


def test_all_that_is_wrong_is_named_at_once() -> None:
    """H2."""
    with pytest.raises(SettingsError) as caught:
        StopChatApp(
            config=Config({"StopChatApp": {"titles": "x", "max_stuck": 0, "lockmodel": 1}})
        )
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("name", ["StopchatApp", "StopChat", "StopChatapp"])
def test_a_misspelt_section_is_noticed(name: str) -> None:
    """H2."""
    with pytest.raises(SettingsError, match=f"{name} is no section.*c.StopChatApp meant"):
        StopChatApp(config=Config({name: {"lock_model": True}}))
    with pytest.raises(SettingsError, match="no section"):
        StopChatApp(config=Config({"ServerApp": {"StopChatApp": {"lock_model": True}}}))


def test_what_may_be_is_taken() -> None:
    fine = {
        "db_url": "sqlite:////home/me/my chats.sqlite",
        "default_model": "openai-compatible:org/some model:latest",
        "allowed_models": ["openai:*", "local:smollm2"],
        "model_parameters": {"openai": {"api_key": "x", "default_headers": {"X-Key": "y"}}},
        "max_rate": 0,
        "max_duration": 5,
        "max_chats_per_owner": 0,
        "local_memory_limit": 0,
        "allow_base_urls": None,
        "bus_url": "redis+sentinel://:word@one,two:26380/chat/2",
    }
    config = Config({"StopChatApp": fine, "LabApp": {"x": 1}, "ServerApp": {"port": 1}})
    app = StopChatApp(config=config)
    assert app.max_duration == 5.0
    assert app.db_url == fine["db_url"]


class TestServer:
    """A server with one wrong setting beside those that lock it."""

    @pytest.fixture(params=[{"titles": "nobody"}, {"lock_modle": True}, {"max_duration": -5}])
    def jp_server_config(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        return {
            "ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}},
            "StopChatApp": LOCKED | request.param,
        }

    async def test_has_no_route_and_no_socket(
        self, jp_fetch: Any, jp_ws_fetch: Any, app: Any
    ) -> None:
        """H2."""
        for route in ("health", "models", "chats", "openapi.json", "generate", "local-model"):
            with pytest.raises(HTTPClientError) as refused:
                await jp_fetch("api", "stop-chat", route)
            assert refused.value.code == 404
        with pytest.raises(HTTPClientError) as refused:
            await jp_ws_fetch("api", "stop-chat", "ws")
        assert refused.value.code == 404
        await app._start_jupyter_server_extension(app.serverapp)
        assert app._services is None
        assert app._activity is None
        with pytest.raises(SettingsError):
            await app.services()
        assert app.current_activity() == {}
        await app.stop_extension()


class TestHalfStarted:
    """A server whose extension fails in a later step of its start."""

    @pytest.fixture(params=["initialize_settings", "initialize_handlers"])
    def jp_server_config(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> dict[str, Any]:
        whole = getattr(StopChatApp, request.param)

        def break_off(self: StopChatApp) -> None:
            whole(self)
            raise RuntimeError("broken")

        monkeypatch.setattr(StopChatApp, request.param, break_off)
        return {"ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}}}

    async def test_has_no_route(self, jp_fetch: Any, app: Any) -> None:
        """H2."""
        with pytest.raises(HTTPClientError) as refused:
            await jp_fetch("api", "stop-chat", "health")
        assert refused.value.code == 404
        await app._start_jupyter_server_extension(app.serverapp)
        assert app._activity is None


START = """
import sys
from jupyter_server.serverapp import ServerApp
app = ServerApp()
app.initialize(argv=["--port=0", "--allow-root", "--no-browser", *sys.argv[1:]])
settings = app.extension_manager.extension_points["jupyter_stop_chat"].app
def patterns(router):
    for rule in router.rules:
        if hasattr(rule.target, "rules"):
            yield from patterns(rule.target)
        else:
            yield str(rule.matcher.regex.pattern)
found = [each.replace(chr(92), "") for each in patterns(app.web_app.default_router)]
print("ROUTES", sum("api/stop-chat" in each for each in found))
print("LOCK", settings.lock_model, settings.allowed_models)
"""


def start(folder: Path, *arguments: str, lab: bool = False) -> tuple[int, str, str]:
    """Start a real server in a process of its own; return its routes, its settings, its log."""
    extensions = {"jupyter_stop_chat": True} | (NOT_BESIDE | {"jupyterlab": lab})
    ran = subprocess.run(
        [sys.executable, "-c", START, f"--ServerApp.jpserver_extensions={extensions}", *arguments],
        env=os.environ
        | {
            "HOME": str(folder),
            "JUPYTER_CONFIG_DIR": str(folder),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_NO_CONFIG": "",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "ROUTES" in ran.stdout, ran.stderr
    routes = int(re.findall(r"ROUTES (\d+)", ran.stdout)[0])
    return routes, re.findall(r"LOCK (.*)", ran.stdout)[0], ran.stderr


@pytest.mark.parametrize(
    ("arguments", "files", "told"),
    [
        (["--StopChatApp.allow_keys=Fasle"], {}, "StopChatApp.allow_keys must be a boolean"),
        pytest.param(
            ["--StopChatApp.max_duration=-5"],
            {},
            "StopChatApp.max_duration must be",
            marks=pytest.mark.stress,
        ),
        pytest.param(
            ["--StopChatApp.lock_modle=True"], {}, "is lock_model meant?", marks=pytest.mark.stress
        ),
        pytest.param(
            [],
            {"jupyter_server_config.json": json.dumps({"StopChatApp": {"titles": "nobody"}})},
            "StopChatApp.titles must be any of",
            marks=pytest.mark.stress,
        ),
        (
            [],
            {
                "jupyter_server_config.py": "import os\n"
                "c.StopChatApp.lock_model = True\n"
                "c.StopChatApp.max_duration = os.environ['HOME']\n"
            },
            "StopChatApp.max_duration must be",
        ),
        pytest.param(
            [],
            {"jupyter_config.py": "c.StopChatApp.titles = 'nobody'"},
            "titles must be any of",
            marks=pytest.mark.stress,
        ),
        pytest.param(
            [],
            {"jupyter_jupyter_stop_chat_config.py": "c.StopChatApp.titles = 'nobody'"},
            "titles must be any of",
            marks=pytest.mark.stress,
        ),
        (
            [],
            {"jupyter_server_config.py": "c.StopChatApp.lock_model = True\nraise OSError('sk')"},
            "jupyter_server_config.py could not be read (OSError)",
        ),
        pytest.param(
            [],
            {"jupyter_server_config.json": '{"StopChatApp": '},
            "could not be read",
            marks=pytest.mark.stress,
        ),
    ],
)
def test_wherever_it_stands_a_real_server_says_so_in_one_line(
    tmp_path: Path, arguments: list[str], files: dict[str, str], told: str
) -> None:
    """H2."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    routes, _, log = start(tmp_path, *arguments)
    assert routes == 0
    lines = [line for line in log.splitlines() if "Stop Chat is off" in line]
    assert len(lines) == 1
    assert told in lines[0]
    assert re.match(r"\[C \d{4}-\d\d-\d\d", lines[0]), "level and time"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", marks=pytest.mark.stress),
        "# c.StopChatApp.lock_model = True\n",
        pytest.param("if False: pass\n", marks=pytest.mark.stress),
    ],
)
def test_a_file_that_says_nothing_hinders_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "jupyter_server_config.py").write_text(text)
    routes, settings, log = start(tmp_path)
    assert routes > 5, log
    assert settings.startswith("False")


def test_settings_in_jupyterlabs_own_file_are_taken(tmp_path: Path) -> None:
    """H2: JupyterLab reads it after this extension has its settings."""
    (tmp_path / "jupyter_lab_config.py").write_text(
        "c.StopChatApp.lock_model = True\nc.StopChatApp.allowed_models.append('openai:*')\n"
    )
    routes, settings, log = start(tmp_path, lab=True)
    assert routes > 5, log
    assert settings == "True ['openai:*']"
    (tmp_path / "jupyter_lab_config.py").write_text("c.StopChatApp.lock_modle = True\n")
    routes, _, log = start(tmp_path, lab=True)
    assert routes == 0
    assert "is lock_model meant?" in log


def test_every_setting_takes_its_own_default() -> None:
    app = StopChatApp()
    for name, trait in StopChatApp.class_own_traits(config=True).items():
        trait._validate(app, getattr(app, name))


def test_the_page_of_settings_is_up_to_date() -> None:
    """H6: it is made from the settings themselves."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "generate_settings.py"
    subprocess.run([sys.executable, "-P", str(script), "--check"], check=True)
