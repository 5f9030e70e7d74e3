"""Find the kernel's own Jupyter Server, by what it left for its kernels and its owner to read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and what it lets in.

    :ivar url: with the base URL, ending with a slash.
    :ivar sock: its Unix socket, if it listens there.
    """

    url: str
    token: str = field(repr=False)
    sock: str = ""

    @property
    def on_this_machine(self) -> bool:
        """Tell whether it is reached without a network."""
        return bool(self.sock) or (urlsplit(self.url).hostname or "") in _LOOPBACK


def addresses(
    runtime_dir: Path,
    environment: Mapping[str, str] = os.environ,
    parent: int | None = None,
) -> Iterator[Address]:
    """Yield where the kernel's own server may be, the surest first.

    A server of the same person that did not start this kernel is none of them: its chats would
    not be beside this notebook.

    :param runtime_dir: where Jupyter Servers say that they run; only their owner can read it.
    :param parent: the process that started this one.
    """
    parents = {str(os.getppid() if parent is None else parent), environment.get("JPY_PARENT_PID")}
    named = environment.get("JUPYTER_SERVER_URL", "")
    hub = _hub(environment)
    hub_token = environment.get("JUPYTERHUB_API_TOKEN", "")
    files = list(_files(runtime_dir))
    own = [each for each in files if str(each.get("pid")) in parents]
    same = [each for each in files if each not in own and named and _same(each["url"], named)]
    for each in (*own, *same):
        # Behind a hub, a server takes the hub's token and may have none of its own.
        token = str(each.get("token") or "") or hub_token
        yield Address(_slash(each["url"]), token, str(each.get("sock") or ""))
    if hub and hub_token:
        yield Address(hub, hub_token)
    if named and not own and not same and environment.get("JUPYTER_TOKEN"):
        yield Address(_slash(named), environment["JUPYTER_TOKEN"])


def kernel_id() -> str | None:
    """Return what its server calls this kernel; None where no server started it."""
    try:
        from ipykernel.connect import get_connection_file

        return Path(get_connection_file()).stem.removeprefix("kernel-")
    except (ImportError, RuntimeError, OSError):  # the last: its connection file is gone
        return None


def _files(runtime_dir: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(runtime_dir.glob("jpserver-*.json")):
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # it ended meanwhile, or is being written
            continue
        if isinstance(said, dict) and isinstance(said.get("url"), str):
            yield said


def _hub(environment: Mapping[str, str]) -> str:
    """Return where JupyterHub had this server listen."""
    url = environment.get("JUPYTERHUB_SERVICE_URL", "")
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.port:
        return ""
    host = parts.hostname or ""
    if host in {"", "0.0.0.0", "::"}:
        host = "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    path = environment.get("JUPYTERHUB_SERVICE_PREFIX", "") or parts.path
    return _slash(f"{parts.scheme}://{host}:{parts.port}{path}")


def _same(one: str, other: str) -> bool:
    first, second = urlsplit(_slash(one)), urlsplit(_slash(other))
    try:
        return (first.port, first.path) == (second.port, second.path)
    except ValueError:
        return False


def _slash(url: str) -> str:
    url = url.partition("?")[0]
    return url if url.endswith("/") else f"{url}/"
