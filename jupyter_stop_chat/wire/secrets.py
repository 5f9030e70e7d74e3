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
#: So much of what a provider says is looked at, in characters.
_MOST_READ = 20_000
#: What is called a key, whatever it looks like: `API key provided: mine`, `token "mine"`.
_CALLED_KEY = re.compile(
    r"""
    \b(?:(?:api|access|auth|secret|bearer)[\ _-]?)?(?:key|token|secret|password|credentials?)
    (?:\ (?:provided|given|used|is|was|value))?\s*(?:[:=]|(?=['"`]))\s*['"`]?
    (?P<key>[^\s'"`,;]{3,})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z0-9_*+=-]{3,}")
#: Letters and digits without a break, so many: a key or a hash, and no word, name or date.
_RUN = re.compile(r"[A-Za-z0-9]{16,}")
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
    return _KEY_LIKE.sub(_MASK, mask_known(text, secrets))


def mask_known(text: str, secrets: Iterable[str] = ()) -> str:
    """Take the keys out of a text that are known, and those in the environment."""
    known = {secret for secret in secrets if secret}
    known.update(
        value for name, value in os.environ.items() if len(value) >= 6 and SECRET_NAME.search(name)
    )
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return text


def mask_for_people(text: str, secrets: Iterable[str] = (), longest: int = 600) -> str:
    """Make plain words of what a provider said, in one line, without keys, hashes and paths.

    Stricter than what goes to the log, since a person who may ask need not be who gave the key.

    :param longest: more characters are cut off.
    """
    text = "".join(each if each.isprintable() else " " for each in text[:_MOST_READ])
    text = " ".join(mask_known(text, secrets).split())
    if len(text) > (most := 4 * longest):
        text = (
            text[:most].rpartition(" ")[0] or text[: longest + 1]
        )  # half a key is not known as one
    text = _KEY_LIKE.sub(_MASK, text)
    text = _CALLED_KEY.sub(lambda found: found[0].replace(found["key"], _MASK), text)
    text = _WORD.sub(_mask_random, _PATH.sub("[path]", text))
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _mask_random(word: re.Match[str]) -> str:
    """Take a word out that nobody would write by hand, or of which somebody left out a part."""
    runs = _RUN.findall(word[0])
    mixed = any(not each.isalpha() and not each.isdigit() for each in runs)
    return _MASK if mixed or "***" in word[0] else word[0]
