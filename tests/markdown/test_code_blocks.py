"""The code of a reply, and nothing else of it."""

from __future__ import annotations

import pytest

from jupyter_stop_chat.markdown.code import code_blocks
from tests.markdown.test_reply_html import code_in_a_fence


def test_code_comes_out_as_it_went_in_at_every_nesting() -> None:
    """R3."""
    for seed in range(3_000):
        code, text = code_in_a_fence(seed)
        assert [each.code for each in code_blocks(text)] == [code.rstrip("\n")], (
            f"seed {seed}: {text!r}"
        )


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("1. So:\n   ```py\n   x = 1\n   ```\n2. And\n   ~~~\n   y\n   ~~~", ["x = 1", "y"]),
        ("> ```\n> x\n> ```\nwords", ["x"]),
        ("So\n```python\nprint(1)\npri", ["print(1)\npri"]),
        ("- a\n  ```\n  cut", ["cut"]),
        ("````md\n```py\nx\n```\n````", ["```py\nx\n```"]),
        ("So:\n\n    indented = 1\n\nand", ["indented = 1"]),
        ("So:\n\n    words\n\n```\ncode\n```", ["code"]),
        ("Only `x` words", []),
        ("", []),
    ],
)
def test_however_fences_stand(text: str, blocks: list[str]) -> None:
    """R3: cut in a fence, it is the code so far; without a block there is none."""
    assert [each.code for each in code_blocks(text)] == blocks


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("", ""),
        ("python", "python"),
        ("Python title=x", "python"),
        ("{.python}", "python"),
        ("{python, echo=False}", "python"),
        ("py,linenos", "py"),
        ("c++", "c++"),
    ],
)
def test_the_language_of_a_block(info: str, language: str) -> None:
    """U17: as its fence names it."""
    assert [each.language for each in code_blocks(f"```{info}\nx\n```")] == [language]
