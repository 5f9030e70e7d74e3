"""What a browser would make of HTML: its tags, what they lead to, and the code in it."""

from __future__ import annotations

from html.parser import HTMLParser

#: The tags that a reply is made of, and the attributes that each may have.
BARE = """
p h1 h2 h3 h4 h5 h6 ul li blockquote pre code em strong del br hr table thead tbody tr span div
"""
TAGS: dict[str, set[str]] = {
    **{tag: set() for tag in BARE.split()},
    "ol": {"start"},
    "a": {"href", "target", "rel"},
    "th": {"style"},
    "td": {"style"},
}
STYLES = {f"text-align:{side}" for side in ("left", "center", "right")}


class Drawn(HTMLParser):
    """HTML as it is parsed; what may not be in it is refused.

    :ivar blocks: the text of each block of code.
    :ivar spans: the text of code within a sentence.
    :ivar text: all text.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.spans: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"left open: {self._open} in {html!r}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, f"<{tag}>"
        given = dict(attrs)
        assert set(given) <= TAGS[tag], f"<{tag} {given}>"
        assert len(given) == len(attrs)
        if tag == "a":
            to = str(given["href"])
            assert to.lower().startswith(("http://", "https://", "mailto:")), to
            assert not any(each <= " " or each == "\x7f" for each in to), repr(to)
            assert "noopener" in str(given["rel"]).split()
            assert "a" not in self._open, "a link in a link"
            self.links.append(to)
        assert given.get("style", "text-align:left") in STYLES
        assert (given.get("start") or "1").isdigit()
        if tag == "pre":
            self.blocks.append("")
        elif tag == "code" and "pre" not in self._open:
            self.spans.append("")
        if tag not in {"br", "hr"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "pre" in self._open:
            self.blocks[-1] += data
        elif "code" in self._open:
            self.spans[-1] += data

    def _refuse(self, what: str) -> None:
        raise AssertionError(what)

    handle_comment = handle_decl = handle_pi = unknown_decl = _refuse  # type: ignore[assignment]
