"""What blocks an event loop fails, as blockbuster has it, and is looked for at less cost.

blockbuster compares each frame of the stack with each function that may block, at every call: a
quarter of what the tests with a server computed was that. Here each function is compared once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

from blockbuster import BlockBuster, BlockBusterFunction

#: The end of a file's path, and the functions in it in which something may block.
Allowed = tuple[str, Iterable[str]]


@contextmanager
def nothing_blocks(
    scanned: ModuleType | str | None = None, allowed: Iterable[Allowed] = ()
) -> Iterator[None]:
    """Fail what blocks an event loop.

    :param scanned: the package that may not; without it, nothing may.
    :param allowed: where it may all the same.
    """
    noticing = BlockBuster(scanned)
    for function in noticing.functions.values():
        for filename, names in allowed:
            function.can_block_in(filename, names)
        function.can_block_predicate = _Look(function)
    noticing.activate()
    try:
        yield
    finally:
        noticing.deactivate()


class _Look:
    """What tells of a call whether it may block, as blockbuster itself would."""

    def __init__(self, function: BlockBusterFunction) -> None:
        self._function = function
        self._may_anyway = function.can_block_predicate
        self._scanned = tuple(function._scanned_modules)
        #: Of each function, by its file and name: may it block, and is it among what may not?
        self._known: dict[tuple[str, str], tuple[bool, bool]] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        if self._may_anyway(*args, **kwargs):
            return True
        found = not self._scanned
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            at = (code.co_filename, code.co_name)
            known = self._known.get(at)
            if known is None:
                known = self._known[at] = self._compare(*at)
            if known[0]:
                return True
            found = found or known[1]
            frame = frame.f_back
        return not found

    def _compare(self, filename: str, name: str) -> tuple[bool, bool]:
        allowed = self._function.can_block_functions
        may = any(filename.endswith(end) and name in names for end, names in allowed)
        return may, filename.startswith(self._scanned)
