"""One HTTP request over a socket that another thread can close at once."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyter_stop_chat.magics.line import Line
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .finding import Address

#: A server on the same machine that has not taken a connection after this long does not run.
CONNECT_S = 5.0
#: So long a server may take for an answer; its first one begins with some imports.
ANSWER_S = 30.0


class NotThereError(OSError):
    """An answer of who has no such route: the extension is not there."""


#: Where the extension's routes are below a server's address.
EXTENSION = "api/stop-chat/"


@contextmanager
def request(
    address: Address,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    line: Line,
    patience: float = ANSWER_S,
    below: str = EXTENSION,
) -> Iterator[HTTPResponse]:
    """Send a request, and give its answer within the block.

    :param path: below `below`.
    :param patience: so many seconds may pass without a byte.
    :raises StopChatError: when it is refused, in the words of the table.
    :raises OSError: when nothing answers, `NotThereError` when nothing is there.
    """
    connection = _Connection(address, patience)
    with line.hold(connection.cut):
        try:
            yield connection.ask(method, below + path, body)
        except (HTTPException, ValueError, AttributeError) as error:
            # The socket was cut in the middle of something, or what answers speaks no HTTP.
            raise ConnectionError(type(error).__name__) from None
        finally:
            connection.end()


def answer(response: HTTPResponse) -> Any:
    """Read an answer's JSON; nothing for an empty one."""
    raw = response.read()
    return json.loads(raw) if raw else {}


class _Connection(HTTPConnection):
    def __init__(self, address: Address, patience: float) -> None:
        parts = urlsplit(address.url)
        self._tls = parts.scheme == "https"
        self._address = address
        self._base = parts.path
        self._is_cut = False
        # Kept here: the base class forgets its socket once an answer says that it will close.
        self._plug: socket.socket | None = None
        self._response: HTTPResponse | None = None
        super().__init__(
            parts.hostname or "localhost",
            parts.port or (443 if self._tls else 80),
            timeout=patience,
        )

    def ask(self, method: str, path: str, body: dict[str, Any] | None) -> HTTPResponse:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self._address.token}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        self.request(method, f"{self._base}{path}", content, headers)
        response = self._response = self.getresponse()
        if response.status >= 300:
            raise _refusal(response)
        return response

    def connect(self) -> None:
        last: OSError | None = None
        for family, where in self._addresses():
            # Known before it connects: a connect that hangs can be cut as well.
            self.sock = self._plug = socket.socket(family, socket.SOCK_STREAM)
            try:
                if self._is_cut:
                    raise ConnectionAbortedError
                self.sock.settimeout(CONNECT_S)
                self.sock.connect(where)
            except OSError as error:
                self.sock.close()
                last = error
                continue
            self.sock.settimeout(self.timeout)
            if self._tls:
                self.sock = self._plug = _context(self._address).wrap_socket(
                    self.sock, server_hostname=self.host
                )
            return
        raise last or ConnectionRefusedError(self.host)

    def _addresses(self) -> Iterator[tuple[socket.AddressFamily, Any]]:
        if self._address.sock:
            yield socket.AF_UNIX, unquote(self._address.sock)
            return
        for family, _, _, _, where in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            yield family, where

    def end(self) -> None:
        """Let go of all of it."""
        if self._response is not None:
            self._response.close()
        self.close()
        if self._plug is not None:
            self._plug.close()

    def cut(self) -> None:
        """End what another thread waits for on this connection."""
        self._is_cut = True
        plug = self._plug
        if plug is not None:
            with suppress(OSError):
                # Also with TLS: no polite goodbye, which would wait for an answer.
                socket.socket.shutdown(plug, socket.SHUT_RDWR)


def _refusal(response: HTTPResponse) -> Exception:
    try:
        code = ErrorCode(json.loads(response.read(65536))["code"])
    except (ValueError, KeyError, TypeError):
        if response.status == 403:
            return StopChatError(ErrorCode.NOT_ALLOWED)
        return NotThereError(f"status {response.status}")
    if code is ErrorCode.NO_SUCH_ROUTE:
        return NotThereError("no such route")
    return StopChatError(code)


def _context(address: Address) -> Any:
    import ssl

    context = ssl.create_default_context()
    if address.on_this_machine:
        # Its certificate is for the name that others call it by.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
