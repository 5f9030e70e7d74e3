"""The command line, run as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_core import paths

from jupyter_stop_chat import __version__
from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.cli import main as cli
from jupyter_stop_chat.local_model import weights
from jupyter_stop_chat.local_model.weights import InstallError, weights_path


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    return tmp_path


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-P", "-m", "jupyter_stop_chat.cli.main", *arguments),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_version_and_help() -> None:
    assert run("--version").stdout.strip() == __version__
    for done in (run("--help"), run()):
        assert done.returncode == 0
        assert "install-local-model" in done.stdout
    assert "--force" in run("install-local-model", "--help").stdout


def test_a_wrong_use() -> None:
    done = run("install-remote-model")
    assert done.returncode == 2
    assert "install-remote-model" in done.stderr
    assert run("install-local-model", "--nonsense").returncode == 2


def test_jupyter_knows_the_command() -> None:
    """`jupyter stop-chat` is `jupyter-stop-chat` beside it."""
    jupyter = Path(sys.executable).parent / "jupyter"
    done = subprocess.run(
        (jupyter, "stop-chat", "--version"), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == __version__


def test_no_network_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run(
        "install-local-model",
        JUPYTER_DATA_DIR=str(tmp_path),
        PIP_CONFIG_FILE="/dev/null",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(tmp_path),
    )
    assert done.returncode == 1
    assert "Check the network" in done.stderr
    assert "Traceback" not in done.stderr
    assert not weights_path(tmp_path).exists()


def test_it_says_where_the_weights_are(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Path, bool]] = []

    def install(where: Path, progress: weights.Progress, *, force: bool, shared: bool) -> Path:
        asked.append((where, force))
        for done in (0, 5, 5, 10):
            progress(done, 10)
        return weights_path(where)

    monkeypatch.setattr(weights, "install_weights", install)
    assert cli.main(["install-local-model"]) == 0
    assert str(weights_path(data_dir)) in capsys.readouterr().out
    assert cli.main(["install-local-model", "--force"]) == 0
    assert asked == [(data_dir, False), (data_dir, True)]


def test_what_is_still_missing_is_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights, "install_weights", lambda where, progress, force, shared: where)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["install-local-model"]) == 0
    assert "jupyter-stop-chat[local]" in capsys.readouterr().out


def test_a_failure_and_an_interrupt(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endings: list[BaseException] = [InstallError("The disk is too full."), KeyboardInterrupt()]

    def install(where: Path, progress: weights.Progress, *, force: bool, shared: bool) -> Path:
        raise endings.pop(0)

    monkeypatch.setattr(weights, "install_weights", install)
    assert cli.main(["install-local-model"]) == 1
    assert capsys.readouterr().err == "The disk is too full.\n"
    assert cli.main(["install-local-model"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_progress_is_told_in_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], has_tqdm: bool
) -> None:
    """H7: also without tqdm; a log is not flooded."""
    if not has_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    with cli._Bar("Downloading") as bar:
        for done in range(0, 93_000_001, 1_000_000):
            bar.show(done, 93_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Downloading: 0 MB of 93 MB"
    assert lines[-1] == "Downloading: 93 MB of 93 MB"
    assert len(lines) == 6
    with cli._Bar("Downloading") as bar:
        bar.show(0, None)


@pytest.mark.parametrize(("option", "place"), [("--sys-prefix", "ENV"), ("--system", "SYSTEM")])
def test_an_administrator_installs_it_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, place: str
) -> None:
    """H7."""
    asked: list[tuple[Path, bool]] = []

    def install(where: Path, progress: object, *, force: bool, shared: bool) -> Path:
        asked.append((where, shared))
        return weights_path(where)

    monkeypatch.setattr(paths, f"{place}_JUPYTER_PATH", [str(tmp_path)])
    monkeypatch.setattr(weights, "install_weights", install)
    assert cli.main(["install-local-model", option]) == 0
    assert asked == [(tmp_path, True)]
    with pytest.raises(SystemExit):
        cli.main(["install-local-model", "--system", "--sys-prefix"])


def test_it_starts_without_loading_jupyter() -> None:
    program = (
        "import sys, jupyter_stop_chat.cli.main; "
        "heavy = {'traitlets', 'jupyter_core', 'tornado', 'pydantic', 'tqdm', 'langchain'}; "
        "sys.exit(sorted(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run((sys.executable, "-P", "-c", program), check=True)


def test_the_models_of_this_machine(tmp_path: Path) -> None:
    """B11: what is ready, what the others need, the default, and no key."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "jupyter_server_config.json").write_text(
        json.dumps(
            {
                "StopChatApp": {
                    "allowed_models": ["openai:*", "anthropic:*", "local:smollm2"],
                    "model_parameters": {"openai": {"api_key": "sk-canary-0123456789"}},
                }
            }
        )
    )
    done = run(
        "models",
        HOME=str(tmp_path),
        JUPYTER_CONFIG_DIR=str(config),
        JUPYTER_DATA_DIR=str(tmp_path / "data"),
        OPENAI_API_KEY="",
        ANTHROPIC_API_KEY="",
        OLLAMA_HOST="http://127.0.0.1:1",
    )
    assert done.returncode == 0, done.stderr
    lines = {line[2:].split("  ")[0].strip(): line for line in done.stdout.splitlines()}
    assert lines["openai:gpt-5-mini"].startswith("* ")
    assert "ready: set up in the settings" in lines["openai:gpt-5-mini"]
    assert "needs a key" in lines["anthropic:claude-sonnet-4-5"]
    assert "install-local-model" in lines["local:smollm2"]
    assert not [each for each in lines if each.startswith("groq")], "it is not allowed"
    assert "canary" not in done.stdout + done.stderr


