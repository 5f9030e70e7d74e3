"""The pictures of chats: each once for its owner, as long as a message of theirs holds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from jupyter_stop_chat.ports.pictures import Picture
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment
from jupyter_stop_chat.wire.utf16 import whole

from .operations import KeepBlob, Operation, SweepBlobs
from .schema import NOW_SECONDS, blobs, message_blobs, messages
from .slices import id_slices

if TYPE_CHECKING:
    from .instructions import Read
    from .reading import Reader

#: So long a picture stays that was uploaded and not sent: a draft may be a day old.
DRAFT_SECONDS = 24 * 3600

#: Whose it is, and its digest.
Held = tuple[str, str]


class SqlBlobs:
    """What keeps pictures in the store's database.

    :param write: writes an operation in its turn.
    :param saves: tells whether anything can be saved at the moment.
    """

    def __init__(
        self,
        write: Callable[[Operation], Awaitable[Any]],
        read: Read,
        saves: Callable[[], bool],
    ) -> None:
        self._write = write
        self._read = read
        self._saves = saves

    async def keep(self, owner: str, picture: Picture, data: bytes, most: int) -> None:
        """Keep a picture for somebody who is about to send it.

        :raises StopChatError: `too_many_pictures`, or `pictures_not_saved` while nothing can be:
            in memory it would be lost with the server, and take much room.
        """
        if not self._saves():
            raise StopChatError(ErrorCode.PICTURES_NOT_SAVED)
        operation = KeepBlob(whole(owner), picture, data, most)
        try:
            await self._write(operation)
        except StopChatError as error:
            if error.code is not ErrorCode.NOT_POSSIBLE_NOW:
                raise
            await self._write(operation)  # another server has just kept the same

    async def known(self, owner: str, digests: Sequence[str]) -> Mapping[str, Picture]:
        """Return those of some pictures that an owner has, by their digests."""
        asked = list(dict.fromkeys(digests))
        found: Mapping[str, Picture] = await self._read(
            lambda reader: known(reader, whole(owner), asked)
        )
        return found

    async def read(self, owner: str, digest: str) -> bytes | None:
        """Return the bytes of an owner's picture; None where there is no such."""
        data: bytes | None = await self._read(lambda reader: data_of(reader, whole(owner), digest))
        return data

    async def sweep(self) -> None:
        """Delete what was uploaded long ago and is in no message."""
        if self._saves() and await self._read(forgotten):
            await self._write(SweepBlobs())


async def known(reader: Reader, owner: str, digests: Sequence[str]) -> dict[str, Picture]:
    """Return those of some pictures that an owner has."""
    columns = (blobs.c.digest, blobs.c.mime_type, blobs.c.width, blobs.c.height, blobs.c.size)
    found: dict[str, Picture] = {}
    for some in id_slices(digests):
        mine = select(*columns).where(blobs.c.owner == owner, blobs.c.digest.in_(some))
        found |= {row["digest"]: Picture(**row) for row in await reader.rows(mine)}
    return found


async def data_of(reader: Reader, owner: str, digest: str) -> bytes | None:
    """Return the bytes of an owner's picture."""
    its = select(blobs.c.data).where(blobs.c.owner == owner, blobs.c.digest == digest)
    rows = await reader.rows(its)
    return bytes(rows[0]["data"]) if rows else None


async def forgotten(reader: Reader) -> bool:
    """Tell whether there is a picture that was uploaded long ago and is in no message."""
    return bool(await reader.rows(select(blobs.c.digest).where(_is_forgotten()).limit(1)))


# --- inside a transaction --------------------------------------------------------------------


def keep(connection: Connection, operation: KeepBlob) -> None:
    """Keep a picture, unless its owner's take too much room already.

    :raises StopChatError: `too_many_pictures`.
    """
    owner, picture = operation.owner, operation.picture
    again = (
        update(blobs)
        .where(blobs.c.owner == owner, blobs.c.digest == picture.digest)
        .values(drafts=blobs.c.drafts + 1, drafted_at=NOW_SECONDS)
    )
    if connection.execute(again).rowcount:
        return
    _delete_forgotten(connection, blobs.c.owner == owner)
    mine = select(func.coalesce(func.sum(blobs.c.size), 0)).where(blobs.c.owner == owner)
    if operation.most and connection.execute(mine).scalar_one() + picture.size > operation.most:
        raise StopChatError(ErrorCode.TOO_MANY_PICTURES)
    connection.execute(
        insert(blobs).values(
            owner=owner,
            digest=picture.digest,
            mime_type=picture.mime_type,
            width=picture.width,
            height=picture.height,
            size=picture.size,
            drafts=1,
            drafted_at=NOW_SECONDS,
            data=operation.data,
        )
    )


