"""A real JupyterLab in a process of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.aids.ports import free_port

#: So long a server may take to start, in seconds.
START = 90.0
#: And to end; neither decides anything, however busy the machine is.
END = 60.0
#: Extensions of JupyterLab that nothing here has to do with: a page loads sooner without them. The
#: walk through a person's first days has them all.
LEFT_OUT = tuple(
    f"@jupyterlab/{name}-extension"
    for name in (
        *("audio", "celltags", "csvviewer", "debugger", "extensionmanager", "help", "htmlviewer"),
        *("hub", "inspector", "javascript", "json", "logconsole", "metadataform", "pdf"),
        *("pluginmanager", "terminal", "vega5", "video"),
    )
)
#: Extensions of the server that only JupyterLab has to do with: the server alone starts a third
#: sooner without them.
NOT_BESIDE = dict.fromkeys(("jupyter_lsp", "jupyterlab", "notebook_shim"), False)


#: The model on loopback that is chosen at first, and one that is known to see pictures.
USUAL, SEES = "openai:loopback", "openai:sees"


def asking(base_url: str) -> dict[str, Any]:
    """Return the settings of a server that asks a provider on loopback.

    :param base_url: the provider's.
    """
    return {
        "StopChatApp": {
            "default_model": USUAL,
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
    config["StopChatApp"]["model_parameters"] |= {
        "openai:gpt-4o-mini": {"profile": {"max_input_tokens": 4000}},
        SEES: {"profile": {"image_inputs": True, "tool_calling": True}},
    }
    # So that a test can run commands and open notebooks.
    return config | {"LabApp": {"expose_app_in_browser": True}}


class Lab:
    """What runs JupyterLab with folders of its own.

    :param folder: where its home, settings and data go.
    :param config: what its `jupyter_server_config.json` says.
    :param module: what is run: JupyterLab, or the server alone.
    :param base_url: where on its host it is, as behind a hub.
    :param packages: a folder of packages that are installed beside ours.
    :param whole: whether the page has all of JupyterLab's own extensions.
    """

    #: Which Python runs it.
    python = sys.executable

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        module: str = "jupyterlab",
        base_url: str = "/",
        packages: Path | None = None,
        *,
        whole: bool = False,
    ) -> None:
        self.module = module
        self.packages = packages
        self.base_url = base_url
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.log = folder / "lab.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.settings = folder / "settings"
        self.data = folder / "data"
        if module == "jupyter_server":
            server = {"jpserver_extensions": NOT_BESIDE} | dict(config.get("ServerApp", {}))
            config = {**config, "ServerApp": server}
        config_folder = folder / "config"
        for each in ("home", "config", "data", "runtime", "settings"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        (config_folder / "jupyter_server_config.json").write_text(json.dumps(config))
        if not whole:
            (config_folder / "labconfig").mkdir(exist_ok=True)
            (config_folder / "labconfig" / "page_config.json").write_text(
                json.dumps({"disabledExtensions": dict.fromkeys(LEFT_OUT, True)})
            )
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
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.python,
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
                env=self.environment(),
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until_it_answers(f"{self.root}api", self.process, self.log, START)

    def environment(self) -> dict[str, str]:
        """Return the environment that the server runs in."""
        environment = {
            key: value
            for key, value in os.environ.items()
            # Where a provider is said to be counts, so that none is asked; who asks it does not.
            if not key.startswith(("JUPYTER", "OPENAI", "ANTHROPIC"))
            or key.endswith(("_BASE_URL", "_API_BASE", "_API_URL"))
        } | {
            "HOME": str(self.folder / "home"),
            "PYTHONFAULTHANDLER": "1",
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.data),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.folder / "workspaces"),
        }
        if self.packages is not None:
            found = (str(self.packages), environment.get("PYTHONPATH"))
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, found))
        return environment

    def stop(self) -> None:
        """End the server as a person does."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(END)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGABRT)  # it writes down where each thread is
                self.process.wait(END)
                told = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
                lines = "\n".join(told[-150:])
                raise AssertionError(f"the server did not end:\n{lines}") from None

    def delete_chats(self) -> None:
        """Delete all chats."""
        while chats := self.ask("GET", "api/stop-chat/chats")["chats"]:
            for chat in chats:
                self.ask("DELETE", f"api/stop-chat/chats/{chat['id']}")

    def ask(self, method: str, path: str, raw: bytes | None = None) -> Any:
        """Return what the server answers, read from its JSON; None if it says nothing.

        :param raw: a file that is sent.
        """
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.root}{path}", raw, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def set(self, settings: Mapping[str, Any]) -> None:
        """Write the person's settings of the chat; a page reads them when it is loaded."""
        folder = self.settings / "jupyter-stop-chat"
        folder.mkdir(exist_ok=True)
        (folder / "plugin.jupyterlab-settings").write_text(json.dumps(settings))


def wait_until_it_answers(
    url: str, process: subprocess.Popen[bytes], log: Path, seconds: float
) -> None:
    """Wait until a server that starts answers; one that ends instead fails, with its log."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
