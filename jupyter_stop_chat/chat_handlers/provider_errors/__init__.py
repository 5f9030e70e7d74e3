"""Say in the closed table's words what a provider's error means.

`answers` reads an error of whatever shape, `words` knows what servers call things, and `codes`
decides. No provider's package is imported.
"""

from __future__ import annotations

from .answers import Answer, answer_of, answer_on_the_wire, causes
from .codes import code_of, code_of_wire, said_by, said_on_the_wire, stop_chat_error
from .limits import limit_in

__all__ = [
    "Answer",
    "answer_of",
    "answer_on_the_wire",
    "causes",
    "code_of",
    "code_of_wire",
    "limit_in",
    "said_by",
    "said_on_the_wire",
    "stop_chat_error",
]
