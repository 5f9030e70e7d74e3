"""Go on from a partial reply without doubling the space between the two."""

from __future__ import annotations


class Joint:
    """What joins a partial reply and what a model writes behind it.

    Chat templates cut white space off the end of a message, so the model does not see it and
    writes it again.

    :param prefix: the partial reply.
    """

    def __init__(self, prefix: str) -> None:
        #: What the model is given.
        self.prefix = prefix.rstrip()
        self._left = prefix[len(self.prefix) :] if self.prefix else ""

    def feed(self, text: str) -> str:
        """Return what of the model's text is new."""
        at = 0
        while self._left and at < len(text):
            if text[at] != self._left[0]:
                self._left = ""
                break
            self._left = self._left[1:]
            at += 1
        return text[at:]

    def end(self) -> str:
        """Return nothing: all was passed on."""
        return ""
