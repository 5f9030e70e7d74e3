"""Redis with sentinels, as a cluster, and with TLS."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis.asyncio import Redis

from jupyter_stop_chat.bus import clients
from jupyter_stop_chat.bus import redis as redis_module
from jupyter_stop_chat.ports.peers import MoreText, Moved, NotReachedError, Question
from tests.aids.ports import free_port
from tests.aids.redis_server import RedisServer, begin_sentinel, make_cluster
from tests.bus.test_redis_loss import both, works
from tests.conftest import PATIENCE


async def test_another_becomes_the_master(
    process: Any, new_redis: Callable[..., RedisServer]
) -> None:
    """The sentinels know which; the one of them that is away is not needed."""
    master = new_redis()
    replica = new_redis("--replicaof", "127.0.0.1", str(master.port))
    while b"state=online" not in master.say("INFO", "replication"):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    sentinel = begin_sentinel(master, new_redis(begin=False))
    while b"slaves=1" not in sentinel.say("INFO", "sentinel"):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/chat/0"
    a, b = await both(process, url=url)
    await works(a, b)
    master.kill()
    await asyncio.gather(a.told(False, True), b.told(False, True))
    assert b"role:master" in replica.say("INFO", "replication")
    await works(a, b)
    assert a.peers.health() == {"kind": "sentinel", "reachable": True, "away_since": None}


async def test_sentinels_that_know_of_no_such_master(
    process: Any, new_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    sentinel = begin_sentinel(new_redis(), new_redis(begin=False))
    url = f"redis+sentinel://127.0.0.1:{sentinel.port}/other"
    a = await process("a", url=url, up=False)
    await a.told(False)
    assert "its sentinels know of no master" in caplog.text


async def test_a_cluster(
    process: Any, new_redis: Callable[..., RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many hear something is not known there: the slower way is taken only after a while."""
    monkeypatch.setattr(redis_module, "HEDGE_SECONDS", 0.2)
    bus_ports = [free_port() for _ in range(3)]
    nodes = [
        new_redis("--cluster-enabled", "yes", "--cluster-port", str(port)) for port in bus_ports
    ]
    await asyncio.to_thread(make_cluster, nodes, bus_ports)
    first, second, third = (f"127.0.0.1:{each.port}" for each in nodes)
    a = await process("a", url=f"redis+cluster://{first},{second}")
    b = await process("b", url=f"redis+cluster://{second},{third}")
    missed = b.engine.missed
    b.peers.attend("ada", True)
    await b.engine.until(lambda: b.engine.missed > missed)
    for _ in range(3):
        a.peers.tell("ada", MoreText("chat", "m", 0, "x"))
    await works(a, b)
    made = [f"m{at}" for at in range(20)]
    for each in made:
        await a.peers.flag_stop(each)
    b.engine.flagged.clear()
    await b.peers.look(made)
    assert b.engine.flagged == made
    for each in made:
        b.peers.unflag_stop(each)
    with pytest.raises(NotReachedError):
        await a.peers.ask("gone", Question("ada", "x"), 0.5)
    a.beside.reaches["gone"] = b.engine
    assert await a.peers.ask("gone", Question("ada", "x"), PATIENCE) == "b answers x"
    b.engine.flagged.clear()
    await b.peers.look(made)
    assert b.engine.flagged == []
    # the node that `a` hears ends: it goes on with another one
    await asyncio.to_thread(nodes[0].kill)
    a.peers.tell("ada", Moved("chat", None))
    assert await _asked(a, b)


async def test_a_node_that_does_not_answer_holds_all_that_is_sent_no_longer_than_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the line counts as broken, though what is told goes by another node."""
    monkeypatch.setattr(clients, "KEY_SECONDS", 0.05)
    begun: list[Any] = []

    class Hanging:
        async def execute(self, *command: Any) -> None:
            begun.append(command)
            await asyncio.Event().wait()

    link = clients.Link(Redis(), Hanging())
    began = asyncio.get_running_loop().time()
    answers = await link.execute([("SET", f"chat_stop:{at}", "1") for at in range(40)])
    assert [type(each) for each in answers] == [TimeoutError] * 40
    assert asyncio.get_running_loop().time() - began < 40 * clients.KEY_SECONDS / 2
    assert clients.KEY_SECONDS < clients.ANSWER_SECONDS


async def _asked(a: Any, b: Any) -> bool:
    """Ask until there is an answer: a cluster that lost a node takes a while to be sure of it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return bool(await a.peers.ask("b", Question("ada", "again"), 1.0))
            except NotReachedError:
                await asyncio.sleep(0.05)


def certify(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for this machine that certifies itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis")])
    now = datetime.datetime.now(datetime.UTC)
    alone = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alone, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem", folder / "key.pem"
    written[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    written[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return written


async def test_tls(
    process: Any,
    new_redis: Callable[..., RedisServer],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A certificate that nobody vouches for is refused, unless it is named."""
    certificate, key = certify(tmp_path)
    port = free_port()
    new_redis(
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(certificate)),
    )
    url = f"rediss://127.0.0.1:{port}"
    stranger = await process("s", url=url, up=False)
    await stranger.told(False)
    a, b = await both(process, url=f"{url}?ssl_ca_certs={certificate}")
    await works(a, b)
    c = await process("c", url=f"{url}?ssl_cert_reqs=none")
    assert await c.peers.ask("a", Question("ada", "x"), PATIENCE) == "a answers x"
