"""How much of a provider's words is read at once: a broken or hostile one must hold up nobody."""

from __future__ import annotations

from .faults import ProviderFault

#: Longer events, lines and whole answers are not read, in bytes. A reply of 128,000 tokens takes
#: 3 MiB with each character escaped, and the largest picture that OpenAI sends in one event 5.
LONGEST = 8 * 1024 * 1024
#: Nor is JSON of more parts: it is read in one go, and 500,000 take 40 ms. Commas of a text count
#: as well: the longest reply has a fifth of this, were it nothing but a table.
MOST_PARTS, _PARTS = 500_000, (b"[", b"{", b",")
#: Nor events of more lines: each may be a value of its own. Real ones have one.
MOST_LINES = 10_000
#: Of an error so much is read, in bytes: some repeat a prompt. To look at its words takes 20 ms.
LONGEST_ERROR = 128 * 1024
#: After so many events, or so many pieces that came at once, all others go on.
EVENTS_AT_ONCE, PIECES_AT_ONCE = 32, 512


def check_length(length: int, parts: int = 0) -> None:
    """Refuse what would be too long to be read.

    :param parts: of its JSON.
    :raises ProviderFault: it is.
    """
    if length > LONGEST:
        raise ProviderFault("a part of its answer is too long to be read")
    if parts > MOST_PARTS:
        raise ProviderFault("a part of its answer has too many parts to be read")


def check_parts(data: bytes | bytearray) -> None:
    """Refuse what would hold up all others while it is read.

    :raises ProviderFault: it would.
    """
    check_length(len(data), parts_of(data) if len(data) > MOST_PARTS else 0)
    if data.count(b"\n") + data.count(b"\r") > 2 * MOST_LINES:  # a line may end in both
        raise ProviderFault("a part of its answer has too many lines to be read")


def parts_of(data: bytes | bytearray) -> int:
    """Count the parts of JSON; those of its texts count as well."""
    return sum(map(data.count, _PARTS))
