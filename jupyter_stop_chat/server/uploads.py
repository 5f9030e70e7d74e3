"""The HTTP routes of pictures and documents: what is uploaded, and pictures as they are kept."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from tornado.web import HTTPError, stream_request_body

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.http import DocumentText, Picture
from jupyter_stop_chat.wire.objects import MAX_UPLOAD_BYTES

from .base import ChatApp, StopChatHandler
from .openapi import ANY_BYTES, Operation

if TYPE_CHECKING:
    from jupyter_stop_chat.ports.pictures import Made

#: So many files are taken in at once, of everybody and of one owner: each may be as large as is
#: allowed.
AT_ONCE, SHARE = 8, 4
#: An upload that is not there after this long has broken off, in seconds: the page waits as long.
LONGEST_S = 300.0
#: A file of the server is waited for so long, in seconds.
PATIENCE_S = 30.0
LONGEST_PATH = 1000


class Uploads:
    """The files that are being taken in, counted by owner."""

    def __init__(self) -> None:
        self._of = Counter[str]()

    @property
    def now(self) -> int:
        """Return how many there are."""
        return self._of.total()

    def begin(self, owner: str) -> None:
        """Count one more.

        :raises StopChatError: `too_many_uploads`, of this owner or of all.
        """
        if self.now >= AT_ONCE or self._of[owner] >= SHARE:
            raise StopChatError(ErrorCode.TOO_MANY_UPLOADS)
        self._of[owner] += 1

    def end(self, owner: str) -> None:
        """Count one less."""
        self._of[owner] -= 1
        self._of += Counter()  # who has none is not kept


UPLOADS = Uploads()


class UploadHandler(StopChatHandler):
    """A handler whose POST takes a file, refused before it is read where it is too large.

    :cvar too_large: how that is told.
    :cvar most: the largest file, in bytes.
    :cvar taken: what counts them.
    """

    too_large = ErrorCode.FILE_TOO_LARGE
    most = MAX_UPLOAD_BYTES
    taken = UPLOADS

    def initialize(self, app: ChatApp) -> None:
        """Take the extension's app."""
        super().initialize(app)
        self._file = bytearray()
        self._length = 0
        #: For whom it is counted, once it is.
        self._counted: str | None = None
        #: It is worked on, and held so long, also where nobody waits for that any more.
        self._held = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse what is too large by its own word, and who is not signed in, before it is read.

        :raises StopChatError: `file_too_large`, `too_many_uploads`, `too_fast`.
        """
        if self.request.method == "POST" and self.request.connection is not None:
            # For a body that tells no length: with a little more, so that it is refused in words.
            most = self.most + 1024 * 1024
            self.request.connection.set_max_body_size(most)  # type: ignore[attr-defined]
            self.request.connection.set_body_timeout(LONGEST_S)  # type: ignore[attr-defined]
        await super().prepare()
        if self._finished or self.request.method != "POST":
            return
        if not self.current_user:
            raise HTTPError(HTTPStatus.FORBIDDEN)
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > self.most:
            raise StopChatError(self.too_large)
        self.count()

    def count(self) -> None:
        """Count a file that is taken in, until it is answered.

        :raises StopChatError: `too_many_uploads`.
        """
        owner = self.owner
        self.taken.begin(owner)
        self._counted = owner

    def data_received(self, chunk: bytes) -> None:
        """Take in a piece of the body; nothing of one that was refused."""
        self._length += len(chunk)
        if self._length > self.most or self._counted is None:
            self._file.clear()
        else:
            self._file += chunk

    def file(self) -> bytes:
        """Return what was uploaded, and hold it no longer.

        :raises StopChatError: it is too large, whatever was said of its length.
        """
        if self._length > self.most:
            raise StopChatError(self.too_large)
        raw, self._file = bytes(self._file), bytearray()
        self._held = True
        return raw

    def on_finish(self) -> None:
        """Give the room to the next one."""
        self._let_go()
        super().on_finish()

    def on_connection_close(self) -> None:
        """Give the room to the next one, unless the file is still worked on: then at its end."""
        if not self._held:
            self._let_go()
        super().on_connection_close()

    def _let_go(self) -> None:
        self._file.clear()
        if self._counted is not None:
            self.taken.end(self._counted)
            self._counted = None


@stream_request_body
class PicturesHandler(UploadHandler):
    """The handler of `blobs`."""

    too_large = ErrorCode.PICTURE_TOO_LARGE

    @Operation(
        "upload_picture",
        "write",
        Picture,
        status=201,
        upload=True,
        failures=(409, 413, 415, 422, 503),
    )
    async def post(self) -> None:
        """Upload a picture (PNG, JPEG, WebP, GIF) for a prompt, and return how it is kept.

        It is turned upright and made as small as models see it; what a camera wrote into it
        besides is left out.
        """
        services = await self.services()
        made: Made = await services.pictures.made(self.file(), self.owner)
        await services.engine.pictures.keep(self.owner, made.picture, made.data)
        kept = made.picture
        self.answer(
            Picture.model_validate(
                {
                    "blob": kept.digest,
                    "mime_type": kept.mime_type,
                    "width": kept.width,
                    "height": kept.height,
                    "size": kept.size,
                }
            ),
            201,
        )


class PictureHandler(StopChatHandler):
    """The handler of `blobs/{digest}`."""

    @Operation("get_picture", "read", {"image/png": ANY_BYTES, "image/jpeg": ANY_BYTES})
    async def get(self, digest: str) -> None:
        """Return a picture of yours."""
        services = await self.services()
        picture, data = await services.engine.pictures.read(self.owner, digest)
        # Even were it something else: no script of it runs, and it is shown in no frame.
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.finish(data, set_content_type=picture.mime_type)


@stream_request_body
class DocumentsHandler(UploadHandler):
    """The handler of `documents`."""

    @Operation(
        "read_document",
        "write",
        DocumentText,
        upload=True,
        query={"name": {"type": "string", "maxLength": 300}},
        failures=(400, 409, 413, 422),
    )
    async def post(self) -> None:
        """Upload a document (PDF, Word, PowerPoint, Excel), and return its words as Markdown.

        `name` is the file's name: its end says of which kind it is. Nothing of it is kept.
        """
        name = self.get_query_argument("name", "")
        services = await self.services()
        self.answer(await services.documents.text(self.file(), name, self.owner))

    @Operation(
        "read_server_document",
        "read",
        DocumentText,
        query={"path": {"type": "string", "minLength": 1, "maxLength": 1000}},
        failures=(400, 404, 409, 413, 422),
    )
    async def get(self) -> None:
        """Return the words of a document on the server as Markdown.

        `path` is where it is below the server's root, as Jupyter Server's contents have it.
        """
        services = await self.services()
        path = self.get_query_argument("path", "", strip=False)
        if not 0 < len(path) <= LONGEST_PATH:
            raise StopChatError(ErrorCode.INVALID_FIELD, "path")
        self.count()
        self._held = True
        raw = await self._read(path)
        self.answer(await services.documents.text(raw, path, self.owner))

    async def _read(self, path: str) -> bytes:
        """Read a file by the rules of the server's contents manager.

        :raises StopChatError: `unknown_file`, `file_too_large`.
        """
        contents: Any = self.contents_manager
        try:
            async with asyncio.timeout(PATIENCE_S):
                hidden = await ensure_async(contents.is_hidden(path))
                if hidden and not contents.allow_hidden:
                    raise StopChatError(ErrorCode.UNKNOWN_FILE)
                # Its size first: what is far too large is not read at all.
                about = await ensure_async(contents.get(path, content=False, type="file"))
                size = about.get("size")
                if isinstance(size, int) and size > MAX_UPLOAD_BYTES:
                    raise StopChatError(ErrorCode.FILE_TOO_LARGE)
                found = await ensure_async(contents.get(path, type="file", format="base64"))
            raw = await asyncio.to_thread(base64.b64decode, found["content"])
        except TimeoutError:
            raise StopChatError(ErrorCode.FILE_TOO_SLOW) from None
        except (HTTPError, KeyError, TypeError, binascii.Error) as error:
            raise StopChatError(ErrorCode.UNKNOWN_FILE, type(error).__name__) from None
        if len(raw) > MAX_UPLOAD_BYTES:
            raise StopChatError(ErrorCode.FILE_TOO_LARGE)
        return raw
