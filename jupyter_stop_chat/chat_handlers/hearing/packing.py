"""Unpack a response's body as it comes, a bounded piece at a time."""

from __future__ import annotations

import zlib

from .faults import ProviderFault

#: So much is unpacked at once, in bytes: a thousand times as much as was sent may come of it.
MOST = 16 * 1024


class Packing:
    """A body that is packed by gzip or deflate.

    By `deflate` some servers mean what the standard says, others the same without its header.
    """

    def __init__(self) -> None:
        self._unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        #: What came while its first bytes may still say that there is no header.
        self._begun = b""
        self._is_known = False
        self._is_full = False

    @property
    def has_more(self) -> bool:
        """Tell whether there is more to unpack of what came."""
        return self._is_full and not self._unpacking.eof

    def unpack(self, data: bytes = b"") -> bytes:
        """Return the next piece of the body, behind which there may be more of what came.

        :param data: what came; nothing while there is more of what came before.
        :raises ProviderFault: it is not packed so.
        """
        if self._unpacking.eof:
            return b""  # what stands behind the end is none of it
        try:
            unpacked = self._unpack(self._unpacking.unconsumed_tail + data)
        except zlib.error:
            raise ProviderFault("its answer could not be unpacked") from None
        # Where a piece is full there may be more of it, also of what is taken in.
        self._is_full = len(unpacked) == MOST
        return unpacked

    def _unpack(self, data: bytes) -> bytes:
        if self._is_known:
            return self._unpacking.decompress(data, MOST)
        self._begun += data
        try:
            unpacked = self._unpacking.decompress(data, MOST)
        except zlib.error:
            self._unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
            unpacked = self._unpacking.decompress(self._begun, MOST)
        if len(self._begun) > 1:  # a header that is none is refused by its second byte
            self._is_known = True
            self._begun = b""
        return unpacked
