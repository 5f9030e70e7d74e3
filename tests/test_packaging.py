"""What the package says of itself, and the versions that it declares."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distributions, metadata
from importlib.resources import files
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LABEXTENSION = json.loads((ROOT / "labextension" / "package.json").read_text())


def test_the_package_is_typed_and_has_an_author():
    """H8."""
    assert files("jupyter_stop_chat").joinpath("py.typed").is_file()
    said = metadata("jupyter-stop-chat")
    assert "The jupyter-stop-chat authors" in (said["Author"] or "")
    assert "Typing :: Typed" in said.get_all("Classifier", [])


def test_what_an_index_shows_of_it_leads_nowhere_that_is_not_there():
    """H13: beside the package there are no pages, no pictures and no Makefile."""
    shown = metadata("jupyter-stop-chat")["Description"] or ""
    assert "# jupyter-stop-chat" in shown
    assert 'pip install "jupyter-stop-chat[local]"' in shown
    assert re.findall(r"\]\((?!https?://)[^)]*\)", shown) == []
    assert "make lab" not in shown
    assert "<!--" not in shown


def test_the_lowest_versions_are_those_that_are_declared():
    """H9: `make lowest` runs the tests on them."""
    lines = (ROOT / "requirements" / "lowest.txt").read_text().splitlines()
    lowest = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    asked = list(PROJECT["dependencies"])
    for name, extra in PROJECT["optional-dependencies"].items():
        asked += extra if name not in {"test", "dev"} else []
    declared = {}
    for requirement in map(Requirement, asked):
        bounds = [each.version for each in requirement.specifier if each.operator == ">="]
        if requirement.name != "pip":  # whichever an environment has
            declared[requirement.name] = Version(bounds[0])
    assert {name: Version(version) for name, version in lowest.items()} == declared


def test_the_bundle_asks_for_no_newer_shared_packages_than_the_oldest_jupyterlab_has():
    """H9: unsaid, the builder asks for the versions of the lock file, and old pages warn."""
    shared = LABEXTENSION["jupyterlab"]["sharedPackages"]
    declared = LABEXTENSION["dependencies"]
    core = {name for name in declared if name.startswith("@jupyterlab/")}
    assert {name: shared[name]["requiredVersion"] for name in core} == {
        name: declared[name] for name in core
    }


def test_each_version_that_is_locked_can_be_had_for_the_python_of_debian():
    """H9: 3.11.2 of Debian 12, with which a fresh machine makes its environment."""
    locked = (ROOT / "requirements" / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in locked if not line.startswith("#"))
    refusing = [
        each.metadata["Name"]
        for each in distributions()
        if pins.get(each.metadata["Name"]) == each.version
        and "3.11.2" not in SpecifierSet(each.metadata.get("Requires-Python") or "")
    ]
    assert refusing == []
