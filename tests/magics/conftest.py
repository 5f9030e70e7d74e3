"""Kernels with the magics: one beside a server that has the extension, and one alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.lab import Lab
from tests.magics.notebook import Alone, Home, Notebook, Server
from tests.providers import NeverAccepts, OpenAIProvider, Script

PLACES = ("server", "kernel")
#: What is the kernel's alone, whoever makes the reply: at each run it is tried with one of them.
ALIKE = ("test_magics_error",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the stress tests what is alike with a server."""
    for item in items:
        params = getattr(item, "callspec", None) and item.callspec.params  # type: ignore[attr-defined]
        if item.path.stem in ALIKE and params and params.get("home") == "server":
            item.add_marker("stress")


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """Make no event loop: the clients of kernels here block."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Clean nothing up: the servers here are processes."""


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model on loopback."""
    with OpenAIProvider().in_thread() as made:
        yield made


@pytest.fixture(scope="module")
def provider(shared_provider: OpenAIProvider) -> OpenAIProvider:
    """Return the model on loopback, which follows the usual script."""
    shared_provider.forget()
    return shared_provider


@pytest.fixture(scope="session")
def config(shared_provider: OpenAIProvider) -> Iterator[dict[str, Any]]:
    """Return a server's settings; nobody takes the connections of `openai:hangs`."""
    with NeverAccepts() as never:
        yield {
            "ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}},
            "StopChatApp": {
                "default_model": "openai:loopback",
                "model_parameters": {
                    "openai": {"base_url": shared_provider.base_url, "api_key": "sk-secret"},
                    "openai:hangs": {"base_url": never.origin, "api_key": "sk-secret"},
                },
                "titles": "prompt",
            },
        }


@pytest.fixture(scope="session")
def python_is_read_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what Jedi has parsed of Python's library, which else each kernel parses for seconds."""
    assert request.config.cache
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(request.config.cache.mkdir("jedi")))
        yield


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any], python_is_read_once: None
) -> Iterator[Server]:
    """Start a Jupyter Server."""
    lab = Lab(tmp_path_factory.mktemp("server"), config, module="jupyter_server")
    lab.start()
    made = Server(lab)
    yield made
    made.close()
    lab.stop()


@pytest.fixture(scope="session")
def alone(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any], python_is_read_once: None
) -> Iterator[Alone]:
    """Prepare for kernels that have no server."""
    made = Alone(tmp_path_factory.mktemp("alone"), config)
    yield made
    made.close()


@pytest.fixture(scope="session", params=PLACES)
def home(request: pytest.FixtureRequest) -> Any:
    """Return each backend in turn."""
    return request.getfixturevalue({"server": "server", "kernel": "alone"}[request.param])


@pytest.fixture(scope="session")
def kernel_of() -> Callable[[Home], Notebook]:
    """Return what starts one kernel of each backend, which all share."""
    return functools.cache(lambda home: home.open())


@pytest.fixture
def notebook(
    home: Home, kernel_of: Callable[[Home], Notebook], provider: OpenAIProvider
) -> Notebook:
    """Return a notebook whose model follows the usual script, in a new chat."""
    provider.script = Script()
    notebook = kernel_of(home)
    notebook.run("%chat new")
    return notebook
