"""What a kernel's cells have in common: where chats are, which one goes on, and what is usual."""

from __future__ import annotations

import re
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .backends.base import Backend
from .line import Line
from .outcome import ChatFailed
from .view import As

if TYPE_CHECKING:
    from .backends.kernel import KernelBackend

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: So much of an id is enough to name a chat.
SHORT = 8
#: So many chats are looked through for a title.
_MOST = 200


@dataclass(slots=True)
class Defaults:
    """What `%chat set` sets.

    :ivar chat_id: the chat that the next cell goes on with; None: a new one.
    """

    model: str | None = None
    form: As = "markdown"
    quiet: bool = False
    fill: bool = True
    chat_id: str | None = None


class Backends:
    """What finds the backend where chats are, once, and again when it has gone."""

    def __init__(self) -> None:
        self._backend: Backend | None = None
        self._kernel: KernelBackend | None = None
        # A subshell's cell may look while another one does.
        self._looking = threading.Lock()

    def backend(self, line: Line) -> Backend:
        """Return the backend: the kernel's own server, else the kernel itself.

        :raises ChatFailed: when the chat is turned off.
        """
        with self._looking:
            if self._backend is None:
                self._backend = _server(line) or self._in_kernel(line)
            return self._backend

    def forget(self) -> None:
        """Look for a server again at the next use; what runs in the kernel stays."""
        if self._backend is not self._kernel:
            self._backend = None

    def _in_kernel(self, line: Line) -> Backend:
        from .backends.kernel import KernelBackend

        # Kept though the line may be cut: the imports go on, and serve the next cell.
        self._kernel = self._kernel or KernelBackend()
        self._kernel.check(line)
        return self._kernel


def find_chat(backend: Backend, name: str, line: Line) -> str:
    """Return the id of the chat that a person named by its id, the id's beginning, or its title.

    :raises ChatFailed: when there is none, or several.
    """
    if _ID.fullmatch(name):
        return name
    chats = backend.chats(line, limit=_MOST)
    by_id = [each for each in chats if len(name) >= SHORT and each["id"].startswith(name)]
    exact = [each for each in chats if each.get("title") == name]
    like = [each for each in chats if name.casefold() in (each.get("title") or "").casefold()]
    for found in (by_id, exact, like):
        if len(found) == 1:
            return str(found[0]["id"])
        if found:
            named = ", ".join(f"{each['id'][:SHORT]} ({each.get('title')})" for each in found[:5])
            raise ChatFailed(f"Several chats are called so: {named}. Name one by its id.")
    raise ChatFailed(f"There is no chat {name!r}. See %chat, or begin one with --new.")


def models(backend: Backend) -> list[dict[str, Any]]:
    """Return the models that can be chosen now."""
    return [each for each in backend.models()["models"] if each["available"]]


def _server(line: Line) -> Backend | None:
    from pathlib import Path

    from jupyter_core.paths import jupyter_runtime_dir

    from .backends.finding import addresses
    from .backends.server import ServerBackend

    refused = False
    for address in addresses(Path(jupyter_runtime_dir())):
        backend = ServerBackend(address)
        try:
            backend.check(line)
        except StopChatError as error:
            refused = refused or error.code is ErrorCode.NOT_ALLOWED
            continue
        except OSError:
            line.check()
            continue
        return backend
    if refused:
        sys.stderr.write(
            "The kernel's Jupyter Server did not let this kernel in, so chats run in the kernel.\n"
        )
    return None
