"""The server extension: how it loads, what it can be told, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.server.activity import Activity
from jupyter_stop_chat.testing import Gate, ScriptedHandler
from tests.browser.lab import NOT_BESIDE

#: What takes long to import; none of it may be there when the server has started.
HEAVY = (
    "langchain",
    "langchain_core",
    "langgraph",
    "sqlalchemy",
    "alembic",
    "openai",
    "anthropic",
    "ollama",
    "xllamacpp",
    "jupyter_stop_chat.chat_handlers.hearing",
    "jupyter_stop_chat.markdown",
)

#: JupyterLab's own, which take as long to load as all the rest, are left out.
EXTENSIONS = {"jupyter_stop_chat": True} | NOT_BESIDE
SERVER = f"""
from jupyter_server.serverapp import ServerApp
app = ServerApp()
app.initialize(argv=["--ServerApp.jpserver_extensions={EXTENSIONS}",
                     "--port=0", "--allow-root", "--no-browser"])
"""
LOAD = (
    SERVER
    + """
import gc, json, sys
assert app.extension_manager.extension_points["jupyter_stop_chat"].app is not None
from jupyter_stop_chat.wire.terms import WireModel
built = [each.__name__ for each in WireModel.__subclasses__() if each.__pydantic_complete__]
print(json.dumps({"modules": sorted(sys.modules), "built": built, "collects": gc.isenabled()}))
"""
)


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }


def test_nothing_heavy_is_imported_at_the_servers_start(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOAD],
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = json.loads(ran.stdout.splitlines()[-1])
    loaded = set(told["modules"])
    assert "jupyter_stop_chat" in loaded
    assert loaded.isdisjoint(HEAVY), loaded & set(HEAVY)
    assert told["built"] == [], "models of frames are built when they are first used"
    assert told["collects"], "garbage is collected again"


def test_the_extension_is_enabled_and_ok(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"],
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = ran.stdout + ran.stderr
    assert "jupyter_stop_chat" in told
    assert f"jupyter_stop_chat {StopChatApp.version}" in told
    line = next(line for line in told.splitlines() if "jupyter_stop_chat 0" in line)
    assert "OK" in line


def test_the_labextension_fits_the_jupyterlab_that_is_here(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list", "--verbose"],
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = ran.stdout + ran.stderr
    line = next(line for line in told.splitlines() if "jupyter-stop-chat v" in line)
    assert "OK" in line, told


def test_every_setting_says_what_it_does() -> None:
    for name, trait in StopChatApp.class_own_traits(config=True).items():
        assert trait.help, name


async def test_what_runs_is_saved_at_an_orderly_shutdown(app: Any, connect: Any) -> None:
    """L12, V10: rule 12."""
    services = await app.services()
    handler = ScriptedHandler(["Once upon", Gate()])
    services.models.register("scripted", lambda name: handler)
    page = await connect()
    accepted = await page.ask(model="scripted:x")
    message_id = accepted["message"]["id"]
    await page.until("delta")
    await services.engine.shutdown()
    message = await page.end_of(message_id)
    assert message["state"] == "interrupted"
    assert message["stop"]["reason"] == "server_shutdown"
    assert services.engine.registry.empty
    kept = await services.store.get_message(message_id)
    assert kept.text == "Once upon"


async def test_a_running_generation_counts_as_activity(app: Any, connect: Any) -> None:
    """B7."""
    services = await app.services()
    services.models.register("scripted", lambda name: ScriptedHandler([Gate()]))
    times = app.serverapp.web_app.settings["last_activity_times"]
    activity = Activity(app.serverapp.web_app, app.name, app.current_activity)
    activity.note()
    assert app.name not in times
    page = await connect()
    accepted = await page.ask(model="scripted:x")
    activity.note()
    assert times[app.name] <= app.serverapp.web_app.last_activity()
    await page.send({"type": "stop", "message_id": accepted["message"]["id"]})
    await page.until("stop_result")
    assert app.current_activity() == {}
    activity.close()


def test_the_log_is_the_servers(tmp_path: Path) -> None:
    """H5: its form and its level, also of what is below a warning."""
    program = f"{SERVER}\nimport logging, sys\n" + (
        "log = logging.getLogger('jupyter_stop_chat.engine.settle')\n"
        "for level in (app.log_level, logging.ERROR):\n"
        "    app.log_level = level\n"
        "    log.info('a small thing')\n"
        "    log.error('a great one')\n"
        "    sys.stderr.write('-- quiet --')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    form = r"\[{} [-0-9]+ [:.0-9]+ jupyter_stop_chat\.engine\.settle\] {}\n"
    talkative, quiet, _ = done.stderr.split("-- quiet --")
    for level, words in (("I", "a small thing"), ("E", "a great one")):
        assert len(re.findall(form.format(level, words), talkative)) == 1
    assert "a small thing" not in quiet
    assert "a great one" in quiet
