"""What is in the wheel and in the source distribution, and what they say of themselves."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from email import message_from_bytes
from zipfile import ZipFile

import pytest

from tests.test_packaging import PROJECT, ROOT
from tests.wheel.installed import BUILT, DIRECT, wheel

pytestmark = pytest.mark.wheel

#: What the bundle has in it; Mermaid's file has more, which its authors have put there.
BUNDLED = {"marked", "mermaid", "node-diff3", "@codemirror/merge", "@noble/hashes"}
IN_MERMAID = {"d3", "dagre-d3-es", "katex", "dompurify", "cytoscape", "lodash-es", "khroma"}
PAGE = "jupyter_stop_chat-{version}.data/data/share/jupyter/labextensions/jupyter-stop-chat/"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Read the wheel."""
    with ZipFile(wheel()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def version() -> str:
    """Return the wheel's version."""
    return wheel().name.split("-")[1]


def test_the_wheel_has_what_it_needs_and_nothing_else(
    files: dict[str, bytes], version: str
) -> None:
    """H8, H11: the package, typed, with its migrations; the page; what enables the server."""
    page = PAGE.format(version=version)
    assert "jupyter_stop_chat/py.typed" in files
    migrations = "jupyter_stop_chat/store/migrations/versions"
    ours = {f"{migrations}/{each.name}" for each in (ROOT / migrations).glob("*.py")}
    assert ours <= files.keys()
    config = f"jupyter_stop_chat-{version}.data/data/etc/jupyter/jupyter_server_config.d/"
    assert json.loads(files[f"{config}jupyter_stop_chat.json"]) == {
        "ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}}
    }
    built = json.loads(files[f"{page}package.json"])
    assert f"{page}{built['jupyterlab']['_build']['load']}" in files
    assert f"{page}install.json" in files
    places = ("jupyter_stop_chat/", page, config, f"jupyter_stop_chat-{version}.dist-info/")
    assert [name for name in files if not name.startswith(places)] == []
    assert [name for name in files if name.endswith((".map", ".ts", ".pyc"))] == []


def test_it_says_who_made_it_and_for_which_python(files: dict[str, bytes], version: str) -> None:
    """H8."""
    said = message_from_bytes(files[f"jupyter_stop_chat-{version}.dist-info/METADATA"])
    assert said["Author"] == "The jupyter-stop-chat authors"
    assert said["Requires-Python"] == PROJECT["requires-python"]
    assert said["License-Expression"] == "BSD-3-Clause"
    assert f"jupyter_stop_chat-{version}.dist-info/licenses/LICENSE" in files
    shown = said.get_payload()
    assert "# jupyter-stop-chat" in shown
    # An index has no page, no picture and no checkout beside it.
    assert re.findall(r"\]\((?!https?://)[^)]*\)", shown) == []
    assert "make lab" not in shown


def test_the_licences_of_all_that_is_bundled_are_in_it(
    files: dict[str, bytes], version: str
) -> None:
    """H8: JupyterLab shows this list; each has a name, a version, and words to read."""
    told = json.loads(files[f"{PAGE.format(version=version)}static/third-party-licenses.json"])
    listed = {each["name"] for each in told["packages"]}
    assert listed >= BUNDLED | IN_MERMAID
    unread = [
        each["name"]
        for each in told["packages"]
        if not each["versionInfo"] or not each["licenseId"] or len(each["extractedText"]) < 100
    ]
    assert unread == []


def test_the_source_distribution_makes_the_same_wheel() -> None:
    """H11: without the detour it is the same, file by file."""

    def digests(path: object) -> dict[str, str]:
        with ZipFile(str(path)) as archive:
            return {
                name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()
            }

    assert digests(wheel(BUILT)) == digests(wheel(DIRECT))


def test_the_source_distribution_has_its_sources_and_no_waste() -> None:
    """H11: the page's too, and the tests; nothing that is made or fetched but the page."""
    (path,) = BUILT.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "PKG-INFO",
        "LICENSE",
        "CHANGELOG.md",
        "labextension/yarn.lock",
        "labextension/licenses.mjs",
        "labextension/src/index.ts",
        "jupyter_stop_chat/labextension/package.json",
        "tests/conftest.py",
    } <= names
    wasted = ("node_modules", ".venv", ".stamps", "__pycache__", "labextension/lib/")
    assert [name for name in names if any(each in name for each in wasted)] == []
