"""Put a turn's instructions together, from the most general to the most particular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jupyter_stop_chat.ports.instructions import RulesFile
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

from .built_in import built_in

#: Said where something was cut off, to the model and to the person alike.
CUT = "[cut here: {left} more characters]"
#: Said in the place of rules files for which there is no room.
LEFT_OUT = "[left out: {gone} AGENTS.md of the outermost folders]"
#: So many code units a mark takes at most.
_MARK = 60


@dataclass(frozen=True, slots=True)
class Sources:
    """What instructions are made of; what is empty counts for nothing.

    :ivar general: begin with the built-in ones.
    :ivar language: what the kernel of the notebook speaks, where that is known.
    :ivar rules: the rules files, outermost folder first.
    """

    general: bool = True
    language: str | None = None
    administrator: str = ""
    person: str = ""
    rules: Sequence[RulesFile] = ()
    chat: str = ""


def assembled(sources: Sources, most: int | None = None) -> str | None:
    """Return the instructions as the model is sent them; None where there are none.

    :param most: their longest length in UTF-16 code units, where it is limited. The rules files
        are shortened for it before anything else is.
    """
    rules = [_said_of(each) for each in sources.rules]
    made = _joined(sources, rules)
    if most is not None and utf16_length(made) > most:
        made = cut(_fitted(sources, rules, most), most)
    return made or None


def cut(text: str, most: int) -> str:
    """Shorten a text to a length in UTF-16 code units, with a mark where it was cut."""
    length = utf16_length(text)
    if length <= most:
        return text
    kept = utf16_slice(text, 0, max(0, most - _MARK))
    return f"{kept}\n{CUT.format(left=length - utf16_length(kept))}"


def _fitted(sources: Sources, rules: Sequence[str], most: int) -> str:
    """Shorten rules files until all fits; where even their marks do not, leave some out."""
    made = ""
    for gone in range(len(rules) + 1):
        kept = replace(sources, rules=sources.rules[gone:])
        others = utf16_length(_joined(kept, ["-" for _ in kept.rules], gone))
        made = _joined(kept, _shortened(rules[gone:], max(0, most - others)), gone)
        if utf16_length(made) <= most:
            break
    return made


def _joined(sources: Sources, rules: Sequence[str], gone: int = 0) -> str:
    """Join what is told.

    :param gone: how many rules files are left out before those.
    """
    parts = [
        ("", built_in(sources.language) if sources.general else ""),
        ("From this server's administrator:\n", sources.administrator),
        ("From the person, for all chats:\n", sources.person),
        ("", LEFT_OUT.format(gone=gone) if gone else ""),
        *(
            (f"From the file {_in_line(each.path)}:\n", text)
            for each, text in zip(sources.rules, rules, strict=True)
        ),
        ("From the person, for this chat:\n", sources.chat),
    ]
    return whole("\n\n".join(head + text.strip() for head, text in parts if text.strip()))


def _in_line(path: str) -> str:
    """Return a path so that nothing in it looks like a line of its own."""
    return "".join(each if each.isprintable() else "\ufffd" for each in path)


def _said_of(rules: RulesFile) -> str:
    if rules.fault is not None:
        return f"[left out: {rules.fault}]"
    text = rules.text.strip()
    return f"{text}\n{CUT.format(left=rules.left)}" if rules.left else text


def _shortened(texts: Sequence[str], most: int) -> list[str]:
    """Shorten texts so that they fit together: the outermost first, as the nearest counts most."""
    made: list[str] = []
    for before, text in reversed([*enumerate(texts)]):
        # Room for the marks of those that are cut wholly.
        made.append(cut(text, max(0, most - before * _MARK)))
        most -= utf16_length(made[-1])
    return made[::-1]
