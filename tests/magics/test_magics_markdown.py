"""A model's Markdown in a cell's output, which a front end takes for its author's own."""

from __future__ import annotations

import pytest

from jupyter_stop_chat.fences import open_fence
from jupyter_stop_chat.magics.safe_markdown import safe_markdown


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("**bold** $x<y$ and 1 < 2", "**bold** $x&lt;y$ and 1 < 2"),
        ("<script>x</script>", "&lt;script>x&lt;/script>"),
        ("a <!-- b", "a &lt;!-- b"),
        ("![a](http://x.invalid/?q=1)", "[a](http://x.invalid/?q=1)"),
        ("![a][b]", "[a][b]"),
        ("[a](https://x.invalid)", "[a](https://x.invalid)"),
        ("[a](#there)", "[a](#there)"),
        ("[a](javascript:alert(1))", "[a]\\(javascript:alert(1))"),
        ("[a](java&#115;cript:alert)", "[a]\\(java&#115;cript:alert)"),
        ("[a]( \tjavascript:alert)", "[a]\\( \tjavascript:alert)"),
        ("[a]: javascript:alert(1)", "\\[a]: javascript:alert(1)"),
        ("> [a]: data:text/html,x", "> \\[a]: data:text/html,x"),
        ("[a]: https://x.invalid", "[a]: https://x.invalid"),
        ("`<b>` and ``a ` <i>``", "`<b>` and ``a ` <i>``"),
        ("\\`<b>`", "\\`&lt;b>`"),
        ("| ` | <b> | ` |", "| ` | &lt;b> | ` |"),
        ("`a\n<b>`", "`a\n&lt;b>`"),
        ("```html\n<b>\n```\n<b>", "\n```html\n<b>\n```\n\n&lt;b>"),
        ("- x\n  ```\n<b>", "- x\n  ```\n&lt;b>"),
        ("$$\n```\n$$\n<b>\n```", "$$\n\n```\n$$\n<b>\n```\n"),
        ("    <b>", "    &lt;b>"),
    ],
)
def test_only_code_stays_as_it_is(text: str, safe: str) -> None:
    """L11."""
    assert safe_markdown(text) == safe


def test_what_is_open_is_closed_before_the_note() -> None:
    """L11: an open fence does not swallow the mark."""
    assert (
        safe_markdown("So:\n````\na\n```", "Stopped") == "So:\n\n````\na\n```\n````\n\n\n*Stopped*"
    )
    assert safe_markdown("", "Stopped <b>") == "\n*Stopped &lt;b>*"


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("", ""),
        ("```python\nx", "```"),
        ("```\nx\n```", ""),
        ("~~~\n```\n", "~~~"),
        ("````\n```\n", "````"),
        ("```\nx\n```` ", ""),
        ("```\nx\n``` y", "```"),
        ("``` a`b", ""),
        ("    ```\n", ""),
    ],
)
def test_which_fence_is_open(text: str, fence: str) -> None:
    assert open_fence(text) == fence
