"""Secrets: known by the names of what holds them, and taken out of what others say."""

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
#: What is called a key, whatever it looks like: `API key provided: mine`, `token "mine"`.
_CALLED_KEY = re.compile(
    r"""
    \b(?:(?:api|access|auth|secret|bearer)[\ _-]?)?(?:key|token|secret|password|credentials?)
    (?:\ (?:provided|given|used|is|was|value))?\s*(?:[:=]|(?=['"`]))\s*['"`]?
    (?P<key>[^\s'"`,;]{3,})
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: Letters and digits without a break: a key or a hash, and no word, name or date.
_RANDOM = re.compile(
    r"(?:[\w*+-]*\b)?(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}[\w*+=-]*|[\w-]*\*{3,}[\w*-]*"
)
_PATH = re.compile(
    r"""
    (?<![\w/:.])(?:~|\.{1,2})?/(?:[^\s/'"`<>|]+/)+[^\s'"`<>|]*
    | \b[A-Za-z]:\\[^\s'"`<>|]+ | \\\\[^\s'"`<>|]+ | \bfile:[^\s'"`<>|]+
    """,
    re.VERBOSE,
)


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


def mask_for_people(text: str, secrets: Iterable[str] = (), longest: int = 600) -> str:
    """Make plain words of what a provider said, in one line, without keys, hashes and paths.

    Stricter than what goes to the log, since a person who may ask need not be who gave the key.

    :param longest: more characters are cut off.
    """
    text = "".join(each if each.isprintable() else " " for each in text[: 20 * longest])
    text = " ".join(mask_keys(text, secrets).split())
    text = _CALLED_KEY.sub(lambda found: found[0].replace(found["key"], _MASK), text)
    text = _RANDOM.sub(_MASK, _PATH.sub("[path]", text))
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
