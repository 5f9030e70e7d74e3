"""Connections to Redis, as redis-py makes them. Imported in a thread: redis-py takes long."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from jupyter_stop_chat.settings.bus_url import BusUrl
from jupyter_stop_chat.threads import in_thread

from .cluster import Cluster
from .outgoing import Command

#: What redis-py raises where Redis cannot be reached, does not answer, or refuses.
FAILURES = (RedisError, OSError, TimeoutError, EOFError)
#: So long one answer of Redis is waited for, in seconds.
ANSWER_SECONDS = 2.0
#: So long all nodes of a cluster are waited for for all that is sent at once: less than that.
KEY_SECONDS = 1.0
#: What is asked of a flag that is none: it shows that Redis is there, takes writes, and lets us.
CHECKS: Sequence[Command] = (("DEL", "chat_stop:"), ("MGET", "chat_stop:"))

#: A connection that says which version of redis-py it is looks that up on the disk each time.
_UNNAMED: dict[str, None] = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(AbstractConnection.__init__).parameters
    else {"lib_name": None, "lib_version": None}  # before redis-py 7
)


class _TlsConnection(SSLConnection):
    """A connection that reads its certificates in a thread: that takes long."""

    async def _connect(self) -> None:
        await in_thread(self.ssl_context.get)
        await super()._connect()  # type: ignore[no-untyped-call]


class Link:
    """What one connection hears, and another one sends, on one Redis.

    :param client: for what is published and heard.
    :param cluster: for what is kept by key, where that is spread over several.
    """

    def __init__(self, client: Redis, cluster: Cluster | None = None) -> None:
        self._client = client
        self._cluster = cluster
        self._pubsub: PubSub = client.pubsub()
        #: The number of receivers that `PUBLISH` returns counts all of them.
        self.counts_receivers = cluster is None

    async def open(self, channels: Sequence[bytes]) -> dict[str, Any]:
        """Connect, try whether what is needed may be done, and hear some channels.

        :returns: what is heard first: that the first of the channels is.
        """
        await self.check()
        await self._pubsub.subscribe(*channels)
        first = await self.next(ANSWER_SECONDS)
        if first is None:
            raise TimeoutError
        return first

    async def check(self) -> None:
        """Ask whether Redis is there and takes writes."""
        # What is published through one node of a cluster is heard at all, whoever takes writes.
        checks: Sequence[Command] = CHECKS if self._cluster is None else (("PING",),)
        for answer in await self.execute(checks):
            self.refuse(answer)

    @staticmethod
    def refuse(answer: Any) -> None:
        """Give up the connection where Redis answers that it is not the one that takes writes."""
        if isinstance(answer, ReadOnlyError | AuthenticationError | NoPermissionError):
            raise answer

    async def hear(self, channels: Sequence[bytes], heard: bool) -> None:
        """Hear some more channels, or some no more."""
        change = self._pubsub.subscribe if heard else self._pubsub.unsubscribe
        await change(*channels)

    async def ping(self) -> None:
        """Have the connection that hears answered."""
        await self._pubsub.ping()

    async def next(self, seconds: float) -> dict[str, Any] | None:
        """Return what is heard next; None when nothing was for so long."""
        try:
            message: dict[str, Any] | None = await self._pubsub.get_message(timeout=seconds)
        except NoPermissionError:
            raise
        except ResponseError:  # it refuses to be pinged, since its disk is full: it is there
            return {"type": "refused"}
        return message

    async def execute(self, commands: Sequence[Command]) -> list[Any]:
        """Do some commands; what is published keeps its order.

        :returns: for each what Redis answers, also where that is an error.
        """
        answers: list[Any] = [None] * len(commands)
        by_key = [at for at, each in enumerate(commands) if self._is_spread(each)]
        plain = [at for at, each in enumerate(commands) if not self._is_spread(each)]
        if plain:
            pipeline = self._client.pipeline(transaction=False)
            for at in plain:
                pipeline.execute_command(*commands[at])
            told = await pipeline.execute(raise_on_error=False)
            for at, answer in zip(plain, told, strict=True):
                answers[at] = answer
        # All of them together, however many: else nothing is told meanwhile, and it looks broken.
        ends = asyncio.get_running_loop().time() + KEY_SECONDS
        for at in by_key:
            try:
                async with asyncio.timeout_at(ends):
                    assert self._cluster is not None
                    answers[at] = await self._cluster.execute(*commands[at])
            except FAILURES as error:  # a cluster that has lost a node still carries what is told
                answers[at] = error
        return answers

    def _is_spread(self, command: Command) -> bool:
        return self._cluster is not None and command[0] in {"SET", "MGET", "DEL"}

    async def close(self) -> None:
        """Let go of every connection; a Redis that does not answer is not waited for."""
        nodes = self._cluster.nodes if self._cluster is not None else []
        for close in (self._pubsub.aclose, *(each.aclose for each in (self._client, *nodes))):
            with contextlib.suppress(*FAILURES):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await close()  # type: ignore[no-untyped-call]


async def connect(url: BusUrl, turn: int) -> Link:
    """Make what reaches a Redis; it connects when it is opened.

    :param turn: how often that was tried before: another node of a cluster is taken each time.
    """
    if url.kind == "unix":
        return Link(_client(url, path=url.path))
    if url.kind == "sentinel":
        return Link(_client(url, *await _master(url, turn)))
    host, port = url.hosts[turn % len(url.hosts)]
    client = _client(url, host, port)
    if url.kind == "redis":
        return Link(client)
    return Link(client, Cluster(client, partial(_client, url)))


async def _master(url: BusUrl, turn: int) -> tuple[str, int]:
    """Ask the sentinels who is the master now."""
    sentinel = Sentinel([])  # type: ignore[no-untyped-call]
    first = turn % len(url.hosts)  # one that does not answer must not keep us from the others
    hosts = [*url.hosts[first:], *url.hosts[:first]]
    sentinel.sentinels = [_client(url, *each, sentinel=True) for each in hosts]
    try:
        host, port = await sentinel.discover_master(url.master)
    finally:
        for each in sentinel.sentinels:
            with contextlib.suppress(*FAILURES):
                await each.aclose()
    return str(host), int(port)


def _client(
    url: BusUrl, host: str = "", port: int = 0, *, path: str = "", sentinel: bool = False
) -> Redis:
    kind: type[Connection | UnixDomainSocketConnection] = Connection
    options = _options(url, url.tls, sentinel)
    if path:
        kind = UnixDomainSocketConnection
        options["path"] = path
        del options["socket_keepalive"]
    else:
        options |= {"host": host, "port": port}
        kind = _TlsConnection if url.tls else Connection
    return Redis.from_pool(ConnectionPool(connection_class=kind, **options))


def _options(url: BusUrl, tls: bool, sentinel: bool = False) -> dict[str, Any]:
    """Return what holds for every connection: none tries again by itself, each answers in time."""
    given = {
        name: value
        for name, value in (url.sentinel_options if sentinel else url.options).items()
        if value is not None and not (name == "db" and url.kind == "cluster")
    }
    return {
        **_UNNAMED,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "socket_keepalive": True,
        **({"ssl_check_hostname": given.get("ssl_cert_reqs") != "none"} if tls else {}),
        **given,
    }


def is_refusal(error: BaseException) -> bool:
    """Tell whether Redis is there and refuses us: what only its operator can change."""
    return isinstance(error, AuthenticationError | NoPermissionError)


def reason_of(error: BaseException) -> str:
    """Say in words why Redis is of no use now; nothing of an address or a password is in it."""
    if "max number of clients" in str(error):
        return "it has as many clients as it allows"
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    return f"it cannot be reached ({type(error).__name__})"


#: What redis-py raises, and what that means.
_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((AuthenticationError,), "it refuses the name or the password"),
    ((NoPermissionError,), "its user may not do what is needed"),
    ((ReadOnlyError,), "it is a replica, which takes no writes"),
    ((BusyLoadingError,), "it is still loading"),
    ((MasterNotFoundError,), "its sentinels know of no master"),
    ((TimeoutError, RedisTimeoutError), "it does not answer"),
    ((ResponseError,), "it answers with an error"),
)
