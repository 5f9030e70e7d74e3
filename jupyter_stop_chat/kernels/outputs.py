"""What a run shows, put together as a notebook keeps it, within a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: So much of one run's outputs is kept, in characters; the notebook's own are whole.
MOST = 4 * 1024 * 1024
#: So many outputs of one run are: each of them costs more than its characters.
MOST_OUTPUTS = 5000
#: Of a longer error, only the first words are kept.
LONGEST_ERROR, FIRST_WORDS = 256 * 1024, 2000
#: What is shown, by the kind of its message.
KINDS = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}
)


class Outputs:
    """The outputs of a run, in order.

    :ivar left_out: so many characters were not kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.left_out = 0
        self._shown: list[_Shown] = []
        self._size = 0
        self._clears = False

    def full(self, kind: str, size: int) -> bool:
        """Tell whether there is no room for a message; it need not be read then.

        Of a stream, what there is room for is kept.
        """
        if kind in {"clear_output", "error"}:
            return False
        if self._clears and kind != "update_display_data":
            self._clear()  # that is what it waited for
        if kind == "stream":
            return self._size >= self.most or (self._has_most and not self._follows(None))
        return self._size + size > self.most or (self._has_most and kind != "update_display_data")

    @property
    def _has_most(self) -> bool:
        return len(self._shown) >= MOST_OUTPUTS

    def _follows(self, name: str | None) -> bool:
        """Tell whether a text would go on in the last output; None: of whichever stream."""
        last = self._shown[-1].output if self._shown else {}
        return last.get("output_type") == "stream" and name in {None, last["name"]}

    def leave_out(self, size: int) -> None:
        """Count a message that is not read."""
        self.left_out += size

    def add(self, kind: str, content: Mapping[str, Any], size: int) -> None:
        """Take a message, of one of the `KINDS`."""
        if kind == "clear_output":
            self._clears = bool(content.get("wait"))
            if not self._clears:
                self._clear()
            return
        if kind == "update_display_data":
            self._update(content, size)
            return
        if self._clears:
            self._clear()
        if kind == "stream":
            name = "stderr" if content.get("name") == "stderr" else "stdout"
            self._stream(name, str(content.get("text", "")))
            return
        if kind == "error" and size > LONGEST_ERROR:
            self.left_out += size
            content, size = _cut(content), 0
        if kind != "error" and (self._size + size > self.most or self._has_most):
            self.left_out += size
            return
        self._size += size
        self._shown.append(_Shown(_output(kind, content), size, _display(content)))

    def built(self) -> list[dict[str, Any]]:
        """Return them as nbformat has them."""
        return [each.built() for each in self._shown]

    def _clear(self) -> None:
        self._shown.clear()
        self._size = self.left_out = 0
        self._clears = False

    def _stream(self, name: str, text: str) -> None:
        kept = text[: max(self.most - self._size, 0)]
        self.left_out += len(text) - len(kept)
        if not kept:
            return
        if not self._follows(name):
            if self._has_most:
                self.left_out += len(kept)
                return
            made = {"output_type": "stream", "name": name, "text": ""}
            self._shown.append(_Shown(made, 0, None))
        self._shown[-1].pieces.append(kept)
        self._size += len(kept)

    def _update(self, content: Mapping[str, Any], size: int) -> None:
        """Show something else in the places of what bears its name."""
        name = _display(content)
        for each in self._shown:
            if name is None or each.display != name:
                continue
            if self._size - each.size + size > self.most:
                self.left_out += size
                continue
            self._size += size - each.size
            each.size = size
            each.output.update(_shown_by(content))


class _Shown:
    """One output; the pieces of a stream are joined when somebody looks."""

    def __init__(self, output: dict[str, Any], size: int, display: str | None) -> None:
        self.output = output
        self.size = size
        self.display = display
        self.pieces: list[str] = []

    def built(self) -> dict[str, Any]:
        """Return it as nbformat has it."""
        if self.pieces:
            self.pieces = ["".join(self.pieces)]
            return {**self.output, "text": self.pieces[0]}
        return dict(self.output)


def _output(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output as nbformat has it, whose own way to make one checks it, which is slow."""
    if kind == "error":
        lines = content.get("traceback")
        traceback = [str(each) for each in lines] if isinstance(lines, list) else []
        name, value = (str(content.get(each, "")) for each in ("ename", "evalue"))
        return {"output_type": kind, "ename": name, "evalue": value, "traceback": traceback}
    made: dict[str, Any] = {"output_type": kind, **_shown_by(content)}
    if kind == "execute_result":
        count = content.get("execution_count")
        made["execution_count"] = count if isinstance(count, int) else None
    return made


def _shown_by(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message shows, by its types, and what it says about that."""
    found = {each: content.get(each) for each in ("data", "metadata")}
    return {each: dict(of) if isinstance(of, Mapping) else {} for each, of in found.items()}


def _cut(error: Mapping[str, Any]) -> dict[str, Any]:
    name, value = (str(error.get(each, ""))[:FIRST_WORDS] for each in ("ename", "evalue"))
    return {"ename": name, "evalue": value, "traceback": []}


def _display(content: Mapping[str, Any]) -> str | None:
    transient = content.get("transient")
    name = transient.get("display_id") if isinstance(transient, dict) else None
    return name if isinstance(name, str) else None
