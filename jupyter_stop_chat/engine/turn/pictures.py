"""Pictures of prompts: whether they may be sent, and which of a thread's a model is shown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyter_stop_chat.ports.handler import ChatHandler, TurnMessage, TurnPicture
from jupyter_stop_chat.ports.pictures import Picture
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment, Message

if TYPE_CHECKING:
    from jupyter_stop_chat.engine.run import Resolve

#: What a model is shown of a thread, by the ids of the messages.
Shown = dict[str, list[TurnPicture]]
#: So many pictures of a thread are shown to a model, the newest: Anthropic makes those of a larger
#: request smaller still.
MOST_SHOWN = 20
#: And so many bytes of them: a request of Anthropic may have 32 MB, and base64 takes a third more.
MOST_BYTES = 20 * 1024 * 1024


class Pictures:
    """What looks at the pictures of prompts before they are written down, and keeps new ones.

    :param most: so many bytes an owner's pictures may have together; 0: any number.
    """

    def __init__(self, store: Store, resolve: Resolve, most: int) -> None:
        self._store = store
        self._resolve = resolve
        self._most = most

    async def keep(self, owner: str, picture: Picture, data: bytes) -> None:
        """Keep a picture for an owner who is about to send it.

        :raises StopChatError: `too_many_pictures`, or `pictures_not_saved`.
        """
        await self._store.blobs.keep(owner, picture, data, self._most)

    async def read(self, owner: str, digest: str) -> tuple[Picture, bytes]:
        """Return an owner's picture.

        :raises StopChatError: `unknown_picture`, also for another owner's.
        """
        picture = (await self._store.blobs.known(owner, [digest])).get(digest)
        data = await self._store.blobs.read(owner, digest) if picture is not None else None
        if picture is None or data is None:
            raise StopChatError(ErrorCode.UNKNOWN_PICTURE)
        return picture, data

    async def attached(
        self, owner: str, attachments: Sequence[Attachment]
    ) -> tuple[Attachment, ...]:
        """Return what is attached, with what the store says of the pictures in it.

        :raises StopChatError: `unknown_picture`, or `too_much_to_see`.
        """
        digests = [each.blob for each in attachments if each.blob is not None]
        if not digests:
            return tuple(map(_without_size, attachments))
        known = await self._store.blobs.known(owner, digests)
        if any(digest not in known for digest in digests):
            raise StopChatError(ErrorCode.UNKNOWN_PICTURE)
        if not _have_room(len(digests), sum(known[digest].size for digest in digests)):
            raise StopChatError(ErrorCode.TOO_MUCH_TO_SEE)
        return tuple(
            _without_size(each) if each.blob is None else _named(each, known[each.blob])
            for each in attachments
        )

    async def refuse_unseen(
        self, owner: str, model: str, attachments: Sequence[Attachment]
    ) -> None:
        """Refuse pictures that a model does not take, as far as that is known.

        :raises StopChatError: `cannot_see`.
        """
        if any(each.blob is not None for each in attachments):
            # What else is wrong with the model is said where its reply fails, as ever.
            handler = None
            with suppress(Exception):
                handler, _ = await self._resolve(model, owner)
            if handler is not None and takes_pictures(handler) is False:
                raise StopChatError(ErrorCode.CANNOT_SEE)

    async def shown(self, owner: str, thread: Sequence[Message]) -> Shown:
        """Return which pictures of a thread a model is shown.

        The newest ones, as many as providers take; of the older ones it knows the names.

        :raises StopChatError: `unknown_picture`, where one of the prompt itself is lost;
            `too_much_to_see`, where the prompt's own are too many, as in a chat that was imported.
        """
        named = [(message, each) for message in thread for each in message.attachments]
        digests = [each.blob for _, each in named if each.blob is not None]
        if not digests:
            return {}
        known = await self._store.blobs.known(owner, digests)
        prompt = next((each.id for each in reversed(thread) if each.role == "user"), None)
        found: Shown = {}
        count = size = 0
        for message, each in reversed(named):
            if each.blob is None:
                continue
            picture = known.get(each.blob)
            if picture is None:
                if message.id == prompt:
                    raise StopChatError(ErrorCode.UNKNOWN_PICTURE)
                continue
            count, size = count + 1, size + picture.size
            if not _have_room(count, size):
                if message.id == prompt:
                    raise StopChatError(ErrorCode.TOO_MUCH_TO_SEE)
                break
            found.setdefault(message.id, []).insert(0, TurnPicture(each.name, picture))
        return found


def takes_pictures(handler: ChatHandler) -> bool | None:
    """Tell whether a chat handler shows pictures to its model; None: nobody knows.

    One that says nothing of it knows nothing of them, and would drop them without a word.
    """
    takes: bool | None = getattr(handler, "takes_pictures", False)
    return takes


def refuse_unshown(handler: ChatHandler, messages: Sequence[TurnMessage]) -> None:
    """Refuse a prompt with pictures for a handler that does not take them.

    It may have waited in a queue, and its model be another one than it was.

    :raises StopChatError: `cannot_see`.
    """
    if messages and messages[-1].pictures and takes_pictures(handler) is False:
        raise StopChatError(ErrorCode.CANNOT_SEE)


def _have_room(count: int, size: int) -> bool:
    return count <= MOST_SHOWN and size <= MOST_BYTES


def _named(attachment: Attachment, picture: Picture) -> Attachment:
    return attachment.model_copy(
        update={
            "text": "",
            "mime_type": picture.mime_type,
            "width": picture.width,
            "height": picture.height,
        }
    )


def _without_size(attachment: Attachment) -> Attachment:
    if attachment.width is None and attachment.height is None:
        return attachment
    return attachment.model_copy(update={"width": None, "height": None})
