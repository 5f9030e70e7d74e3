"""Addresses of Redis: taken apart, or refused in words that repeat nothing of them."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.settings.bus_url import fault_in, read_bus_url
from jupyter_stop_chat.settings.check import SettingsError
from tests.aids.in_turn import in_turn

FINE: list[tuple[str, str, list[tuple[str, int]], dict[str, Any]]] = [
    ("redis://host", "redis", [("host", 6379)], {"db": 0, "password": None}),
    ("redis://:wo%40rd@host:7/3", "redis", [("host", 7)], {"db": 3, "password": "wo@rd"}),
    ("redis://me:word@[::1]:7", "redis", [("::1", 7)], {"username": "me", "password": "word"}),
    ("redis://host/?db=4", "redis", [("host", 6379)], {"db": 4}),
    ("REDIS://host", "redis", [("host", 6379)], {}),
    (
        "rediss://host?ssl_ca_certs=/ca.pem&ssl_cert_reqs=none",
        "redis",
        [("host", 6379)],
        {"ssl_ca_certs": "/ca.pem", "ssl_cert_reqs": "none"},
    ),
    ("unix:///run/redis.sock?db=2", "unix", [], {"db": 2}),
    ("unix://me:word@/run/a%20b.sock", "unix", [], {"username": "me", "password": "word"}),
    ("redis+sentinel://a,b:7/chat/0", "sentinel", [("a", 26379), ("b", 7)], {"db": 0}),
    ("redis+sentinel://:word@a/chat", "sentinel", [("a", 26379)], {"password": "word"}),
    ("redis+cluster://a:7000,b", "cluster", [("a", 7000), ("b", 6379)], {"db": 0}),
    ("rediss+cluster://:word@a/", "cluster", [("a", 6379)], {"password": "word"}),
]
WRONG = [
    ("", "begins with none of redis://"),
    ("canary", "begins with none of"),
    ("redis:canary", "begins with none of"),
    ("http://canary", "begins with none of"),
    ("redis://", "names no host"),
    ("redis://:canary@", "names no host"),
    ("redis://:canary@:6379", "names no host"),
    ("redis://[canary", "no address"),
    ("redis://host:canary", "a port is a number"),
    ("redis://host:0", "a port is a number"),
    ("redis://host:65536", "a port is a number"),
    ("redis://me:can/ary@host", "a port is a number"),
    ("redis://:can#ary@host", "is written %23"),
    ("redis://host/canary", "database is no number"),
    ("redis://host/-1", "database is no number"),
    ("redis://host/" + "9" * 5000, "database is no number"),
    ("redis://host/0/1", "more behind its hosts"),
    ("redis://host?canary=1", "behind its question mark may stand db"),
    ("redis://host?ssl_ca_certs=x", "behind its question mark may stand db"),
    ("rediss://host?ssl_cert_reqs=canary", "ssl_cert_reqs is one of"),
    ("redis://a,b", "redis+sentinel://"),
    ("unix://run/canary.sock", "third slash"),
    ("unix:///", "names no socket"),
    ("redis+sentinel://a,b", "call the master"),
    ("redis+sentinel://a,/chat", "names no host"),
    ("redis+cluster://a/3", "no other database than 0"),
]


@pytest.mark.parametrize(("url", "kind", "hosts", "options"), FINE, ids=[each[0] for each in FINE])
def test_what_is_right_is_taken_apart(
    url: str, kind: str, hosts: list[tuple[str, int]], options: dict[str, Any]
) -> None:
    read = read_bus_url(url)
    assert fault_in(url) is None
    assert (read.kind, list(read.hosts)) == (kind, hosts)
    assert {name: read.options.get(name) for name in options} == options
    assert read.tls is url.startswith("rediss")
    assert "word" not in repr(read)


def test_sentinels_have_a_password_of_their_own() -> None:
    read = read_bus_url("redis+sentinel://:word@a/chat/1?sentinel_password=other")
    assert read.master == "chat"
    assert read.options == {"username": None, "password": "word", "db": 1}
    assert read.sentinel_options == {"username": None, "password": "other"}


@in_turn(("url", "told"), WRONG)
def test_what_is_wrong_is_said_and_nothing_of_it_repeated(url: str, told: str) -> None:
    fault = fault_in(url)
    assert fault is not None
    assert told in fault
    assert "canary" not in fault


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """H2."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "jupyter_stop_chat.settings.kinds.find_spec",
        lambda name: None if name == "redis" else find(name),
    )
    with pytest.raises(SettingsError, match=r"pip install 'jupyter-stop-chat\[redis\]'"):
        StopChatApp(config=Config({"StopChatApp": {"bus_url": "redis://host"}}))
