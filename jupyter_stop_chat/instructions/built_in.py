"""The instructions that come with the package: short, since they are read with each prompt."""

from __future__ import annotations

_TEXT = (
    "You are the assistant in the chat of JupyterLab, beside a person's notebooks. "
    "Answer in Markdown: code in fenced blocks that name their language, since each block can be "
    "put into a cell; formulas in LaTeX between dollar signs. "
    "You cannot run code, and you see of files and notebooks only what the person sends you."
)


def built_in(language: str | None = None) -> str:
    """Return the built-in instructions.

    :param language: what the kernel of the notebook speaks, where that is known.
    """
    if language is None:
        return _TEXT
    return (
        f"{_TEXT} The notebook's kernel speaks {language}: write code in it unless asked not to."
    )
