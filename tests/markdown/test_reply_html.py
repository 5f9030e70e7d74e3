"""A model's Markdown as HTML, which a notebook's front end takes for its author's own."""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path

import pytest

from jupyter_stop_chat.markdown.formulas import is_harmless
from jupyter_stop_chat.markdown.html import page, to_html
from jupyter_stop_chat.markdown.parser import parse, walk
from tests.aids.in_turn import in_turn
from tests.markdown.drawn import Drawn

MONEY_AND_MATH = json.loads((Path(__file__).parents[1] / "money_and_math.json").read_text())
IMG = "<img src=x onerror=alert(1)>"

#: What hostile Markdown is made of.
PIECES = [
    IMG,
    "`", "``", "```", "$", "$$", "\\", "\\\\", "|", "\n", "\n\n", "[a](", ")", "!", "[", "]",
    "~~~", "\n```\n", "\n~~~\n", " ", "  ", "    ", "- ", "> ", "1. ", "\t", "a", "<!--", "-->",
    "](javascript:alert(1))", "](&#106;avascript:x)", "](<java\nscript:x>)",
    "](data:text/html,x)", "[a]: javascript:alert(1)", "[a]: http://x/\" onclick=alert(1)",
    "[a]", "[^1]", "[^1]: x", "\\begin{a}", "\\end{a}", "\\(", "\\)", "\\[", "\\]", "{", "}",
    "<", ">", "\"", "'", "&", "\\`", "@@0@@", "\r", "\u000b", "\f", "\u2028", "\u0000", "\ud800",
    "\ufdd0", "\u001b[2J", "&lt;", "<a href=javascript:alert(1)>b</a>", "<javascript:alert(1)>",
    "<http://x/'\">", "<x@y.z>", "<style>", "https://x.invalid/\"><b>", "http://x/`", "*", "**",
    "_", "~~", "# ", "===", "---", "| a | b |\n|:-|-:|\n", "```mermaid\n",
    "<svg onload=alert(1)>", "</code></pre>", "</div>", "![x](http://x.invalid/a.png)",
    "[![a](http://x/b)](http://x/c)", "{#id .class}", "\\href{javascript:alert(1)}{x}",
    "\\style{background:url(http://x)}{y}", "vbscript:x",
]  # fmt: skip


@pytest.mark.parametrize("seeds", [3000, pytest.param(12000, marks=pytest.mark.stress)])
def test_random_markdown_makes_only_harmless_html(seeds: int) -> None:
    """P3, H1, L11: only known tags, no attribute of a model's but the address of a web link."""
    for seed in range(seeds):
        made = random.Random(seed)
        text = "".join(made.choice(PIECES) for _ in range(made.randrange(1, 14)))
        try:
            Drawn(page(text, above="a $ <b>", below="Stopped <b>"))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {text!r}") from error


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[a](<img src=x onerror=alert(1)>", f"[a](&lt;{IMG[1:-1]}&gt;"),
        ("[a](javascript:alert(1))", "a (javascript:alert(1))"),
        ("[a](&#106;avascript:x)", "a (javascript:x)"),
        ("[a][b]\n\n[b]: data:text/html,x", "a (data:text/html,x)"),
        ("![alt](relative.png)", "alt (relative.png)"),
        ("[a](#there)", "a"),
        ("# a {#b}", None),
    ],
)
def test_what_is_no_web_link_is_words(text: str, html: str | None) -> None:
    """P3."""
    made = to_html(text)
    assert html is None or made == f"<p>{html}</p>\n"
    assert not re.search(r" (?:id|name|class|on\w+)=", re.sub(r"&lt;.*?&gt;", "", made))


LINES = [
    *("if (![1, 2].includes(x)) {", "#include <iostream>", '\tx = "a" # $5', "\t\ty", "", "  - a"),
    *("    deep", "> q", "1. b", IMG, "`tick`", "a ~~ b", "$x$ \\(y\\)", "| a | b |", "|---|---|"),
    *("&lt; &amp;", "***", "===", "[a]: http://x", "\\[z\\]", "$$", "\\begin{align}", "--- "),
    *("trailing  ", "a\tb", "{name}", "@@0@@", "</code></pre>", "\\\\ \\$", "*x* _y_"),
]  # fmt: skip


