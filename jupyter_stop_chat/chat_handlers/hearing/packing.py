"""Unpack a response's body as it comes."""

from __future__ import annotations

import zlib

from .faults import ProviderFault


class Packing:
    """A body that is packed by gzip or deflate.

    By `deflate` some servers mean what the standard says, others the same without its header.
    """

    def __init__(self) -> None:
        self._unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        #: What came while its first bytes may still say that there is no header.
        self._begun = b""
        self._is_known = False

    def unpack(self, data: bytes) -> bytes:
        """Return what more there is of the body.

        :raises ProviderFault: it is not packed so.
        """
        try:
            return self._unpack(data)
        except zlib.error:
            raise ProviderFault("its answer could not be unpacked") from None

    def _unpack(self, data: bytes) -> bytes:
        if self._is_known:
            return self._unpacking.decompress(data)
        self._begun += data
        try:
            unpacked = self._unpacking.decompress(data)
        except zlib.error:
            self._unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
            unpacked = self._unpacking.decompress(self._begun)
        if len(self._begun) > 1:  # a header that is none is refused by its second byte
            self._is_known = True
            self._begun = b""
        return unpacked
