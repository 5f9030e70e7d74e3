"""What axe-core says of a page, in the themes that a person can choose."""

from __future__ import annotations

from pathlib import Path

from tests.browser.chat_page import ChatPage

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

#: A dialog and a menu are JupyterLab's, and it must answer for their surroundings.
OURS = ".jp-StopChat-panel"
FIELDS = ".jp-StopChat-fields"


def violations(chat: ChatPage, where: str = OURS) -> list[str]:
    """Return what is against axe-core's rules, as it tells it."""
    if chat.page.evaluate("typeof axe === 'undefined'"):  # the page was loaded anew since
        chat.page.evaluate(AXE.read_text())
    found: list[str] = chat.page.evaluate(
        """async where => {
          const {violations, incomplete} = await axe.run(where);
          // What it cannot tell for itself is a question, but never about plain code or text.
          const unsure = incomplete.filter(one => one.id === 'color-contrast');
          // Wide code is reached by the arrow keys from its message, which is a stop of Tab.
          const byArrows = (rule, target) => rule.id === 'scrollable-region-focusable' &&
            document.querySelector(target)?.matches('.jp-StopChat-message[tabindex="0"] pre');
          return [...violations, ...unsure].flatMap(one => one.nodes.filter(node =>
            !byArrows(one, node.target[0])).map(node =>
            `${one.id}: ${node.target} ${node.html.slice(0, 120)} ${node.failureSummary}`));
        }""",
        where,
    )
    return found