def nested(made: random.Random, lines: list[str]) -> str:
    """Put lines into lists and quotes, within words."""
    for _ in range(made.randrange(5)):
        kind = made.randrange(4)
        if kind == 0:
            lines = [f"> {line}".rstrip(" ") if not line else f"> {line}" for line in lines]
        elif kind == 1:
            mark = made.choice(["- ", "* ", "1. ", "10. ", "2) "])
            lines = [
                f"{mark}step",
                "",
                *(" " * len(mark) + line if line else "" for line in lines),
            ]
        elif kind == 2:
            mark = made.choice(["- ", "1. "])
            rest = (" " * len(mark) + line if line else "" for line in lines[1:])
            lines = [mark + lines[0], *rest]
        else:
            lines = ["Words:", "", *lines]
    return "\n".join(lines)


def code_in_a_fence(seed: int) -> tuple[str, str]:
    """Return random code, and a text in which it stands in a fence."""
    made = random.Random(seed)
    code = [made.choice(LINES) for _ in range(made.randrange(1, 7))]
    fence = made.choice(["```", "~~~", "````", "~~~~~"])
    opening = fence + made.choice(["", "python", "js", " text", "mermaid"])
    end = made.choice([[], ["", "more"], [fence[0] * 9]][:2])
    return "\n".join(code), nested(made, [opening, *code, fence, *end])


@pytest.mark.parametrize("seeds", [2000, pytest.param(6000, marks=pytest.mark.stress)])
def test_code_is_shown_as_it_stands_at_every_nesting(seeds: int) -> None:
    """R1: what is in a fence goes in and comes out, in lists and quotes of any depth."""
    for seed in range(seeds):
        code, text = code_in_a_fence(seed)
        assert Drawn(to_html(text)).blocks == [f"{code}\n"], f"seed {seed}: {text!r}"


def test_code_within_a_sentence_is_shown_as_it_stands() -> None:
    """R1."""
    pieces = ["![1](x)", "<iostream>", "$5", "\\(y\\)", "a*b*", "_c_", "[d]", "&", "&lt;", "~~"]
    pieces += ["|", '"', "'", "\\", "{e}", "https://x"]
    for seed in range(2_000):
        made = random.Random(seed)
        code = " ".join(made.choice(pieces) for _ in range(made.randrange(1, 6)))
        text = made.choice(["See `{}` there.", "- ``{}``", "> **`{}`**", "1. a\n   - `{}`"])
        assert Drawn(to_html(text.format(code))).spans == [code], f"seed {seed}"


def test_indented_code_is_shown_as_it_stands() -> None:
    """R1."""
    assert Drawn(to_html("So:\n\n    if (![1].x) <y>\n      $a$\n")).blocks == [
        "if (![1].x) <y>\n  $a$"
    ]


@in_turn("case", MONEY_AND_MATH)
def test_amounts_are_no_math_and_math_is(case: dict[str, object]) -> None:
    """R2: a typesetter, which looks for its marks in runs of text, finds what is math alone."""
    text = str(case["text"])
    found = [each["raw"] for each in walk(parse(text)) if each["type"].endswith("formula")]
    assert found == case["math"]
    without_code = re.sub(r"<(pre|code)>.*?</\1>", "", to_html(text), flags=re.DOTALL)
    shown = re.findall(r">([^<]*)", without_code)
    marks = [run for run in shown if re.search(r"\$.*\$|\\[(\[]|\\begin", run, re.DOTALL)]
    assert len(marks) == len(found)


@pytest.mark.parametrize(
    "tex",
    [
        r"\style{background-image:url(http://x.invalid)}{y}",
        r"\href{javascript:alert(1)}{x}",
        r"\bbox[background:url(http://x.invalid)]{x}",
        r"\mmlToken{mi}[href='http://x.invalid']{x}",
        r"\class{jp-Dialog}{x}",
        r"\cssId{main}{x}",
        r"\require{html}",
        r"\def\a{\style{}}\a",
        r"\newcommand{\b}{x}",
        r"\let\frac\href",
        r"\unicode[url(http://x.invalid)]{65}",
        r"\begin{html}x\end{html}",
        r"\text{$\href{x}{y}$}",
        "{" * 60 + "x" + "}" * 60,
        "}x{",
        "{x",
    ],
)
def test_math_only_draws(tex: str) -> None:
    """H1, P3: what sets a style, links or defines is shown as it was written."""
    assert not is_harmless(tex)
    html = to_html(f"${tex}$ and \\({tex}\\)")
    assert "\\(" not in html
    assert Drawn(html).links == [] or "http" in tex


