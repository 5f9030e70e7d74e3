"""Why a page could not do what was asked of it, in words for a model: the one list of them."""

from __future__ import annotations

from collections.abc import Mapping

from .tools import PageError

_WORDS = {
    "not_open": "This document is open in no page.",
    "open_elsewhere": (
        "This document is open in another tab than the one that was worked in: "
        "nothing was changed. Ask the person which tab they mean."
    ),
    "no_page": "No page of JupyterLab is there.",
    "no_answer": "A page of JupyterLab is there, and does not answer: nothing was done.",
    "lost": "Nobody said whether this was done. Look again before you go on.",
    "gone": "There is no cell with that id (any more). Read the notebook again.",
    "changed": "Somebody else has just changed this: nothing was done. Read it again.",
    "changed_kernel": "The notebook has another kernel than expected: nothing was done.",
    "busy": "The person runs this cell at the moment: nothing was done.",
    "read_only": "This document is read-only: nothing was done.",
    "too_large": (
        "This cell is too large, probably by its outputs, to be kept for Undo: nothing was done."
    ),
    "bad_request": "That cannot be done with this document.",
}
#: Of what failed for another reason.
FAILED = "This could not be done, for a reason that nobody knows."


def words_of(error: PageError) -> str:
    """Tell a model why a page could not do it, and what is there that is not as expected."""
    words = _WORDS.get(error.code, FAILED)
    source = error.result.get("source") if isinstance(error.result, Mapping) else None
    return f"{words} It is now:\n{source}" if isinstance(source, str) else words
