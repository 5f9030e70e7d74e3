"""What the package says of itself, and the versions that it declares."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import metadata
from importlib.resources import files
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LABEXTENSION = json.loads((ROOT / "labextension" / "package.json").read_text())


def test_the_package_is_typed_and_has_an_author():
    """H8."""
    assert files("jupyter_stop_chat").joinpath("py.typed").is_file()
    said = metadata("jupyter-stop-chat")
    assert "contributors" in (said["Author"] or "")
    assert "Typing :: Typed" in said.get_all("Classifier", [])


def test_the_lowest_versions_are_those_that_are_declared():
    """H9: `make lowest` runs the tests on them."""
    lines = (ROOT / "requirements" / "lowest.txt").read_text().splitlines()
    lowest = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *extras["openai"], *extras["anthropic"], *extras["ollama"]]
    declared = {}
    for requirement in map(Requirement, asked):
        bounds = [each.version for each in requirement.specifier if each.operator == ">="]
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
