"""Ask a server which models it has: Ollama's list, and that of an OpenAI-compatible address."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import SecretStr

#: A server that has not answered after this long is taken for absent, in seconds.
PATIENCE_S = 1.5
#: What was answered is good for so long, in seconds: a picker may ask often.
FRESH_S = 5.0
#: Longer answers are not read, in bytes.
_LONGEST = 1024 * 1024
_MOST = 200


class Listing:
    """Ask servers for their models, and remember the answer for a moment.

    :param clock: tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, list[str]]] = {}

    async def ollama(self, base_url: str) -> list[str]:
        """Return the names of the models that an Ollama server has; none when it does not run."""
        return await self._ask(f"{base_url.rstrip('/')}/api/tags", None)

    async def compatible(self, base_url: str, key: SecretStr | None) -> list[str]:
        """Return the names of an OpenAI-compatible server's models; none when it tells none."""
        return await self._ask(f"{base_url.rstrip('/')}/models", key)

    async def _ask(self, url: str, key: SecretStr | None) -> list[str]:
        secret = key.get_secret_value() if key else ""
        known = self._known.get((url, secret))
        if known is not None and self._clock() - known[0] < FRESH_S:
            return known[1]
        try:
            async with asyncio.timeout(PATIENCE_S):
                names = await _fetch(url, secret)
        except Exception:  # noqa: BLE001 - whatever it is, there is no list, and no key in a log
            names = []
        self._known = {
            asked: answer
            for asked, answer in self._known.items()
            if self._clock() - answer[0] < FRESH_S
        } | {(url, secret): (self._clock(), names)}
        return names


async def _fetch(url: str, secret: str) -> list[str]:
    from tornado.httpclient import HTTPRequest
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=_LONGEST)
    try:
        answer = await client.fetch(
            HTTPRequest(
                url,
                headers={"Authorization": f"Bearer {secret}"} if secret else None,
                # A key must not be carried to another place.
                follow_redirects=False,
                connect_timeout=PATIENCE_S,
                request_timeout=PATIENCE_S,
            )
        )
        return sorted(set(_names(json.loads(answer.body))))[:_MOST]
    finally:
        client.close()


def _names(answer: Any) -> Iterator[str]:
    """Find the names in an answer: `models[].name` of Ollama, `data[].id` of OpenAI."""
    for field, name in (("models", "name"), ("data", "id")):
        for each in answer.get(field) or ():
            said = each.get(name)
            if isinstance(said, str) and 0 < len(said) <= 400 and said.isprintable():
                yield said
