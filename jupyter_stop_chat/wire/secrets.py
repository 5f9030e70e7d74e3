"""Secrets: known by the names of what holds them, and taken out of what others say."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable
from urllib.parse import quote

_KEY_LIKE = re.compile(
    r"""
    \b(?:sk|pk|rk|gsk|xai|hf|r8|tvly|lsv2)[-_][A-Za-z0-9_\-*.]{4,}
    | \bAIza[A-Za-z0-9_\-]{10,}
    | (?<=Bearer\ )[^\s'",}\]]+
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)
    | (?:(?<=api-key:\ )|(?<=api_key=)|(?<=[?&]key=))[^\s'",&}\]]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: A token that is signed. Its first part is taken whether a dot follows or not: to look for the
#: dot from each place anew would take the square of its length.
_SIGNED = re.compile(r"\beyJ[A-Za-z0-9_\-]{8,}(?P<rest>\.[A-Za-z0-9_\-.]+)?", re.IGNORECASE)
#: Names of parameters, headers and variables whose value is a secret.
SECRET_NAME = re.compile(
    r"(key|token|secret|password|passwd|credentials?|authorization|cookie)$", re.IGNORECASE
)
_MASK = "[key]"
#: What is called a key, whatever it looks like: `API key provided: mine`, `token "mine"`.
_CALLED_KEY = re.compile(
    r"""
    (?:\b(?:(?:api|access|auth|secret|bearer)[\ _-]?)?(?:key|token|secret|password|credentials?)
      |令牌|密钥|金鑰)
    (?:\ (?:provided|given|used|is|was|value))?\s*(?:[:=：]|(?=['"`“”‘’„«「]))\s*['"`“”‘’„«「]?
    (?P<key>[^\s'"`,;“”‘’»」，。；]{3,})
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: What may hold a key or a hash, and letters and digits without a break in it.
_WORD = re.compile(r"[\w*+=-]{4,}")
_RUN = re.compile(r"[A-Za-z0-9]{16,}")
_PATH = re.compile(
    r"""
    (?<=['"`])(?:~[\w.-]*|[A-Za-z]:|\.{1,2})?[\\/][^\\/'"`<>|]+[\\/][^'"`<>|]*(?=['"`])
    | (?<![\w/.])(?:~[\w.-]*|\.{1,2})?/(?:[^\s/'"`<>|]+/)+[^\s'"`<>|]*
    | \b[A-Za-z]:[\\/](?!/)[^\s'"`<>|]+ | \\\\[^\s'"`<>|]+ | \bfile:[^\s'"`<>|]+
    """,
    re.VERBOSE,
)
#: A shorter secret is looked for as it is alone: what is made of it could be anything.
_DISTINCT = 6
#: A longer one at the end of what is read is no key.
_LONGEST_WORD = 1000


def mask_keys(text: str, secrets: Iterable[str] = (), most: int | None = None) -> str:
    """Take everything out of a text that is a key, or looks like one.

    :param text: what goes to the log.
    :param secrets: keys that are known; those in the environment are looked up as well.
    :param most: so much of the text is looked at, in characters; the rest is left out.
    """
    known = _known(secrets)
    kept = text[:most]
    is_cut = len(kept) < len(text)
    for secret in known:
        kept = kept.replace(secret, _MASK)
    if is_cut:
        kept = _without_end(kept, known)
    return _mask_like(kept)


def mask_for_people(text: str, secrets: Iterable[str] = (), longest: int = 600) -> str:
    """Make plain words of what a provider said, in one line, without keys, hashes and paths.

    Stricter than what goes to the log, since a person who may ask need not be who gave the key: a
    known one is found in whichever case, and with blanks in it.

    :param longest: more characters are cut off.
    """
    known = _known(secrets)
    most = 20 * longest
    kept = "".join(each if each.isprintable() else " " for each in text[:most])
    kept = " ".join(kept.split())
    for secret in known:
        short = len(secret) < _DISTINCT
        kept = kept.replace(secret, _MASK) if short else _without(kept, secret)
    if len(text) > most:
        kept = _without_end(kept, known)
    kept = _mask_like(kept)
    kept = _CALLED_KEY.sub(lambda found: found[0].replace(found["key"], _MASK), kept)
    kept = _WORD.sub(_mask_random, _PATH.sub("[path]", kept))
    return kept if len(kept) <= longest else f"{kept[: longest - 1].rstrip()}…"


def _known(secrets: Iterable[str]) -> list[str]:
    """Return the secrets that are known, as they are and as addresses and headers bear them."""
    known = {secret for secret in secrets if secret}
    known.update(
        value
        for name, value in os.environ.items()
        if len(value) >= _DISTINCT and SECRET_NAME.search(name)
    )
    for secret in [each for each in known if len(each) >= _DISTINCT]:
        written = secret.encode("utf-8", "replace")
        known |= {quote(written, safe=""), quote(written), written.hex()}
        known |= {base64.b64encode(written).decode(), base64.urlsafe_b64encode(written).decode()}
    return sorted(known, key=len, reverse=True)


def _without(text: str, secret: str) -> str:
    """Mask a secret in a line, in whichever case, and with blanks in it.

    No pattern looks for it: one with a blank that may be between any two signs takes the length of
    the text times that of the secret, and both may be somebody's choice.
    """
    wanted, dense = _small(secret.replace(" ", "")), _small(text.replace(" ", ""))
    at = dense.find(wanted) if wanted else -1
    if at < 0:
        return text
    places = [place for place, sign in enumerate(text) if sign != " "]
    parts, end = [], 0
    while at >= 0:
        behind = at + len(wanted)
        parts += [text[end : places[at]], _MASK]
        end = places[behind - 1] + 1
        at = dense.find(wanted, behind)
    return "".join(parts) + text[end:]


def _small(text: str) -> str:
    """Write in small letters, each sign as one."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(low if len(low := sign.lower()) == 1 else sign for sign in text)


def _without_end(text: str, known: Iterable[str]) -> str:
    """Leave out what may be the beginning of a secret that was cut in two at a text's end."""
    longest = max((len(each) for each in known), default=0)
    kept = text[: max(0, len(text) - 2 * longest)]
    begin, blank, end = kept.rpartition(" ")
    return begin if blank and len(end) <= _LONGEST_WORD else kept


def _mask_like(text: str) -> str:
    text = _KEY_LIKE.sub(_MASK, text)
    return _SIGNED.sub(lambda found: _MASK if found["rest"] else found[0], text)


def _mask_random(word: re.Match[str]) -> str:
    """Mask a word from where it is a key or a hash on: it is no word, name or date."""
    parts = word[0].split("=")
    for at, part in enumerate(parts):
        runs = _RUN.findall(part)
        if "***" in part or any(_is_mixed(run) for run in runs):
            return "=".join([*parts[:at], _MASK])
    return word[0]


def _is_mixed(run: str) -> bool:
    return not run.isalpha() and not run.isdigit()
