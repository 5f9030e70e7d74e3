"""A reply's Markdown for a notebook's output, where whatever it holds is taken for the author's.

A front end trusts the outputs of a cell that its person ran: it lets HTML through, scripts and
all, and loads images from anywhere. A model's words deserve no such trust. So outside of code,
HTML becomes text, an image becomes a link, and a link leads only to the web or a mail address.
"""

from __future__ import annotations

import html
import re

from jupyter_stop_chat.fences import Fences

_SCHEMES = ("http:", "https:", "mailto:")
#: Within one line, left to right. A span of code with a `|` could be cut by a table's column, and
#: an escaped backtick begins none.
_PARTS = re.compile(
    r"(?P<escaped>\\[\\`\[\]!$])"
    r"|(?P<code>(?<!`)(`+)(?!`)[^|]*?(?<!`)\3(?!`))"
    r"|(?P<tag><(?=[A-Za-z/!?]))"
    r"|(?P<image>!(?=\[))"
    r"|(?P<link>\]\((?P<to>[^)]*))"
)
_DEFINITION = re.compile(r"^(?P<start>[ >*+\-0-9.]*)\[(?P<name>[^\]]*)\]:(?P<to>.*)$")


def safe_markdown(text: str, note: str = "") -> str:
    """Return Markdown that shows a reply and does nothing else.

    :param note: a line of ours below it, in italics; a fence that is open is closed before it.
    """
    fences = Fences()
    lines: list[str] = []
    for line in text.splitlines():
        was_open = bool(fences.open)
        # Only one that begins its line: in a list or a quote, it ends where that ends.
        edge = (was_open or line[:1] in {"`", "~"}) and fences.take(line)
        if edge and not was_open:
            # An empty line before and after, so that no formula swallows a fence.
            lines += ["", line]
        elif edge:
            lines += [line, ""]
        else:
            lines.append(line if was_open else _safe_line(line))
    if fences.open and note:
        lines += [fences.open, ""]
    if note:
        lines += ["", f"*{_safe_line(note)}*"]
    return "\n".join(lines)


def _safe_line(line: str) -> str:
    definition = _DEFINITION.match(line)
    if definition is not None and not _leads_to_the_web(definition["to"]):
        line = f"{definition['start']}\\[{definition['name']}]:{definition['to']}"
    return _PARTS.sub(_safe_part, line)


def _safe_part(found: re.Match[str]) -> str:
    if found["tag"]:
        return "&lt;"
    if found["image"]:
        return ""
    if found["link"] and not _leads_to_the_web(found["to"]):
        return f"]\\({found['to']}"
    return found[0]


def _leads_to_the_web(to: str) -> bool:
    """Tell whether a link's end is on the web, or within the page."""
    plain = re.sub(r"[\s\x00-\x20<]", "", html.unescape(to)).lower()
    scheme = re.match(r"[^/?#]*?:", plain)
    return scheme is None or plain.startswith(_SCHEMES)
