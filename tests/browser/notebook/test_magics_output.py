"""What a cell shows of a reply, in a real JupyterLab, in a saved notebook and in its exports."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Route, expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.browser.notebook.test_magics import cell_of, open_notebook, output, run_cell
from tests.browser.text.hostile_texts import HOSTILE
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

CANARY = """
window.canaries = 0; window.stacks = [];
window.canary = () => { window.canaries += 1; window.stacks.push(new Error().stack); };
"""

RAN = re.compile(r"\[\d+\]:")

#: Whatever draws, typesets or follows links may not ask for these.
FOREIGN = [
    "[a](<img src=http://x.invalid/1 onerror=canary()>",
    "$x \\\\` $ <img src=http://x.invalid/2 onerror=canary()> ` ",
    "```mermaid\ngraph TD\nA[\"<img src='http://x.invalid/3'>\"]\n```",
    '1. ```mermaid\n   graph TD\n   A@{ "im\\x67": "http://x.invalid/4" }\n   ```',
    "$\\style{background-image:url(http://x.invalid/5)}{y}$",
    "\\(\\bbox[background:url(http://x.invalid/6)]{x}\\)",
    '$$\\mmlToken{mi}[style="background:url(http://x.invalid/7)"]{x}$$',
    "\\begin{align}\\style{background:url(http://x.invalid/8)}{y}\\end{align}",
    "![x](http://x.invalid/9)",
    "[![x](http://x.invalid/10)](http://x.invalid/11)",
]

ORDINARY = """## Plan

1. Filter the list:

   ```js
   if (![1, 2].includes(x)) {
     say("<iostream>");
   }
   ```

