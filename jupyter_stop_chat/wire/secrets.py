"""Secrets: known by the names of what holds them, and taken out of what goes to the log."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

_KEY_LIKE = re.compile(
    r"""
    \b(?:sk|pk|rk|gsk|xai|hf|r8|tvly|lsv2)[-_][A-Za-z0-9_\-*.]{4,}
    | \bAIza[A-Za-z0-9_\-]{10,}
    | \beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+
    | (?<=Bearer\ )[^\s'",}\]]+
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)
    | (?:(?<=api-key:\ )|(?<=api_key=)|(?<=[?&]key=))[^\s'",&}\]]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: Names of parameters, headers and variables whose value is a secret.
SECRET_NAME = re.compile(
    r"(key|token|secret|password|passwd|credentials?|authorization|cookie)$", re.IGNORECASE
)
_MASK = "[key]"


def mask_keys(text: str, secrets: Iterable[str] = ()) -> str:
    """Take everything out of a text that is a key, or looks like one.

    :param text: what goes to the log.
    :param secrets: keys that are known; those in the environment are looked up as well.
    """
    known = {secret for secret in secrets if secret}
    known.update(
        value for name, value in os.environ.items() if len(value) >= 6 and SECRET_NAME.search(name)
    )
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return _KEY_LIKE.sub(_MASK, text)
