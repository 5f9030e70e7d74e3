"""Markdown as models write it, and as nobody should: what a reply may be made of."""

from __future__ import annotations

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

#: Short enough to be cut at every position.
SHORT = [
    "Plain words.",
    "One paragraph.\n\nAnother one,\nover two lines.",
    "Some **bold**, *italic*, ***both***, ~~gone~~ and `code`.",
    "# One\n\n## Two\n\nwords\n### Three\nmore",
    "Title\n=====\n\nSecond\n------\n\nwords",
    "- one\n- two\n- three",
    "- one\n\n- two\n\n- three",
    "- a\n  - b\n    - c\n  - d\n- e",
    "1. first\n2. second\n\n   more of it\n\n3. third",
    "4. four\n5. five",
    "- a\n\nwords\n\n- b",
    "* a\n* b\n\n+ c\n+ d",
    "- [ ] to do\n- [x] done",
    "1. one\n   - inner\n2. two\n\nAfter.",
    "- item\n  ```py\n  x = 1\n  ```\n- next",
    "```python\nfor x in range(3):\n    print(x)\n```",
    "```\nno language\n\n# no title\n```\nafter",
    "~~~js\nlet a = `b`;\n~~~\n\nEnd.",
    "````md\n```py\nx\n```\n````\n\nEnd.",
    "words\n```sh\nls -l | wc\n```\nwords",
    "    indented code\n\n    more of it\n\nwords",
    "> a quote\n> over lines\n\nafter",
    "> outer\n>\n> > inner\n>\n> outer again",
    "> - a list\n> - in a quote\n>\n> ```py\n> x = 1\n> ```",
    "> lazy\ngoes on\n\nend",
    "| a | b |\n|---|--:|\n| 1 | 2 |\n| `x` | **y** |",
    "Table:\n\n| a |\n|---|\n| b |\n\nafter",
    "words\n\n| a | b |\n|:--|:-:|\n| 1\\|2 | 3 |",
    "A [link](https://example.org/a_(b)) and <https://example.org>.",
    "See [one][1] and [Two].\n\n[1]: https://example.org/1\n[two]: https://example.org/2",
    "Bare https://example.org/x_y?z=1 and www.example.org here.",
    f"An image: ![alt]({PIXEL})\n\nafter",
    "Inline $a_1 + b_2$ and \\(c^2\\) math.",
    "Display:\n\n$$\\frac{a}{b}$$\n\nand\n\n\\[x = y\\]\n\nend",
    "$$\na\n\n+ b\n$$\n\nend",
    "It costs $5 and 7 dollars, not $ 9.",
    "A line\\\nbroken  \ntwice.",
    "one\n\n---\n\ntwo\n\n***\n\nthree",
    "Entities &amp; &lt;b&gt; &copy; and <b>tags</b>.",
    "<details><summary>More</summary>\n\nInside **it**.\n\n</details>\n\nafter",
    "<div>\n\n*a*\n\n</div>\n\nb",
    "a <!-- hidden --> b\n\n<!-- over\n\nlines -->\n\nc",
    "Ünïcödé 👋🏽 — “quotes” 漢字 \u05d0\u05d1\n\n- 🎉 party",
    "\\*not emphasis\\* and snake_case_name and 2 * 3 * 4",
    "tabs:\n\n-\tone\n-\ttwo\n\n\tcode",
]

_WORDS = (
    "The measurements arrive every minute, and each *line* holds **three** columns; what follows "
    "reads them with `pandas` and keeps an average of the last ten.\n"
)

#: Longer ones: cut at random positions.
LONG = [
    "\n".join(f"Paragraph {n}. {_WORDS}" for n in range(12)),
    "".join(f"## Part {n}\n\n{_WORDS}\n- a {n}\n- b\n  - c\n\n" for n in range(8)),
    "".join(f"{n}. Step {n}\n\n   ```python\n   x = {n}\n   ```\n\n" for n in range(1, 9)),
    "Some code:\n\n```python\n" + "def f(x):\n    return x + 1\n\n\n" * 25 + "```\n\nAfter it.",
    "| n | square | note |\n|---:|---:|---|\n"
    + "".join(f"| {n} | {n * n} | row `{n}` |\n" for n in range(30))
    + "\nAfter the table.",
    "".join(
        f"Let $x_{{{n}}}$ be \\(y^{n}\\):\n\n$$\nx = \\sqrt{{{n}}}\n$$\n\n\\[\ny = {n}\n\\]\n\n"
        for n in range(5)
    ),
    "".join(f"> quoted {n}\n> more\n\n{_WORDS}\n" for n in range(8)),
    "".join(f"- item {n}\n\n  {_WORDS}\n" for n in range(8)) + "End.",
    "".join(f"See [source {n}][{n}] for it.\n\n" for n in range(10))
    + "\n".join(f"[{n}]: https://example.org/{n}" for n in range(10)),
    "".join(f"```{lang}\nx = '{lang}'\n```\n{_WORDS}" for lang in ("js", "sql", "bash", "json")),
    "<table>\n"
    + "".join(f"<tr><td>{n}</td><td><b>{n}</b></td></tr>\n" for n in range(20))
    + "</table>\n\nAfter.",
    "# Title\n\n" + _WORDS * 10 + "\n---\n\n" + _WORDS * 3,
    "\r\n".join(["First.", "", "- a", "- b", "", "```py", "x = 1", "```", "", "Last."] * 6),
    "".join(f"**{n}. Heading**\n{_WORDS}\n* point\n* point\n\n" for n in range(8)),
    "Same\n\n" + "## Same\n\n```py\nsame()\n```\n\n" * 8,
]

TEXTS = SHORT + LONG
