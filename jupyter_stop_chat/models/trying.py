"""Try a key that is being given: at its provider, and at no cost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .listing import client_of
from .places import Place

#: So long a provider is waited for, in seconds.
PATIENCE_S = 8.0
#: So much of what it says against a key is read, in bytes.
_LONGEST = 16 * 1024
#: A status from here on is no success.
_REFUSED = 300


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a key that was tried.

    :ivar accepted: its provider took it.
    :ivar why: the reason for which that is not known; None: there was nothing to ask.
    """

    accepted: bool
    why: StopChatError | None = None


async def try_key(place: Place | None) -> Trial:
    """Ask a provider with a key.

    :param place: where it can be tried; None: nowhere.
    :raises StopChatError: `key_refused`, with what the provider said.
    """
    if place is None:
        return Trial(accepted=False)
    from jupyter_stop_chat.chat_handlers.provider_errors import (
        code_of_wire,
        said_on_the_wire,
        stop_chat_error,
    )

    secret = place.key.get_secret_value() if place.key else ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            status, body = await _ask(place)
            if status < _REFUSED and not place.lasts:
                # Most servers of one's own show their models to anybody.
                without, _ = await _ask(replace(place, key=None))
                return Trial(accepted=without >= _REFUSED)
    except Exception as error:  # noqa: BLE001 - whatever it is, the key is as good as before
        return Trial(accepted=False, why=stop_chat_error(error, [secret]))
    if status < _REFUSED:
        return Trial(accepted=True)
    # In a thread: what it says may be anything, and is looked through in many ways.
    code, said = await asyncio.to_thread(
        lambda: (code_of_wire(status, body), said_on_the_wire(status, body, [secret]))
    )
    failure = StopChatError(code, f"status {status}", said)
    if failure.code in {ErrorCode.KEY_REFUSED, ErrorCode.INVALID_KEY}:
        raise StopChatError(ErrorCode.KEY_REFUSED, failure.detail, failure.said)
    return Trial(accepted=False, why=failure)


async def _ask(place: Place) -> tuple[int, bytes]:
    """Return the status of an answer, and how its body begins if it is a refusal."""
    async with (
        await asyncio.to_thread(client_of, place) as client,
        client.stream("GET", place.url) as answer,
    ):
        body = bytearray()
        if answer.status_code >= _REFUSED:
            async for part in answer.aiter_raw():
                body += part
                if len(body) >= _LONGEST:
                    break
        return answer.status_code, bytes(body[:_LONGEST])
