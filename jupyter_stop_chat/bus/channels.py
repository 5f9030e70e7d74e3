"""Which channels of Redis are heard: wanted, asked for, confirmed."""

from __future__ import annotations


class Channels:
    """The channels that are heard, and what is still to be changed about them.

    :param own: the one that is always heard.
    """

    def __init__(self, own: bytes) -> None:
        self._own = own
        self._wanted: set[bytes] = set()
        self._confirmed: set[bytes] = set()
        self._changes: dict[bytes, bool] = {}
        self._late: set[bytes] = set()

    def want(self, channel: bytes, wanted: bool) -> None:
        """Hear a channel from now on, or no more."""
        if wanted:
            self._wanted.add(channel)
        else:
            self._wanted.discard(channel)
            self._confirmed.discard(channel)
        self._changes[channel] = wanted

    def all(self) -> list[bytes]:
        """Return all that are to be heard, for a new connection; the own one is the first."""
        self._changes.clear()
        self._late.clear()
        return [self._own, *self._wanted]

    def take_changes(self) -> list[tuple[bool, list[bytes]]]:
        """Return what is to be changed on the connection: heard, or heard no more."""
        if not self._changes:
            return []
        changes, self._changes = self._changes, {}
        self._late.update(each for each, wanted in changes.items() if wanted)
        sorted_ = [
            (wanted, [each for each, now in changes.items() if now is wanted])
            for wanted in (True, False)
        ]
        return [each for each in sorted_ if each[1]]

    def confirm(self, channel: bytes) -> bool:
        """Note that Redis has confirmed that a channel is heard.

        :returns: whether that is later than the connection's beginning.
        """
        if channel == self._own or channel in self._wanted:
            self._confirmed.add(channel)
        late = channel in self._late
        self._late.discard(channel)
        return late

    def lose(self) -> None:
        """Note that none is heard now."""
        self._confirmed.clear()

    def are_heard(self, channel: bytes) -> bool:
        """Tell whether Redis has confirmed that a channel is heard."""
        return channel in self._confirmed
