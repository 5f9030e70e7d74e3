"""The address of the Redis by which several servers reach each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Kind = Literal["redis", "unix", "sentinel", "cluster"]

#: What the address of each kind begins with, and whether TLS goes with it.
_SCHEMES: Mapping[str, tuple[Kind, bool]] = {
    "redis": ("redis", False),
    "rediss": ("redis", True),
    "unix": ("unix", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_PORTS: Mapping[Kind, int] = {"redis": 6379, "unix": 0, "sentinel": 26379, "cluster": 6379}
#: What may stand behind the question mark, beside `db` and what the sentinels ask for.
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_CERT_REQS = ("none", "optional", "required")


@dataclass(frozen=True, slots=True)
class BusUrl:
    """The address of a Redis, taken apart.

    :ivar hosts: names and ports: of the one Redis, of its sentinels, or of a cluster's nodes.
    :ivar path: the socket's, of kind `unix`.
    :ivar master: what the sentinels call it.
    :ivar options: for each connection, by redis-py's names.
    :ivar sentinel_options: for those to the sentinels.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    path: str
    master: str
    tls: bool
    options: Mapping[str, Any] = field(repr=False)
    sentinel_options: Mapping[str, Any] = field(repr=False)


def fault_in(url: str) -> str | None:
    """Say what is wrong with an address, if anything: a sentence that repeats nothing of it."""
    try:
        read_bus_url(url)
    except ValueError as error:
        return str(error)
    return None


def read_bus_url(url: str) -> BusUrl:
    """Take an address apart.

    :raises ValueError: with a sentence that says what is wrong, and repeats nothing of it.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("it is no address") from None
    if parts.scheme not in _SCHEMES or "://" not in url:
        known = ", ".join(f"{each}://" for each in _SCHEMES)
        raise ValueError(f"it begins with none of {known}")
    if parts.fragment or url.endswith("#"):
        raise ValueError("a # in a password is written %23")
    kind, tls = _SCHEMES[parts.scheme]
    user, _, netloc = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    given = _options(parts.query, kind, tls)
    sentinel_options = _sentinel_options(given, tls)
    options: dict[str, Any] = {
        "username": unquote(name) or None,
        "password": unquote(password) or None,
        **given,
    }
    path = ""
    if kind == "unix":
        if netloc:
            raise ValueError("the path of a socket begins with a third slash, as in unix:///run/…")
        path = unquote(parts.path)
        if not path.strip("/"):
            raise ValueError("it names no socket")
        hosts: tuple[tuple[str, int], ...] = ()
    else:
        hosts = tuple(_host(each, kind) for each in netloc.split(","))
    if kind == "redis" and len(hosts) > 1:
        raise ValueError("several hosts are of redis+sentinel:// or redis+cluster://")
    master, database = _master_and_database(kind, parts.path)
    options["db"] = _number(options.get("db", database))
    if kind == "cluster" and options["db"]:
        raise ValueError("a cluster has no other database than 0")
    return BusUrl(kind, hosts, path, master, tls, options, sentinel_options)


def _host(written: str, kind: Kind) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{written}")
        name, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("a port is a number from 1 to 65535, and a password is quoted") from None
    if not name or parts.path:
        raise ValueError("it names no host")
    if port == 0:
        raise ValueError("a port is a number from 1 to 65535")
    return name, port or _PORTS[kind]


def _master_and_database(kind: Kind, path: str) -> tuple[str, str]:
    """Read what stands behind the hosts."""
    if kind == "unix":
        return "", "0"
    names = [unquote(each) for each in path.split("/")[1:] if each]
    master = ""
    if kind == "sentinel":
        if not names:
            raise ValueError(
                "it does not say what the sentinels call the master, as in …/master/0"
            )
        master, *names = names
    if len(names) > 1:
        raise ValueError("there is more behind its hosts than a database's number")
    return master, names[0] if names else "0"


def _number(database: str) -> int:
    if not (database.isascii() and database.isdigit() and len(database) < 10):
        raise ValueError("its database is no number")
    return int(database)


def _options(query: str, kind: Kind, tls: bool) -> dict[str, Any]:
    known = (
        "db",
        *(_TLS_OPTIONS if tls else ()),
        *(_SENTINEL_OPTIONS if kind == "sentinel" else ()),
    )
    given: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise ValueError(f"behind its question mark may stand {', '.join(known)}")
        given[name] = value
    if given.get("ssl_cert_reqs", "required") not in _CERT_REQS:
        raise ValueError(f"ssl_cert_reqs is one of {', '.join(_CERT_REQS)}")
    return given


def _sentinel_options(given: dict[str, Any], tls: bool) -> dict[str, Any]:
    """Take out what is for the sentinels alone, and add what is for them as well."""
    alone = {name.removeprefix("sentinel_"): given.pop(name, None) for name in _SENTINEL_OPTIONS}
    return {**alone, **({each: given[each] for each in _TLS_OPTIONS if each in given})}