def _set(folder: Path, settings: object, suffix: str = ".json") -> dict[str, str]:
    """Write a settings file, and return an environment that reads it."""
    (folder / "config").mkdir(exist_ok=True)
    text = settings if isinstance(settings, str) else json.dumps({"StopChatApp": settings})
    (folder / "config" / f"jupyter_server_config{suffix}").write_text(text)
    return {
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
    }


@pytest.mark.parametrize("command", ["models", pytest.param("settings", marks=pytest.mark.stress)])
def test_wrong_settings_are_told_in_a_sentence(tmp_path: Path, command: str) -> None:
    """H2."""
    environment = _set(tmp_path, {"titles": "nobody", "lock_modle": True})
    done = run(command, **environment)
    assert done.returncode == 1
    assert "StopChatApp.titles must be" in done.stderr
    assert "is lock_model meant?" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    environment = _set(tmp_path, "c.StopChatApp.allow_keys = (", ".py")
    done = run(command, **environment)
    assert done.returncode == 1
    assert "jupyter_server_config.py could not be read" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_each_setting_is_listed_and_no_key(tmp_path: Path) -> None:
    """H6: its name, what is in effect, what it may be, its default, and what it is for."""
    environment = _set(
        tmp_path,
        {
            "max_duration": 60,
            "db_url": "postgresql://me:canary-1@host/chats?password=canary-2",
            "model_parameters": {
                "openai": {"api_key": "canary-3", "base_url": "https://me:canary-4@host/v1"},
                "ollama": {"client_kwargs": {"headers": {"Authorization": "canary-5"}}},
            },
        },
    )
    done = run("settings", **environment)
    assert done.returncode == 0, done.stderr
    for name in StopChatApp.class_own_traits(config=True):
        assert f" StopChatApp.{name} = " in done.stdout
    assert "* StopChatApp.max_duration = 60.0\n" in done.stdout
    assert "a number that is more than 0; default: 600.0" in done.stdout
    assert "  StopChatApp.allow_keys = True\n    a boolean; default: True" in done.stdout
    assert "Let people give keys of their own in the page." in done.stdout
    assert "https://**********@host/v1" in done.stdout
    assert "canary" not in done.stdout + done.stderr
