"""What `make release-check` has built, installed as a person does; it runs what is here, alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from playwright.sync_api import Browser

from tests.browser.conftest import (
    ARTIFACTS,
    Watch,
    browser,
    jp_asyncio_loop,
    jp_server_cleanup,
    pytest_runtest_makereport,
    shared_provider,
)
from tests.browser.lab import page_asking
from tests.providers import OpenAIProvider
from tests.test_packaging import PROJECT
from tests.wheel.installed import Installed, InstalledLab, wheel
from tests.wheel.pages import BOOK, AppPage, LabPage, NotebookAppPage

__all__ = [
    "browser",
    "jp_asyncio_loop",
    "jp_server_cleanup",
    "pytest_runtest_makereport",
    "shared_provider",
]

#: A cell that says that it runs, and then does so for long.
LONG = "print('begun')\nimport time\ntime.sleep(600)"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave all of it out unless it is asked for."""
    return None if "wheel" in config.option.markexpr.split() else True


def lowest(name: str) -> str:
    """Return the lowest version of a package that is declared, as pip takes it."""
    (found,) = [one for one in map(Requirement, PROJECT["dependencies"]) if one.name == name]
    (bound,) = [one.version for one in found.specifier if one.operator == ">="]
    return f"{name}=={bound}.0"


@dataclass(frozen=True)
class Kind:
    """One application with a place for the chat, in one of its versions.

    :ivar beside: what is installed with the wheel.
    :ivar module: what is run.
    """

    beside: tuple[str, ...]
    module: str
    page: type[AppPage]


KINDS = {
    "jupyterlab-newest": Kind((), "jupyterlab", LabPage),
    "jupyterlab-oldest": Kind((lowest("jupyterlab"),), "jupyterlab", LabPage),
    "notebook-newest": Kind(("notebook>=7",), "notebook", NotebookAppPage),
    "notebook-oldest": Kind(("notebook==7.5.0",), "notebook", NotebookAppPage),
}


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return one application after the other."""
    return KINDS[request.param]


@pytest.fixture(scope="session")
def installed(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Install the wheel with the local model, and with what knows the provider on loopback."""
    made = Installed(tmp_path_factory.mktemp("installed") / "venv")
    try:
        made.install(f"{wheel()}[local,openai]", *kind.beside)
        yield made
    finally:
        # It is large, and pytest keeps what three runs have left.
        shutil.rmtree(made.folder)


@pytest.fixture(scope="session")
def lab(
    kind: Kind,
    installed: Installed,
    tmp_path_factory: pytest.TempPathFactory,
    shared_provider: OpenAIProvider,
) -> Iterator[InstalledLab]:
    """Start the application, with a notebook that is there."""
    config = page_asking(shared_provider.base_url)
    config["JupyterNotebookApp"] = config["LabApp"]
    folder = tmp_path_factory.mktemp("lab")
    made = InstalledLab(installed, folder, config, kind.module)
    cell = {"cell_type": "code", "id": "cell-0", "source": LONG, "metadata": {}}
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "home" / BOOK).write_text(
        json.dumps(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {"kernelspec": spec},
                "cells": [cell | {"outputs": [], "execution_count": None}],
            }
        )
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def shared_chat(
    browser: Browser, kind: Kind, lab: InstalledLab
) -> Iterator[tuple[AppPage, Watch]]:
    """Open the application in a fresh profile, and the chat in it."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    watch = Watch()
    page = context.new_page()
    page.on("pageerror", watch.note)
    chat = kind.page(page, lab, ARTIFACTS)
    chat.load()
    yield chat, watch
    context.close()


@pytest.fixture
def chat(shared_chat: tuple[AppPage, Watch], shared_provider: OpenAIProvider) -> Iterator[AppPage]:
    """Show a new chat; an error of ours in the page fails the test."""
    shared_provider.forget()
    chat, watch = shared_chat
    chat.new_chat()
    yield chat
    # Others' plugins have errors of their own in Jupyter Notebook.
    assert [error for error in watch.errors if "jupyter-stop-chat" in error] == []
