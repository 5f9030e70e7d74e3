"""What pages name within a line is there: settings, routes, commands of JupyterLab, variables."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from jupyter_stop_chat.app import StopChatApp
from tests.docs.pages import ROOT, spans

PACKAGE = ROOT / "jupyter_stop_chat"
SETTINGS = (ROOT / "docs" / "running" / "settings.md").read_text(encoding="utf-8")
PATH = re.compile(r"(?:benchmarks|scripts|tests|docs|labextension|requirements)/[\w./-]+")
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (?:(?:\{base_url\})?api/stop-chat/)?([\w/{}.-]+)")


def test_settings() -> None:
    shown = {(page, name) for page, text in spans() for name in _settings(text)}
    assert len(shown) > 40
    traits = StopChatApp.class_traits(config=True)
    assert {each for each in shown if each[1] not in traits} == set()


def _settings(text: str) -> list[str]:
    return re.findall(r"\bStopChatApp\.(\w+)", text)


def test_every_setting_is_in_the_table() -> None:
    """H6: whatever class has it: each `.tag(config=True)` of the package is one of its rows."""
    tagged = set()
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "config=True" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Assign) and _is_setting(node.value):
                tagged |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    listed = set(re.findall(r"^\| `StopChatApp\.(\w+)`", SETTINGS, re.MULTILINE))
    assert tagged == listed


def _is_setting(value: ast.expr) -> bool:
    """Tell whether that is a trait behind which `.tag(config=True)` stands."""
    match value:
        case ast.Call(ast.Attribute(attr="tag"), keywords=[ast.keyword(arg="config")]):
            return True
    return False


def test_every_setting_of_the_page_is_in_the_table() -> None:
    schema = ROOT / "labextension" / "schema" / "plugin.json"
    for name in json.loads(schema.read_text(encoding="utf-8"))["properties"]:
        assert re.search(rf"^\| `{name}` \|", SETTINGS, re.MULTILINE), name


def test_every_variable_that_is_read_is_in_the_table() -> None:
    """Those of providers come from their list; the others are found in the code."""
    read = set()
    for file in PACKAGE.rglob("*.py"):
        read |= set(
            re.findall(
                r'environ(?:ment)?(?:\.get\(|\[)"([A-Z_]+)"', file.read_text(encoding="utf-8")
            )
        )
    assert len(read) > 4
    assert {name for name in read if f"`{name}`" not in SETTINGS} == set()


def test_routes() -> None:
    """Those of Jupyter Server itself begin with `api/`; the socket has a page of its own."""
    from jupyter_stop_chat.server.routes import document

    paths = document()["paths"]
    shown = [
        (page, found[1].lower(), found[2])
        for page, text in spans()
        if (found := ROUTE.match(text)) and not found[2].startswith(("api/", "ws"))
    ]
    assert len(shown) > 50
    assert [each for each in shown if not _is_route(paths, *each[1:])] == []


def _is_route(paths: dict[str, Any], method: str, shown: str) -> bool:
    for path, methods in paths.items():
        pattern = re.sub(r"\{\w+\}", r"[^/]+", path.strip("/"))
        if method in methods and re.fullmatch(pattern, shown.strip("/")):
            return True
    return False


def test_commands_of_jupyterlab() -> None:
    source = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "labextension" / "src").rglob("*.ts*")
    )
    shown = {text for _, text in spans() if re.fullmatch(r"stop-chat:[a-z-]+", text)}
    assert len(shown) > 30
    assert {each for each in shown if f"'{each}'" not in source} == set()


def test_files() -> None:
    """A path of the repository that a page names is there."""
    shown = {(page, text) for page, text in spans() if PATH.fullmatch(text)}
    assert len(shown) > 20
    assert {each for each in shown if not (ROOT / each[1]).exists()} == set()
