"""A real JupyterHub with its proxy, in processes of their own, as an operator starts it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.aids.ports import free_port
from tests.browser.lab import START, wait_until_it_answers

ROOT = Path(__file__).parents[2]
#: Where `make hub` puts JupyterHub and its proxy.
INSTALLED = ROOT / ".hub"
#: Who has an account.
PEOPLE = ("ada", "ben")


class Hub:
    """What runs JupyterHub, and asks its API and those of its people's servers.

    :param folder: where its database and its people's homes go.
    :param config: what each home's `jupyter_server_config.json` says.
    :param service: what the configuration of the chat that all share says.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], service: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = secrets.token_hex(8)
        self.log = folder / "hub.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._token = secrets.token_hex(16)
        self._tokens: dict[str, str] = {}
        for home in (*map(self.home, PEOPLE), folder / "service"):
            settings = home / ".jupyter"
            settings.mkdir(parents=True)
            (settings / "jupyter_server_config.json").write_text(json.dumps(config))
            # Else JupyterLab asks whether it may fetch news, above what a test looks at.
            asks = settings / "lab/user-settings/@jupyterlab/apputils-extension"
            asks.mkdir(parents=True)
            (asks / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        (folder / "service" / "shared_chat_config.py").write_text(service)

    @property
    def url(self) -> str:
        """Return the address of the proxy, through which all is asked."""
        return f"http://127.0.0.1:{self.port}/"

    def home(self, person: str) -> Path:
        """Return somebody's home."""
        return self.folder / "homes" / person

    def start(self) -> None:
        """Start the hub, and wait until its proxy leads to it."""
        service = self.folder / "service"
        told = {
            "service_port": free_port(),
            "service_config": str(service / "shared_chat_config.py"),
            "service_environment": {
                "HOME": str(service),
                "JUPYTER_CONFIG_DIR": str(service / ".jupyter"),
                "JUPYTER_DATA_DIR": str(service / "data"),
                "JUPYTER_RUNTIME_DIR": str(service / "runtime"),
            },
            "port": self.port,
            "hub_port": free_port(),
            "api_port": free_port(),
            "proxy": str(INSTALLED / "proxy/node_modules/.bin/configurable-http-proxy"),
            "password": self.password,
            "people": PEOPLE,
            "homes": str(self.folder / "homes"),
            "token": self._token,
            # As in all tests: no keychain, and no provider but the one on loopback.
            "environment": {
                key: value
                for key, value in os.environ.items()
                if key.endswith(("_BASE_URL", "_API_BASE", "_API_URL", "_HOST"))
            }
            | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
        }
        kept = ("PATH", "HOME", "LANG", "TMPDIR")
        environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "STOP_CHAT_HUB": json.dumps(told),
            "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16),
        }
        config = Path(__file__).with_name("jupyterhub_config.py")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [INSTALLED / "venv/bin/jupyterhub", "--config", config],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until_it_answers(f"{self.url}hub/api", self.process, self.log, START)

    def stop(self) -> None:
        """End the hub, with its proxy and its people's servers."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    # --- the hub's own API -------------------------------------------------------------------

    def start_server(self, person: str, name: str = "") -> None:
        """Start a server of somebody, if it does not run, and wait until it answers."""
        self._ask_hub("POST", f"users/{person}/{f'servers/{name}' if name else 'server'}")
        end = time.monotonic() + START
        while not self.runs(person, name):
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)

    def stop_server(self, person: str, name: str = "") -> None:
        """Stop a server of somebody, if it runs, and wait until it has ended."""
        self._ask_hub("DELETE", f"users/{person}/{f'servers/{name}' if name else 'server'}")
        end = time.monotonic() + START
        while name in self._ask_hub("GET", f"users/{person}")[1]["servers"]:
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)

    def runs(self, person: str, name: str = "") -> bool:
        """Tell whether a server of somebody runs."""
        _, told = self._ask_hub("GET", f"users/{person}")
        return bool(told["servers"].get(name, {}).get("ready"))

    def token(self, person: str) -> str:
        """Return a token with all that somebody may."""
        if person not in self._tokens:
            status, told = self._ask_hub("POST", f"users/{person}/tokens", {"note": "tests"})
            assert status == 201, told
            self._tokens[person] = told["token"]
        return self._tokens[person]

    def _ask_hub(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return _ask(method, f"{self.url}hub/api/{path}", self._token, body)

    # --- the chat's API ----------------------------------------------------------------------

    @property
    def shared(self) -> str:
        """Return the address of the chat that all share."""
        return f"{self.url}services/shared-chat/"

    def server(self, person: str, name: str = "") -> str:
        """Return the address of somebody's server."""
        return f"{self.url}user/{person}/{f'{name}/' if name else ''}"

    def ask(
        self, who: str, method: str, server: str, path: str, body: Any = None
    ) -> tuple[int, Any]:
        """Ask a route of the chat on a server, with somebody's token."""
        return self.ask_server(who, method, f"{server}api/stop-chat/{path}", body)

    def ask_server(self, who: str, method: str, url: str, body: Any = None) -> tuple[int, Any]:
        """Ask any route of a server, with somebody's token."""
        return _ask(method, url, self.token(who), body)


def _ask(method: str, url: str, token: str, body: Any) -> tuple[int, Any]:
    content = json.dumps(body or {}).encode() if method == "POST" else None
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, content, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, said = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, said = error.code, error.read()
    try:
        return status, json.loads(said) if said else None
    except ValueError:
        return status, None
