"""Command lines as pages show them: what is wrong with one, told without running it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from jupyter_core.command import jupyter_parser
from packaging.requirements import InvalidRequirement, Requirement

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.cli.main import make_parser
from tests.docs.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
#: Programs of others that people have or have not: their own pages say how they are used.
OTHERS = {"docker", "sqlite3", "npm", "git"}
#: JupyterLab's own commands that need not be installed for the chat.
JUPYTERS = {"console"}
#: Where commands are: also beside the Python that tests, whose environment need not be active.
PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def lines_of(text: str) -> list[str]:
    """Return the command lines of a block, without comments."""
    joined = text.replace("\\\n", " ").splitlines()
    return [line for line in map(str.strip, joined) if line and not line.startswith("#")]


def fault_in(line: str) -> str | None:
    """Say what is wrong with a command line, if anything."""
    words = shlex.split(line, comments=True)
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if not words:
        return "it runs nothing"
    head, *rest = words
    if head in OTHERS or head == "curl":  # test_http.py runs the latter
        return _lost_files(rest)
    check = _CHECKS.get(head)
    return check(rest) if check else f"nobody knows how {head} is checked"


def _jupyter(words: Sequence[str]) -> str | None:
    if not words:
        return None
    if words[0] == "stop-chat":
        return _stop_chat(words[1:])
    if words[0].startswith("-"):
        return _parsed(jupyter_parser().parse_args, words)
    command = words[0]
    if command not in JUPYTERS and shutil.which(f"jupyter-{command}", path=PLACES) is None:
        return f"there is no jupyter {command}"
    for word in words[1:]:
        found = re.match(r"--StopChatApp\.(\w+)", word)
        if found and found[1] not in StopChatApp.class_traits(config=True):
            return f"there is no setting {found[1]}"
    return None


def _stop_chat(words: Sequence[str]) -> str | None:
    # A sentence may name a command without all that it needs.
    if words == ["interrupt"] or not words:
        return None
    return _parsed(make_parser().parse_args, words)


def _parsed(parse: Callable[[Sequence[str]], object], words: Sequence[str]) -> str | None:
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            parse(words)
    except SystemExit as end:
        return said.getvalue() if end.code else None
    return None


def _make(words: Sequence[str]) -> str | None:
    missing = [word for word in words if "=" not in word and word not in TARGETS]
    return f"the Makefile has no {missing}" if missing else None


def _pip(words: Sequence[str]) -> str | None:
    if words and words[0] not in {"install", "uninstall", "download"}:
        return f"pip has no {words[0]}"
    for word in words[1:]:
        if word.startswith("-") or word.startswith("."):
            continue
        try:
            wanted = Requirement(word)
        except InvalidRequirement as error:
            return str(error)
        if wanted.name == PROJECT["name"]:
            unknown = wanted.extras - PROJECT["optional-dependencies"].keys()
            if unknown:
                return f"there is no extra {unknown}"
    return None


def _python(words: Sequence[str]) -> str | None:
    if words[0] == "-m":
        name = words[1].replace(".", "/")
        if not (ROOT / name / "__main__.py").is_file() and not (ROOT / f"{name}.py").is_file():
            return f"there is no module {words[1]}"
        file = ROOT / name / "__main__.py"
        options = words[2:]
    else:
        file, options = ROOT / words[0], words[1:]
    if not file.is_file():
        return f"there is no {file}"
    text = file.read_text(encoding="utf-8")
    unknown = [word for word in options if word.startswith("--") and f'"{word}"' not in text]
    return f"{file.name} takes no {unknown}" if unknown else None


def _pytest(words: Sequence[str]) -> str | None:
    return _lost_files([word for word in words if word.startswith("tests")], every=True)


def _lost_files(words: Sequence[str], every: bool = False) -> str | None:
    named = [word for word in words if every or re.match(r"(docs|scripts|tests)/", word)]
    lost = [word for word in named if not (ROOT / word).exists()]
    return f"there is no {lost}" if lost else None


_CHECKS: dict[str, Callable[[Sequence[str]], str | None]] = {
    "jupyter": _jupyter,
    "make": _make,
    "pip": _pip,
    "python": _python,
    "pytest": _pytest,
}
