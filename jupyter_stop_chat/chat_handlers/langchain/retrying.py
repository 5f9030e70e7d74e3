"""When a request that a provider did not answer is made again, and how long is waited before.

Only before the first token: what a person has seen must not change, nor be billed twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from jupyter_stop_chat.chat_handlers.provider_errors import answer_of, causes, code_of
from jupyter_stop_chat.wire.errors import ErrorCode

#: Seconds before the second and before the third request, where the provider names none.
WAITS = (1.0, 3.0)
#: Who is asked to wait longer is told so, instead of being kept waiting.
LONGEST_WAIT = 60.0

_RETRIED = frozenset(
    {ErrorCode.RATE_LIMITED, ErrorCode.PROVIDER_FAILED, ErrorCode.PROVIDER_TIMEOUT}
)


def wait_before_retry(error: BaseException, attempt: int) -> float | None:
    """Tell how long to wait until a request is made again, in seconds; None: not at all.

    :param attempt: how many times it was made again before.
    """
    code = code_of(error)
    if attempt >= len(WAITS) or code not in _RETRIED:
        return None
    chain = list(causes(error))
    if code is ErrorCode.PROVIDER_TIMEOUT and not any(answer_of(each).status for each in chain):
        return None  # our own limit, which the person has waited for
    headers = [found for each in chain for found in _headers(each)]
    if ("x-should-retry", "false") in headers:
        return None
    asked = _asked(dict(headers))
    wait = WAITS[attempt] if asked is None else asked
    return wait if wait <= LONGEST_WAIT else None


def _headers(error: BaseException) -> Iterator[tuple[str, str]]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    for name in ("x-should-retry", "retry-after-ms", "retry-after"):
        value = headers.get(name) if headers is not None and hasattr(headers, "get") else None
        if isinstance(value, str):
            yield name, value.strip().lower()


def _asked(headers: dict[str, str]) -> float | None:
    """Return the seconds that a provider asks to wait, if it does."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) / unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, at.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
