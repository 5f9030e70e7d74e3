"""The socket: it authenticates, reads frames, and hands them on."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import (
    WebSocketClosedError,
    WebSocketHandler,
    WebSocketProtocol,
    WebSocketProtocol13,
)

from jupyter_stop_chat.connection import Connection
from jupyter_stop_chat.observe import metrics
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.errors import ErrorCode, new_error_id
from jupyter_stop_chat.wire.objects import Limits, largest_frame
from jupyter_stop_chat.wire.server_frames import Error, Welcome, error_frame

from .compression import Protocol
from .owners import AUTH_RESOURCE, display_name, owner_of

if TYPE_CHECKING:
    from jupyter_stop_chat.services import Services
    from jupyter_stop_chat.wire.objects import ModelInfo

    from .base import ChatApp

log = logging.getLogger(__name__)

#: The close code of a socket that there is no room for: "try again later" (RFC 6455's registry).
NO_ROOM_CODE = 1013
#: The close code of a socket that the server failed to open.
FAILED_CODE = 1011
#: How frames are made smaller, where the client can read that (RFC 7692): most of a delta's bytes
#: are the same each time. The least level takes 5 µs a delta and 7 to 12 ms a megabyte, which
#: holds nobody up, and a higher one saves little more; a connection keeps 144 KiB for it.
COMPRESSION = {"compression_level": 1, "mem_level": 5}
#: The second line of defence against a reader that stops reading, in bytes: the connection's
#: writer awaits each write, so that this is never reached by it. The largest list and its texts
#: are escapes at worst, of six bytes each.
MAX_WRITE_BUFFER = 4 * 1024 * 1024

#: So many bytes of frames are sent together, about.
TOGETHER = 16 * 1024


class ChatSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """The handler of `api/stop-chat/ws`: one socket a browser tab, all its chats on it."""

    auth_resource = AUTH_RESOURCE

    def initialize(self, app: ChatApp) -> None:
        """Take the extension's app."""
        self.app = app
        self.connection: Connection | None = None
        self.gone = False
        self.owner = ""
        #: What is sent together, and how many bytes that is.
        self._frames: list[bytes] = []
        self._size = 0

    @property
    def max_message_size(self) -> int:
        """Return the largest frame that is read; a larger one closes with 1009."""
        return largest_frame(self.app.max_prompt_length)

    def get_compression_options(self) -> dict[str, Any]:
        """Return how frames are made smaller."""
        return COMPRESSION

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """Return what reads and writes frames, where the client speaks it."""
        protocol = super().get_websocket_protocol()
        if isinstance(protocol, WebSocketProtocol13):
            return Protocol(self, mask_outgoing=False, params=protocol.params)
        return protocol

    def check_origin(self, origin: str | None = None) -> bool:
        """Refuse what another site's page sends with this site's cookie.

        A request with a token is let through: a page of another site does not know it.
        """
        fetch_site = self.request.headers.get("Sec-Fetch-Site")
        if fetch_site == "cross-site" and not (self.skip_check_origin() or self.allow_origin):
            return False
        return bool(super().check_origin(origin))

    @ws_authenticated
    @authorized(action="execute")  # type: ignore[untyped-decorator]
    async def get(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Upgrade to a WebSocket, and read it to its end."""
        try:
            await super().get(*args, **kwargs)
        except zlib.error:  # Tornado, which has closed the connection, raises it on
            log.debug("a frame could not be unpacked")

    async def open(self, *args: Any, **kwargs: Any) -> None:
        """Make the connection, once the engine is ready; what fails is told, then it is closed."""
        super().open()  # starts the pings
        metrics.socket_opened(self)
        # Else the frame after "stopping" waits 40 ms for the client's delayed acknowledgement.
        self.set_nodelay(True)
        stream = getattr(self.ws_connection, "stream", None)
        if stream is not None:
            # What was sent is told again, with its ids.
            told = 2 * largest_frame(self.app.max_prompt_length)
            stream.max_write_buffer_size = max(MAX_WRITE_BUFFER, told)
        self.owner = owner_of(self.identity_provider, self.current_user)
        if not self.app.sockets.take(self.owner, self, self.app.max_sockets_per_owner):
            # Let in and told: a page cannot read why its request for a socket was refused.
            await self._refuse(error_frame(ErrorCode.TOO_MANY_SOCKETS), NO_ROOM_CODE)
            return
        try:
            services = await self.app.services()
            await services.models.refresh()
            models = await asyncio.to_thread(services.models.available, self.owner)
            if not self.gone:
                self._connect(services, models)
        except Exception:
            error_id = new_error_id()
            log.exception("error %s: a socket could not be opened", error_id)
            await self._refuse(error_frame(ErrorCode.INTERNAL, error_id=error_id), FAILED_CODE)

    def _connect(self, services: Services, models: tuple[ModelInfo, ...]) -> None:
        """Make the connection between this socket and the engine."""
        limits = services.engine.limits
        welcome = Welcome(
            epoch=services.engine.epoch,
            user=display_name(self.current_user),
            limits=Limits(
                max_frame_bytes=largest_frame(limits.max_prompt_length),
                max_prompt_length=limits.max_prompt_length,
                max_reply_length=limits.max_reply_length,
            ),
            models=models,
            default_model=services.models.default_model(self.owner),
            policy=services.engine.policy,
            modes=services.engine.modes(self.owner),
        )
        self.connection = Connection(
            services.engine,
            self.owner,
            welcome,
            self._write_text,
            self.close,
            send=self._send,
            bucket=self.app.new_bucket(),
        )

    async def _refuse(self, error: Error, code: int) -> None:
        """Tell why there is no connection, and close."""
        with suppress(WebSocketClosedError):
            await self.write_message(encode(error))
        self.close(code, "")

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Hand a frame on. Waits for nothing that is made: the next frame can be a stop.

        What Tornado waits for before it reads on is that others have their turn, and that the
        client reads what it is answered.
        """
        if self.connection is None:
            return None
        self.connection.receive(message)
        return self.connection.room()

    def on_close(self) -> None:
        """Let the connection go; what it asked for goes on."""
        self.gone = True
        metrics.socket_closed(self)
        self.app.sockets.drop(self.owner, self)
        if self.connection is not None:
            self.connection.end()
        super().on_close()

    def _write_text(self, text: str) -> Awaitable[None] | None:
        """Put a text frame to those that are sent together; return as `_send` does."""
        connection = self.ws_connection
        if connection is None or connection.is_closing():
            raise WebSocketClosedError
        if not isinstance(connection, Protocol):
            return self.write_message(text)
        frame = connection.frame_of(text)
        self._frames.append(frame)
        self._size += len(frame)
        return self._send() if self._size >= TOGETHER else None

    def _send(self) -> Awaitable[None] | None:
        """Send what was put together; return what to wait for, unless the kernel has all of it."""
        if not self._frames:
            return None
        frames, self._frames, self._size = b"".join(self._frames), [], 0
        connection = self.ws_connection
        if not isinstance(connection, Protocol):
            raise WebSocketClosedError
        written = connection.send(frames)
        # Shielded: who waits may give up, and Tornado's own futures take no cancel well.
        return None if written is None else asyncio.shield(written)
