"""A real JupyterLab in a process of its own, as a person starts it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: So long a server may take to start, in seconds.
START = 90.0


def asking(base_url: str) -> dict[str, Any]:
    """Return the settings of a server that asks a provider on loopback.

    :param base_url: the provider's.
    """
    return {
        "StopChatApp": {
            "default_model": "openai:loopback",
            "model_parameters": {"openai": {"base_url": base_url, "api_key": "sk-x"}},
            "titles": "prompt",
        }
    }


def page_asking(base_url: str) -> dict[str, Any]:
    """Return the settings of a JupyterLab whose chat is open and asks a provider on loopback.

    :param base_url: the provider's.
    """
    config = asking(base_url)
    config["StopChatApp"]["open_chat"] = True
    # So that a test can run commands and open notebooks.
    return config | {"LabApp": {"expose_app_in_browser": True}}


class Lab:
    """What runs JupyterLab with folders of its own.

    :param folder: where its home, settings and data go.
    :param config: what its `jupyter_server_config.json` says.
    :param module: what is run: JupyterLab, or the server alone.
    :param base_url: where on its host it is, as behind a hub.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        module: str = "jupyterlab",
        base_url: str = "/",
    ) -> None:
        self.module = module
        self.base_url = base_url
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.port = _free_port()
        self.log = folder / "lab.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.settings = folder / "settings"
        self.data = folder / "data"
        config_folder = folder / "config"
        for each in ("home", "config", "data", "runtime", "settings"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        (config_folder / "jupyter_server_config.json").write_text(json.dumps(config))
        # Else JupyterLab asks whether it may fetch news, above what a test looks at.
        asks = self.settings / "@jupyterlab" / "apputils-extension"
        asks.mkdir(parents=True, exist_ok=True)
        (asks / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')

    @property
    def url(self) -> str:
        """Return the page's address."""
        return f"{self.root}lab?token={self.token}&reset"

    @property
    def root(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self.port}{self.base_url}"

    def start(self, stdin: int = subprocess.DEVNULL) -> None:
        """Start the server and wait until it answers.

        :param stdin: what it reads from; a terminal makes it ask before Ctrl-C ends it.
        """
        environment = {
            key: value
            for key, value in os.environ.items()
            # Where a provider is said to be counts, so that none is asked; who asks it does not.
            if not key.startswith(("JUPYTER", "OPENAI", "ANTHROPIC"))
            or key.endswith(("_BASE_URL", "_API_BASE", "_API_URL"))
        } | {
            "HOME": str(self.folder / "home"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.data),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.folder / "workspaces"),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    self.module,
                    "--no-browser",
                    "--allow-root",
                    f"--ServerApp.port={self.port}",
                    "--ServerApp.port_retries=0",
                    f"--ServerApp.base_url={self.base_url}",
                    f"--IdentityProvider.token={self.token}",
                    "--LabApp.news_url=",
                    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                    "--LabApp.extension_manager=readonly",
                ],
                cwd=self.folder / "home",
                env=environment,
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START
        while True:
            try:
                with urllib.request.urlopen(f"{self.root}api", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < end, self.log.read_text()
                time.sleep(0.1)

    def stop(self) -> None:
        """End the server as a person does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def delete_chats(self) -> None:
        """Delete all chats."""
        while chats := self.ask("GET", "api/stop-chat/chats")["chats"]:
            for chat in chats:
                self.ask("DELETE", f"api/stop-chat/chats/{chat['id']}")

    def ask(self, method: str, path: str) -> Any:
        """Return what the server answers, read from its JSON; None if it says nothing."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.root}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def set(self, settings: Mapping[str, Any]) -> None:
        """Write the person's settings of the chat; a page reads them when it is loaded."""
        folder = self.settings / "jupyter-stop-chat"
        folder.mkdir(exist_ok=True)
        (folder / "plugin.jupyterlab-settings").write_text(json.dumps(settings))


def _free_port() -> int:
    """Find a port among those that the system gives to nobody who asks for any: 0 to 32767.

    Else a connection of another test may have it before the server is there.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as made, contextlib.suppress(OSError):
            made.bind(("127.0.0.1", port))
            return port
