"""The socket: it authenticates, reads frames, and hands them on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketHandler

from . import metrics
from .connection import Connection
from .owners import AUTH_RESOURCE, display_name, owner_of
from .protocol import MAX_FRAME_BYTES, Limits, Welcome

if TYPE_CHECKING:
    from .app import StopChatApp

#: The second line of defence against a reader that stops reading, in bytes: the connection's
#: writer awaits each write, so that this is never reached by it.
MAX_WRITE_BUFFER = 1024 * 1024


class ChatSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Serve `api/stop-chat/ws`: one socket a browser tab, all its chats on it."""

    auth_resource = AUTH_RESOURCE

    def initialize(self, app: StopChatApp) -> None:
        """Take the extension's app."""
        self.app = app
        self.connection: Connection | None = None
        self.gone = False

    @property
    def max_message_size(self) -> int:
        """Return the largest frame that is read; a larger one closes with 1009."""
        return MAX_FRAME_BYTES

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
        """Upgrade to a WebSocket."""
        await super().get(*args, **kwargs)

    async def open(self, *args: Any, **kwargs: Any) -> None:
        """Make the connection, once the engine is ready."""
        super().open()  # starts the pings
        metrics.socket_opened(self)
        # Else the frame after "stopping" waits 40 ms for the client's delayed acknowledgement.
        self.set_nodelay(True)
        stream = getattr(self.ws_connection, "stream", None)
        if stream is not None:
            stream.max_write_buffer_size = MAX_WRITE_BUFFER
        services = await self.app.services()
        await services.models.keys.refresh()
        if self.gone:
            return
        limits = services.engine.limits
        owner = owner_of(self.identity_provider, self.current_user)
        welcome = Welcome(
            epoch=services.engine.epoch,
            user=display_name(self.current_user),
            limits=Limits(
                max_prompt_length=limits.max_prompt_length,
                max_reply_length=limits.max_reply_length,
            ),
            models=services.models.available(owner),
            default_model=services.models.default_model(owner),
        )
        self.connection = Connection(
            services.engine,
            owner,
            welcome,
            self._write_text,
            self.close,
        )

    def on_message(self, message: str | bytes) -> None:
        """Hand a frame on. Awaits nothing, so that the next frame, a stop, is read at once."""
        if self.connection is not None:
            self.connection.receive(message)

    def on_close(self) -> None:
        """Let the connection go; what it asked for goes on."""
        self.gone = True
        metrics.socket_closed(self)
        if self.connection is not None:
            self.connection.end()
        super().on_close()

    async def _write_text(self, text: str) -> None:
        # Shielded: who waits may give up, and Tornado's own futures take no cancel well.
        await asyncio.shield(self.write_message(text))
