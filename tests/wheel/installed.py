"""The wheel in an environment of its own without Node, and a server that runs in it."""

from __future__ import annotations

import os
import re
import subprocess
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.browser.lab import Lab

ROOT = Path(__file__).parents[2]
#: What `make release-check` has built: for people, and from the clone without a detour.
BUILT, DIRECT = ROOT / "dist", ROOT / ".release" / "direct"
#: So long pip may take on a slow machine, in seconds.
INSTALL = 1200.0
#: What gives a terminal's words their colour.
COLOUR = re.compile("\x1b\\[[0-9;]*m")


def wheel(folder: Path = BUILT) -> Path:
    """Return the wheel that was built into a folder."""
    (found,) = folder.glob("*.whl")
    return found


class Installed:
    """An environment with nothing in it but what is installed into it.

    :param folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        venv.create(folder, symlinks=True, with_pip=True)

    def environment(self) -> dict[str, str]:
        """Return what a process in it is told: no program is found but those of its own."""
        left_out = ("PYTHON", "VIRTUAL_ENV", "JUPYTER", "PATH")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        return kept | {"PATH": str(self.python.parent), "VIRTUAL_ENV": str(self.folder)}

    def install(self, *what: str) -> None:
        """Install with pip, as whoever runs it has it set up, from its cache where it has one.

        To compile all of it takes longer than the rest.
        """
        quietly = ("--quiet", "--disable-pip-version-check", "--no-compile")
        self.run("pip", "install", *quietly, *what, home=Path.home())

    def run(self, command: str, *arguments: str, home: Path | None = None) -> str:
        """Run a command of the environment, and return all that it says, without colours.

        :param home: whose settings it reads; else there are none.
        """
        done = subprocess.run(
            [str(self.python.parent / command), *arguments],
            env=self.environment() | {"HOME": str(home or self.folder)},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return COLOUR.sub("", done.stdout)

    def files(self) -> set[str]:
        """Return all files and folders."""
        return {str(each.relative_to(self.folder)) for each in self.folder.rglob("*")}


class InstalledLab(Lab):
    """A server in an environment that the wheel was installed into.

    :param installed: the environment.
    """

    def __init__(
        self, installed: Installed, folder: Path, config: Mapping[str, Any], module: str
    ) -> None:
        self.installed = installed
        self.python = str(installed.python)
        super().__init__(folder, config, module, whole=True)

    def environment(self) -> dict[str, str]:
        """Return what the server is told: where its own files are, and no program but its own."""
        told = super().environment()
        told.pop("PYTHONPATH", None)
        return told | {
            name: self.installed.environment()[name] for name in ("PATH", "VIRTUAL_ENV")
        }