def sweep(connection: Connection) -> None:
    """Delete what was uploaded long ago and is in no message."""
    _delete_forgotten(connection)


def link(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, lenient: bool = False
) -> None:
    """Note which messages hold which pictures, by the messages' rows.

    :param lenient: let a message have one that is not there.
    :raises StopChatError: `unknown_picture`.
    """
    for row in rows:
        digests = digests_of(row.get("attachments"))
        if not digests:
            continue
        mine = (blobs.c.owner == row["owner"], blobs.c.digest.in_(digests))
        # Locked until the message is there: another server may be deleting what nobody holds.
        found = select(blobs.c.digest).where(*mine).order_by(blobs.c.digest).with_for_update()
        there = set(connection.execute(found).scalars())
        if len(there) < len(digests) and not lenient:
            raise StopChatError(ErrorCode.UNKNOWN_PICTURE)
        its = select(messages.c.seq).where(messages.c.id == row["id"])
        message = connection.execute(its).scalar_one()
        held = select(message_blobs.c.digest).where(message_blobs.c.message == message)
        new = there - set(connection.execute(held).scalars())
        if not new:  # it was written before: what is uploaded by now is for another one
            continue
        values = [{"message": message, "digest": each, "owner": row["owner"]} for each in new]
        connection.execute(insert(message_blobs), values)
        if row.get("version_of") is None:  # else nothing was uploaded for it
            sent = case((blobs.c.drafts > 0, blobs.c.drafts - 1), else_=0)
            its_new = (blobs.c.owner == row["owner"], blobs.c.digest.in_(new))
            connection.execute(update(blobs).where(*its_new).values(drafts=sent))


def link_only(connection: Connection, message_id: str, attached: Sequence[Attachment]) -> None:
    """Let a message hold those of its pictures that are left."""
    digests = digests_of([each.model_dump() for each in attached])
    its = select(messages.c.seq).where(messages.c.id == message_id).scalar_subquery()
    gone = (message_blobs.c.message == its, message_blobs.c.digest.not_in(digests))
    held = held_by(connection, and_(*gone))
    connection.execute(delete(message_blobs).where(*gone))
    release(connection, held)


def held_by(connection: Connection, where: ColumnElement[bool]) -> set[Held]:
    """Return the pictures that some messages hold.

    :param where: which rows of `message_blobs`.
    """
    found = select(message_blobs.c.owner, message_blobs.c.digest).where(where)
    return {(row.owner, row.digest) for row in connection.execute(found)}


def in_chat(chat_id: str) -> ColumnElement[bool]:
    """Say which pictures a chat's messages hold."""
    its = select(messages.c.seq).where(messages.c.chat_id == chat_id)
    return message_blobs.c.message.in_(its)


def release(connection: Connection, held: Iterable[Held]) -> None:
    """Delete those of some pictures that no message holds any more, and nobody's draft either."""
    for owner, digest in held:
        _delete_forgotten(connection, blobs.c.owner == owner, blobs.c.digest == digest)


def give_back(connection: Connection, held: Iterable[Held]) -> None:
    """Make pictures drafts again: the prompt that held them was refused, and is sent anew."""
    drafted = {"drafts": blobs.c.drafts + 1, "drafted_at": NOW_SECONDS}
    for owner, digest in held:
        its = (blobs.c.owner == owner, blobs.c.digest == digest)
        connection.execute(update(blobs).where(*its).values(drafted))


def digests_of(attached: Any) -> set[str]:
    """Return the pictures in the column of a message's attachments."""
    return {str(each["blob"]) for each in attached or () if each.get("blob")}


def _delete_forgotten(connection: Connection, *which: ColumnElement[bool]) -> None:
    """Delete those of some pictures that are in no message and nobody's draft.

    On a database server another one may be writing a message that holds it, which no statement
    that has begun sees. So they are locked first and looked at anew, but for those that another
    has locked: they are held by now, or found the next time.
    """
    found = select(blobs.c.owner, blobs.c.digest).where(*which, _is_forgotten())
    for row in connection.execute(found.with_for_update(skip_locked=True)).all():
        its = (blobs.c.owner == row.owner, blobs.c.digest == row.digest)
        connection.execute(delete(blobs).where(*its, _is_forgotten()))


def _is_forgotten() -> ColumnElement[bool]:
    held = exists(
        select(message_blobs.c.message)
        .where(message_blobs.c.owner == blobs.c.owner, message_blobs.c.digest == blobs.c.digest)
        .correlate(blobs)
    )
    old = or_(blobs.c.drafts == 0, blobs.c.drafted_at < NOW_SECONDS - DRAFT_SECONDS)
    return and_(~held, old)
