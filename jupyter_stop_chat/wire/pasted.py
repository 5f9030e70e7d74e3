"""What a person meant by what they pasted: a key, or an address."""

from __future__ import annotations

import re

from .errors import ErrorCode, StopChatError

#: A key goes into a header: nothing but visible ASCII.
KEY = r"[!-~]{1,2000}"
#: A key that nothing stands around.
PLAIN_KEY = r"^[A-Za-z0-9](?:[!-~]{0,1998}[A-Za-z0-9])?$"
_PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
#: An address of an HTTP server, with a path, and without a password, a query or a fragment.
ADDRESS = (
    r"^https?://(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])"
    rf"(?::{_PORT})?(?:/[A-Za-z0-9._~/%-]*)?$"
)
LONGEST_ADDRESS = 500
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_AROUND = " \t\r\n\f\v\u00a0\u2007\u202f\u3000\"'`\u00b4“”„‟‘’‚‛«»‹›,;"
_LINE = re.compile(
    r"(?:export\s+|set\s+|\$env:)?[A-Za-z][A-Za-z0-9_]*(?:KEY|TOKEN|SECRET)\s*=\s*"
    r"|(?:authorization|(?:x-)?api[-_]key|x-goog-api-key)\s*:\s*|(?:bearer|basic)\s+",
    re.IGNORECASE,
)
#: What is asked below an address, and was copied with it.
_ENDPOINT = re.compile(
    r"/+(?:chat/completions|completions|responses|embeddings|models|messages)/*$", re.IGNORECASE
)


def meant_key(text: str) -> str:
    """Take off what stands around a key: blanks, line ends, quotes, its name, `Bearer`.

    :raises StopChatError: `invalid_key`, when what is left cannot be in a header.
    """
    key, before = _UNSEEN.sub("", text), None
    while key != before:
        before = key
        key = key.strip(_AROUND)
        key = key[found.end() :] if (found := _LINE.match(key)) else key
    if re.fullmatch(KEY, key) is None:
        raise StopChatError(ErrorCode.INVALID_KEY)
    return key


def meant_address(text: str) -> str:
    """Take off what stands around an address, and the endpoint behind it.

    An address of this machine may come without its scheme.
    """
    address = _UNSEEN.sub("", text).strip(_AROUND)
    if re.match(r"(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1\])(?:[:/]|$)", address, re.I):
        address = f"http://{address}"
    address = re.sub(r"^(https?)://", lambda found: found[1].lower() + "://", address, flags=re.I)
    return _ENDPOINT.sub("", address)
