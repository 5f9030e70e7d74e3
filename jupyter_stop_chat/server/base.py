"""What every HTTP route shares: who may come in, how a body is read, how a failure is told."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError

from jupyter_stop_chat.wire.codec import first_wrong, loads
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError, new_error_id
from jupyter_stop_chat.wire.objects import ErrorInfo, largest_frame

from .owners import AUTH_RESOURCE, owner_of

if TYPE_CHECKING:
    from jupyter_stop_chat.connection.rates import Bucket, Held, Rates
    from jupyter_stop_chat.services import Services

log = logging.getLogger(__name__)

_Body = TypeVar("_Body", bound=BaseModel)


class ChatApp(Protocol):
    """What handlers ask of the extension's app: its services, and what limits who asks."""

    rates: Rates
    sockets: Held

    @property
    def max_sockets_per_owner(self) -> int:
        """Return how many sockets an owner may have open; 0: any number."""
        ...

    @property
    def max_prompt_length(self) -> int:
        """Return the longest prompt, in UTF-16 code units."""
        ...

    @property
    def allow_install(self) -> bool:
        """Tell whether people may install the local model from the page."""
        ...

    def new_bucket(self) -> Bucket:
        """Return what limits how often one socket may ask."""
        ...

    async def services(self) -> Services:
        """Return the engine and what it works with."""
        ...


class StopChatHandler(APIHandler):
    """The handler of a route below `api/stop-chat/`.

    A subclass puts an `Operation` on each method, which guards it. What it raises leaves as
    `{code, message, error_id?}`, in the words of the table and nothing else.
    """

    auth_resource = AUTH_RESOURCE
    #: Whether it may be asked as often as somebody likes: what stops, and what tells of health.
    unlimited = False

    def initialize(self, app: ChatApp) -> None:
        """Take the extension's app."""
        self.app = app
        self._error_id: str | None = None
        self._retry_after: float | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Find out who asks, and refuse who asks too often.

        :raises StopChatError: `too_fast`.
        """
        await super().prepare()
        if self.unlimited or self._finished or not self.current_user:
            return
        wait = self.app.rates.take(self.owner)
        if wait > 0:
            self._retry_after = wait
            raise StopChatError(ErrorCode.TOO_FAST)

    async def services(self) -> Services:
        """Return the engine and what it works with."""
        return await self.app.services()

    @property
    def owner(self) -> str:
        """Return whose chats this request is about."""
        return owner_of(self.identity_provider, self.current_user)

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """Refuse what another site's page asks for with this site's cookie.

        A request with a token is let through: a page of another site does not know it.
        """
        fetch_site = self.request.headers.get("Sec-Fetch-Site")
        if fetch_site == "cross-site" and not (self.skip_check_origin() or self.allow_origin):
            return False
        return bool(super().check_origin(origin_to_satisfy_tornado))

    def set_default_headers(self) -> None:
        """Let no browser guess at what an answer is, nor keep it."""
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")

    # --- what was asked ----------------------------------------------------------------------

    def body(self, model: type[_Body]) -> _Body:
        """Read the request's body; an empty one counts as `{}`.

        :raises StopChatError: `bad_frame` or `invalid_field`.
        """
        raw = self.request.body or b"{}"
        if len(raw) > largest_frame(self.app.max_prompt_length):
            raise StopChatError(ErrorCode.PROMPT_TOO_LONG, "the body is too large")
        try:
            fields = loads(raw)
        except (ValueError, RecursionError):
            raise StopChatError(ErrorCode.BAD_FRAME) from None
        if not isinstance(fields, dict):
            raise StopChatError(ErrorCode.BAD_FRAME)
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            raise StopChatError(ErrorCode.INVALID_FIELD, first_wrong(error)) from None

    def number(self, name: str, default: int, most: int) -> int:
        """Read a number of the query, from 1 on.

        :raises StopChatError: `invalid_field`.
        """
        value = self.get_query_argument(name, str(default))
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most):
            raise StopChatError(ErrorCode.INVALID_FIELD, name)
        return int(value)

    # --- what is answered --------------------------------------------------------------------

    def answer(self, content: BaseModel, status: int = 200) -> None:
        """Answer with an object, without the fields that are not set."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(content.model_dump_json(exclude_none=True))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell of a failure by a code and a sentence of the table."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        said = field = None
        if isinstance(error, StopChatError):
            code, said, field = error.code, error.said, error.field
            self.set_status(error.status)
        else:
            code = _code_of(status_code)
        self.set_header("Content-Type", "application/json")
        if self._retry_after is not None:
            self.set_header("Retry-After", str(math.ceil(self._retry_after)))
        told = ErrorInfo(
            code=code,
            message=SENTENCES[code][0],
            error_id=self._error_id,
            said=said,
            field=field,
        )
        self.finish(told.model_dump_json(exclude_none=True))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Write a failure to the log, without the request: its address can hold a token."""
        if isinstance(value, StopChatError | HTTPError):
            what = value if isinstance(value, StopChatError) else value.status_code
            log.debug("%s %s was refused: %s", self.request.method, self.request.path, what)
            return
        self._error_id = new_error_id()
        log.error(
            "error %s: %s %s failed",
            self._error_id,
            self.request.method,
            self.request.path,
            exc_info=(typ, value, tb) if typ and value else None,
        )


def _code_of(status: int) -> ErrorCode:
    """Choose the code for a failure that Jupyter Server or Tornado told of."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ErrorCode.NOT_ALLOWED
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return ErrorCode.NO_SUCH_ROUTE
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ErrorCode.INVALID_FIELD
    return ErrorCode.INTERNAL
