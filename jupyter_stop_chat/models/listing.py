"""Ask who serves models which ones they have: a provider, Ollama, an OpenAI-compatible address."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from .places import Place

if TYPE_CHECKING:
    from httpx import AsyncClient

#: So long a server's answer is waited for where nobody says otherwise, in seconds; what comes
#: later is told at the next look.
PATIENCE_S = 1.5
#: A server that has not answered after this long is taken for absent, in seconds.
LIMIT_S = 30.0
#: What was answered is good for so long, in seconds: a picker may ask often.
FRESH_S = 5.0
#: A provider's own list, of which nothing is news, in seconds.
LASTING_S = 3600.0
#: So long it stands in for an answer that is not there yet, in seconds.
KEPT_S = 600.0
#: Longer answers are not read, in bytes.
_LONGEST = 16 * 1024 * 1024
#: Nor are answers of more parts than this: a thread that reads JSON lets no other run meanwhile.
_MOST_PARTS = 200_000
_MOST = 5000
_MOST_PAGES = 50
#: Of so many servers the lists are kept: each new key makes another one, and each may be long.
MOST_PLACES = 100
#: What is called so by those who tell how many tokens a model takes; the first that is there.
_SIZES = (
    "loaded_context_length",  # LM Studio: less than the model could take
    "max_input_tokens",  # Anthropic
    "inputTokenLimit",  # Google
    "max_model_len",  # vLLM
    "context_window",  # Groq
    "max_context_length",  # Mistral, LM Studio
    "context_length",  # Together, OpenRouter
)
#: What Together calls models that do not chat.
_OTHER_KINDS = {"image", "embedding", "moderation", "rerank", "audio", "transcribe", "video"}
#: The names of models, and how many tokens each takes where that is told.
Told = dict[str, int | None]
_VERSION = re.compile(r"/v\d")


class Listing:
    """What asks servers for their models, and remembers the answer for a moment.

    :param clock: tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[Place, tuple[float, Told]] = {}
        self._asking: dict[Place, asyncio.Task[None]] = {}

    def is_asking(self, place: Place) -> bool:
        """Tell whether a server has not answered yet."""
        return place in self._asking

    async def models(self, place: Place, patience: float | None = None) -> Told:
        """Return the models that a server lists; none when it tells none.

        :param patience: so long its answer is waited for, in seconds.
        """
        known = self._known.get(place)
        if known is not None and self._clock() - known[0] < _good_for(place, known[1]):
            return known[1]
        task = self._asking.get(place)
        if task is None:
            task = asyncio.create_task(self._note(place), name="stop-chat list models")
            self._asking[place] = task
        # Who goes away meanwhile takes nothing from the others, who wait for the same answer.
        await asyncio.wait({task}, timeout=PATIENCE_S if patience is None else patience)
        return self._known.get(place, (0.0, {}))[1]

    async def close(self) -> None:
        """Wait for no server any more."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _note(self, place: Place) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                told = await _fetch_anywhere(place)
        except Exception:  # noqa: BLE001 - whatever it is, there is no list, and no key in a log
            told = {}
        finally:
            del self._asking[place]
        now = self._clock()
        kept = {
            each: it
            for each, it in self._known.items()
            if now - it[0] < max(KEPT_S, _good_for(each, it[1]))
        }
        kept.pop(place, None)
        self._known = dict([*kept.items(), (place, (now, told))][-MOST_PLACES:])


def _good_for(place: Place, told: Told) -> float:
    return LASTING_S if place.lasts and told else FRESH_S


async def _fetch_anywhere(place: Place) -> Told:
    """Fetch a list, also from below `/v1`, where an address lacks that."""
    url = place.url
    # In a thread: it imports a library, and reads the certificates of all authorities.
    async with await asyncio.to_thread(client_of, place) as client:
        root = url.removesuffix("/models")
        if root == url or place.lasts or _VERSION.search(root):
            return await _fetch(client, url)
        try:
            if told := await _fetch(client, url):
                return told
        except (LookupError, ValueError):
            pass  # a web page, or nothing
        return await _fetch(client, f"{root}/v1/models")


def client_of(place: Place) -> AsyncClient:
    """Make a client that asks one server, with its key. Blocks."""
    from httpx import AsyncClient

    from jupyter_stop_chat.chat_handlers.langchain.first_use import load_sockets
    from jupyter_stop_chat.chat_handlers.langchain.transports import is_this_machine

    load_sockets()
    headers = {"Accept-Encoding": "identity"} | place.headers
    return AsyncClient(
        headers=headers,
        # A key must not be carried to another place.
        follow_redirects=False,
        timeout=LIMIT_S,
        # A proxy of the environment is asked for what is elsewhere, as each prompt is.
        trust_env=not is_this_machine(urlsplit(place.url).hostname or ""),
    )


async def _fetch(client: AsyncClient, url: str) -> Told:
    """Fetch a list, page by page.

    :raises LookupError: when no list is there.
    :raises ValueError: when what is there is none, or is longer than is read.
    """
    from jupyter_stop_chat.chat_handlers.hearing.bodies import packed_as, pieces

    told: Told = {}
    page = ""
    for _ in range(_MOST_PAGES):
        body = bytearray()
        async with client.stream("GET", url + page) as answer:
            if not answer.is_success:
                raise LookupError(answer.status_code)
            if packed_as(answer):
                # Unasked. A little of it could be unpacked to very much, in one go.
                raise ValueError("packed")
            async for part in pieces(answer.aiter_bytes(), None):
                body += part
                if len(body) > _LONGEST:
                    raise ValueError("too long")
        more, page = await asyncio.to_thread(_read, body)
        told |= more
        if not page or len(told) >= _MOST:
            break
    return dict(sorted(told.items(), key=lambda each: each[0])[:_MOST])


def _read(body: bytearray) -> tuple[Told, str]:
    from jupyter_stop_chat.chat_handlers.hearing.bounds import parts_of

    if parts_of(body) > _MOST_PARTS:
        raise ValueError("too many parts")
    answer = json.loads(body)
    return dict(_models(answer)), _next(answer)


def _models(answer: Any) -> Iterator[tuple[str, int | None]]:
    """Find the models in an answer of Ollama, of OpenAI, or in a bare list."""
    lists: list[Any] = [answer] if isinstance(answer, list) else []
    if isinstance(answer, Mapping):
        lists = [answer.get(field) for field in ("models", "data")]
    for found in lists:
        for each in found if isinstance(found, list) else ():
            said, size = each, None
            if isinstance(each, Mapping):
                if not _chats(each):
                    continue
                said = each.get("id") or each.get("name") or each.get("model")
                size = _size(each)
                if isinstance(said, str) and "supportedGenerationMethods" in each:
                    said = said.removeprefix("models/")  # Google's; another's is a path
            if isinstance(said, int) and not isinstance(said, bool):
                said = str(said)
            if isinstance(said, str) and _is_name(said):
                yield said, size


def _is_name(said: str) -> bool:
    """Tell whether something can be read, and be told from nothing."""
    return said.strip() != "" and len(said) <= 400 and said.isprintable()


def _size(model: Mapping[str, Any]) -> int | None:
    """Return how many tokens a model takes, if its provider says so."""
    said = (model.get(name) for name in _SIZES)
    sizes = (each for each in said if isinstance(each, int) and not isinstance(each, bool))
    return next((each for each in sizes if 0 < each < 2**53), None)


def _chats(model: Mapping[str, Any]) -> bool:
    """Tell whether a model takes part in a chat, where its provider says what it does."""
    can, methods = model.get("capabilities"), model.get("supportedGenerationMethods")
    if isinstance(can, Mapping) and can.get("completion_chat") is False:
        return False
    if isinstance(methods, list) and "generateContent" not in methods:
        return False
    kind = model.get("type")
    return not isinstance(kind, str) or kind not in _OTHER_KINDS


def _next(answer: Any) -> str:
    """Return the query of the next page; empty where there is none."""
    if not isinstance(answer, Mapping):
        return ""
    if answer.get("has_more") and isinstance(answer.get("last_id"), str):
        return f"?{urlencode({'after_id': answer['last_id'], 'after': answer['last_id']})}"
    if isinstance(answer.get("nextPageToken"), str) and answer["nextPageToken"]:
        return f"?{urlencode({'pageToken': answer['nextPageToken']})}"
    return ""
