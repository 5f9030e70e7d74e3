"""Write `docs/running/settings.md` from what the code itself says; `--check` only compares."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "running" / "settings.md"
SCHEMA = ROOT / "labextension" / "schema" / "plugin.json"
INTRODUCTION = """\
# Settings

<!-- This page is made by scripts/generate_settings.py. -->

Everything that can be set: [by whoever runs the server](#the-servers), [by each
person](#a-persons), [keys](#keyboard-shortcuts), [the environment](#the-environment), and [the
command line](#the-command-line).

## The server's

For whoever runs it. They are `c.NAME = value` in `jupyter_server_config.py`,
the same in `jupyter_server_config.json`, or `--NAME=value` behind `jupyter lab`.
`jupyter stop-chat settings` lists them all with what is in effect on a machine, keys masked, and
says what is wrong with them. Jupyter Server's own `--help-all` knows only the server itself, so it
names none of them. With a setting that is wrong the chat is off: see [deployment](deployment.md).

| setting | may be | default | |
|---|---|---|---|
"""
PERSONS = """
## A person's

In JupyterLab's settings editor, under *Stop Chat*, or in `overrides.json` for all people of an
installation, below `jupyter-stop-chat:plugin`.

| setting | may be | default | |
|---|---|---|---|
"""
KEYS = """
## Keyboard shortcuts

They can be changed in the settings editor, under *Keyboard Shortcuts*; Accel is Ctrl, on a Mac
Command. Every other command of the palette can be given one there.

| keys | command | where |
|---|---|---|
"""
ENVIRONMENT = """
## The environment

Of the Jupyter server, unless it says otherwise.

| variable | what it is for |
|---|---|
"""
#: What the code reads besides the providers' variables.
OTHERS = {
    "OLLAMA_HOST": "where Ollama listens: `http://127.0.0.1:11434` by default",
    "HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY": "how other machines are reached, as for all of "
    "Python; this one is asked directly",
    "JUPYTERHUB_USER": "behind JupyterHub: whose server it is, and so whose `mcp.json`",
    "JUPYTER_TOKEN": "the server's token, for `jupyter stop-chat interrupt` and for the magics",
    "JUPYTER_SERVER_URL": "of a kernel: which server the magics ask",
    "JUPYTERHUB_API_TOKEN`, `JUPYTERHUB_SERVICE_URL`, `JUPYTERHUB_SERVICE_PREFIX": "of a kernel "
    "behind JupyterHub: where its own server is",
    "JPY_PARENT_PID": "of a kernel: which server started it",
}
COMMANDS = """
## The command line

| command | what it does |
|---|---|
"""


def page() -> str:
    """Return the page, the same on every machine."""
    parts = (
        (INTRODUCTION, _of_server),
        (PERSONS, _of_person),
        (KEYS, _shortcuts),
        (ENVIRONMENT, _environment),
        (COMMANDS, _commands),
    )
    return "".join(head + "".join(rows()) for head, rows in parts)


def _of_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as empty:
        os.environ |= {"JUPYTER_CONFIG_DIR": empty, "JUPYTER_CONFIG_PATH": empty}
        from jupyter_stop_chat.app import StopChatApp
        from jupyter_stop_chat.settings.table import settings_of

        for each in settings_of(StopChatApp()):
            yield _row(f"`{each.name}`", each.may_be, f"`{each.default}`", each.help)


def _of_person() -> Iterator[str]:
    for name, each in json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"].items():
        values = [option["const"] for option in each.get("oneOf", ())] or [True, False]
        may_be = ", ".join(f"`{json.dumps(value)}`" for value in values)
        told = f"{each['title']}. {each['description']}"
        yield _row(f"`{name}`", may_be, f"`{json.dumps(each['default'])}`", told)


def _shortcuts() -> Iterator[str]:
    for each in json.loads(SCHEMA.read_text(encoding="utf-8"))["jupyter.lab.shortcuts"]:
        keys = " ".join(each["keys"])
        yield _row(keys.replace(" ", "+"), f"`{each['command']}`", f"`{each['selector']}`")


def _environment() -> Iterator[str]:
    from jupyter_stop_chat.models.providers import PROVIDERS

    for each in PROVIDERS.values():
        for names, what in ((each.keys, "key"), (each.addresses, "address")):
            if names:
                yield _row(", ".join(f"`{name}`" for name in names), f"{each.label}: the {what}")
    for names_, told in OTHERS.items():
        yield _row(f"`{names_}`", told)


def _commands() -> Iterator[str]:
    from jupyter_stop_chat.cli.main import make_parser

    (commands,) = (
        action
        for action in make_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    told = {each.dest: each.help or "" for each in commands._choices_actions}
    for name, command in commands.choices.items():
        yield _row(f"`jupyter stop-chat {name}`", told[name])
        for option in command._actions:
            if not isinstance(option, argparse._HelpAction):
                value = f" {option.metavar}" if option.metavar else ""
                yield _row(f"`… {option.option_strings[-1]}{value}`", option.help or "")


def _row(*cells: str) -> str:
    escaped = (each.replace("|", "\\|") for each in cells)
    return f"| {' | '.join(escaped)} |\n"


if __name__ == "__main__":
    made = page()
    if "--check" in sys.argv[1:]:
        if not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != made:
            sys.exit("docs/running/settings.md is out of date: run scripts/generate_settings.py")
    else:
        TARGET.write_text(made, encoding="utf-8")
