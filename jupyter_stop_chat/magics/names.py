"""Python names in a prompt: `{name}` becomes the value, as in IPython's own magics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: `{name}`, `{name.part[0]!r:>10}`, and `{{name}}` for the braces themselves.
_FIELD = re.compile(
    r"\{\{(?P<kept>[^{}\n]*)\}\}"
    r"|\{(?P<name>[A-Za-z_]\w*)(?P<rest>(?:\.[A-Za-z_]\w*|\[[^\[\]{}\n]*\])*"
    r"(?:![rsa])?(?::[^{}\n]*)?)\}"
)


def fill_in(prompt: str, names: Mapping[str, Any]) -> str:
    """Put values for the names that there are; other braces, as in code, stay as they are."""

    from IPython.utils.text import EvalFormatter

    formatter = EvalFormatter()

    def value(found: re.Match[str]) -> str:
        if found["name"] is None:
            return f"{{{found['kept']}}}" if _FIELD.fullmatch(f"{{{found['kept']}}}") else found[0]
        if found["name"] not in names:
            return found[0]
        try:
            return str(formatter.vformat(found[0], [], dict(names)))
        except Exception:  # noqa: BLE001 - a value's own code may do anything; IPython goes on too
            return found[0]

    return _FIELD.sub(value, prompt)