#: What costs a parser more than its length, if it is not careful.
HARD = [
    "*a ",
    "[",
    "[a](",
    "![a",
    "`a``",
    "> ",
    "- > ",
    "<a ",
    "<!--",
    "$a ",
    "$$a ",
    "\\(",
    "\\[\n",
    "a**b",
    "_a*",
    "~~a",
    "|a",
    "```\n",
    "&",
    "]:",
    "[a]: x\n",
    "- a\n",
    "1. a\n",
    "\\begin{align}",
    "{",
    "h://",
    "https://a",
    "a\n",
    "\t",
    "> - ```\n",
    "$\n",
]


@pytest.mark.parametrize(
    "pieces", [HARD[::4], pytest.param(HARD, marks=pytest.mark.stress)], ids=["some", "all"]
)
def test_no_text_takes_long(pieces: list[str]) -> None:
    """R5: a text twice as long takes about twice the time, and one that is too long is plain."""
    slow = {}
    for piece in pieces:
        spent = []
        for length in (40_000, 160_000):
            text = piece * (length // len(piece))
            begun = time.process_time()
            Drawn(to_html(text))
            spent.append(time.process_time() - begun)
        # Four times the text; a square would be 16.
        if spent[1] > 10 * max(spent[0], 0.1):
            slow[piece] = spent
    assert not slow
    assert "shown as it is" in to_html("*a " * 100_000)
    assert Drawn(to_html("<b>*a " * 50_000)).blocks == ["<b>*a " * 50_000]


def test_what_cannot_be_sent_or_shown_is_a_sign() -> None:
    """R1: NUL and half a character."""
    assert (
        to_html("a\x00b\ud800c")
        == "<p>a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c</p>\n"
    )


def test_what_is_open_is_closed_before_the_note() -> None:
    """L11: an open fence does not swallow the mark."""
    assert page("So:\n````\na\n```", below="Stopped <b>") == (
        "<p>So:</p>\n<pre><code>a\n```\n</code></pre>\n<p><em>Stopped &lt;b&gt;</em></p>\n"
    )


@pytest.mark.parametrize(
    ("text", "address", "after"),
    [
        ("**https://a.b**", "https://a.b", ""),
        ("*https://a.b/c_d*", "https://a.b/c_d", ""),
        ("~~https://a.b~~", "https://a.b", ""),
        ("(https://a.b/c_(d))", "https://a.b/c_(d)", ")"),
        ("https://a.b/c)}{y}$ d", "https://a.b/c", ")}{y}$ d"),
        ("$\\href{http://a.b}{y}$", "http://a.b", "}{y}$"),
        ("“https://a.b/c?d=e#f”.", "https://a.b/c?d=e#f", "”."),
        ("去https://a.b。再", "https://a.b", "。再"),
        ("https://a.b/`c`", "https://a.b/", "c"),
        ("HTTPS://a.b/c, d", "HTTPS://a.b/c", ", d"),
    ],
)
def test_an_address_ends_before_what_belongs_to_its_sentence(
    text: str, address: str, after: str
) -> None:
    """R1, R2: nor does it take the marks around it away."""
    drawn = Drawn(to_html(text))
    assert drawn.links == [address]
    assert drawn.text.rstrip("\n").endswith(f"{address}{after}")
    assert "*" not in drawn.text
    assert "~" not in drawn.text


def test_letters_that_are_written_by_number_or_name_are_those_letters() -> None:
    """R1: outside of code only, and they are no tag and no formula then."""
    text = "&lt;b&gt; &amp;lt; &copy; &#36;x&#36; &#27; `&lt;`"
    html = "&lt;b&gt; &amp;lt; © <span>$</span>x<span>$</span>  <code>&amp;lt;</code>"
    assert to_html(text) == f"<p>{html}</p>\n"