2. Then compile `#include <vector>`:
   - nested, with *emphasis* and **weight**
   - a [link](https://example.org/a?b=1&c=2)

It costs $5, and the large one $10. Euler: $e^{i\\pi} + 1 = 0$, and

$$
\\int_0^1 x^2\\,dx
= \\frac{1}{3}
$$

| item | price |
|:-----|------:|
| small | $5 |
| large | $10 |

> Quoted, with \\(a < b\\).
"""


def _show(chat: ChatPage, lab: Lab, provider: OpenAIProvider, reply: str, *more: str) -> None:
    provider.script = Script(tokens=re.findall(r"[\s\S]{1,40}", f"{reply}\n\nThe end."))
    open_notebook(chat, lab, ["%load_ext jupyter_stop_chat", "%%chat --new\nTell me", *more])
    run_cell(chat, 0)
    expect(cell_of(chat, 0).locator(".jp-InputPrompt")).to_have_text(RAN)
    run_cell(chat, 1)
    expect(output(chat, 1)).to_contain_text("The end.")
    expect(cell_of(chat, 1).locator(".jp-InputPrompt")).to_have_text(RAN)


def _save(chat: ChatPage) -> None:
    chat.command("docmanager:save")
    chat.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")


def _reopen(chat: ChatPage) -> None:
    """Close the saved notebook and open its file, whose outputs are trusted as they are signed."""
    trusted = chat.page.evaluate(
        """async () => {
          const {commands, shell} = window.jupyterapp;
          const {path} = shell.currentWidget.context;
          await commands.execute('application:close');
          const widget = await commands.execute('docmanager:open', {path});
          await widget.context.ready;
          await widget.revealed;
          return [...widget.content.model.cells].map(each => each.trusted);
        }"""
    )
    assert trusted == [True, True]


def _asked_by(browser: Browser, file: Path) -> tuple[list[str], int]:
    """Return what a page in a file asks of others, and how often it ran what is not its own."""
    context = browser.new_context()
    context.add_init_script(CANARY)
    asked: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    context.route("**/*", refuse)
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    ran = int(page.evaluate("window.canaries"))
    page.screenshot(path=file.with_suffix(".png"), full_page=True)
    context.close()
    return asked, ran


def _as_page(notebook: str, file: Path) -> Path:
    """Write a notebook as nbconvert does, which cleans nothing; its own scripts are left out."""
    exporter = HTMLExporter(mathjax_url="", require_js_url="")
    body, _ = exporter.from_notebook_node(nbformat.reads(notebook, as_version=4))
    file.write_text(re.sub(r"<script src=\"\"></script>", "", body))
    return file


def _export(lab: Lab, form: str) -> str:
    def get(path: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{lab.port}/api/stop-chat/{path}",
            headers={"Authorization": f"token {lab.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    (newest, *_) = json.loads(get("chats?limit=1"))["chats"]
    return str(get(f"chats/{newest['id']}/export?format={form}"))


# At every run tests/markdown tries what is shown, with random texts, and text/ a hostile reply.
@pytest.mark.stress
def test_a_hostile_reply_runs_nothing_and_asks_nobody(
    chat: ChatPage, lab: Lab, provider: OpenAIProvider, browser: Browser, tmp_path: Path
) -> None:
    """P3, H1: in the cell, in the saved notebook, in exports, and in nbconvert's pages of both."""
    chat.page.evaluate(f"() => {{ {CANARY} }}")
    _show(chat, lab, provider, "\n\n".join([*FOREIGN, *HOSTILE.values()]))
    chat.shot("magics-4-hostile")
    assert chat.page.evaluate("window.stacks") == []
    _save(chat)
    saved = (lab.folder / "home" / "chat.ipynb").read_text()
    kinds = {
        mime
        for cell in json.loads(saved)["cells"]
        for each in cell.get("outputs", [])
        for mime in each.get("data", {})
    }
    assert kinds == {"text/plain", "text/html"}
    shown = output(chat, 1)
    unwanted = (
        "img, script, svg, iframe, object, embed, style, form, video, audio, [onerror], [id]"
    )
    assert shown.locator(f"css=:is({unwanted}):not(mjx-container *)").count() == 0

    _reopen(chat)
    expect(output(chat, 1)).to_contain_text("The end.")
    expect(output(chat, 1).locator("pre code").first).to_be_visible()
    assert chat.page.evaluate("window.stacks") == []

    exported = _export(lab, "ipynb")
    (lab.folder / "home" / "exported.ipynb").write_text(exported)
    (lab.folder / "home" / "exported.md").write_text(_export(lab, "md"))
    for path, factory, rendered in (
        ("exported.ipynb", "Notebook", ".jp-MarkdownCell .jp-RenderedMarkdown"),
        ("exported.md", "Markdown Preview", ".jp-MarkdownViewer .jp-RenderedMarkdown"),
    ):
        chat.page.evaluate(
            """async ([path, factory]) => {
              const {commands} = window.jupyterapp;
              const widget = await commands.execute('docmanager:open', {path, factory});
              await widget.context.ready;
              await widget.revealed;
              for (const cell of widget.content.widgets ?? []) {
                cell.model.trusted = true;
                cell.rendered = false;
                cell.rendered = true;
              }
            }""",
            [path, factory],
        )
        expect(chat.page.locator(rendered).last).to_contain_text("The end.")
        chat.shot(f"magics-5-{path}")
        assert chat.page.evaluate("window.stacks") == []
    for name, notebook in (("saved", saved), ("exported", exported)):
        page = _as_page(notebook, tmp_path / f"{name}.html")
        assert "The end." in page.read_text()
        assert _asked_by(browser, page) == ([], 0)
    assert chat.page.evaluate("window.canaries") == 0


@pytest.mark.stress
def test_an_ordinary_reply_reads_well(
    chat: ChatPage, lab: Lab, provider: OpenAIProvider, browser: Browser, tmp_path: Path
) -> None:
    """R1, R2: code as it stands, math typeset, money not."""
    _show(chat, lab, provider, ORDINARY)
    shown = output(chat, 1)
    expect(shown.locator("mjx-container")).to_have_count(3)
    expect(shown.locator("ol > li > pre")).to_have_text(
        'if (![1, 2].includes(x)) {\n  say("<iostream>");\n}\n'
    )
    expect(shown).to_contain_text("It costs $5, and the large one $10.")
    expect(shown.locator("td").last).to_have_text("$10")
    expect(shown.locator("a")).to_have_attribute("href", "https://example.org/a?b=1&c=2")
    shown.scroll_into_view_if_needed()
    chat.shot("magics-6-ordinary")
    _save(chat)
    page = _as_page((lab.folder / "home" / "chat.ipynb").read_text(), tmp_path / "ordinary.html")
    assert _asked_by(browser, page) == ([], 0)
    exported = _as_page(_export(lab, "ipynb"), tmp_path / "ordinary-exported.html")
    assert _asked_by(browser, exported) == ([], 0)
