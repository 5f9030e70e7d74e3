"""Histories that are made shorter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.local_model.history import Said, shortened


def history(*texts: str) -> list[Said]:
    return [
        {"role": "assistant" if at % 2 else "user", "content": text}
        for at, text in enumerate(texts)
    ]


def test_the_oldest_turns_go_until_there_is_room_again() -> None:
    said = history("a" * 50, "b" * 50, "c" * 50, "d" * 50, "e" * 50)
    assert shortened(said, 0.99) == said[4:]
    said = history("a" * 500, "b" * 500, "c" * 50, "d" * 50, "e" * 50)
    assert shortened(said, 0.4) == said[2:]


def test_at_least_one_turn_goes() -> None:
    said = history("a", "b", "c", "d", "e")
    assert shortened(said, 2.0) == said[2:]


def test_it_begins_with_the_same_message_for_many_turns() -> None:
    """What the model has read already, it need not read anew."""
    room = 10_000
    begins: list[int] = []
    for turns in range(1, 121):
        said = history(*(["x" * 300] * (2 * turns - 1)))
        total = sum(len(each["content"]) for each in said)
        if total <= room:
            continue
        # What a model says of its room differs by a little from turn to turn.
        cut = shortened(said, (room + turns % 7) / total)
        assert cut is not None
        assert sum(len(each["content"]) for each in cut) <= room
        begins.append(len(said) - len(cut))
    assert begins == sorted(begins)
    assert len(set(begins)) <= len(begins) / 7, "it moves in large steps"


def test_the_prompt_stays_though_it_is_too_long() -> None:
    said = history("a", "b", "c" * 1000)
    assert shortened(said, 0.1) == said[2:]
    assert shortened(said[2:], 0.1) is None


def test_a_partial_answer_stays_with_its_prompt() -> None:
    said = history("a" * 50, "b" * 50, "c", "partial")
    assert shortened(said, 0.1) == said[2:]
    assert shortened(said[2:], 0.1) is None


@given(st.lists(st.text(min_size=1), min_size=1, max_size=12), st.floats(-1, 1))
def test_it_ends_and_stays_valid(texts: list[str], share: float) -> None:
    said: list[Said] | None = history(*texts)
    prompt = [message for message in history(*texts) if message["role"] == "user"][-1]
    while (cut := shortened(said or [], share)) is not None:
        assert said is not None
        assert len(cut) < len(said)
        assert cut[0]["role"] == "user"
        assert prompt in cut
        said = cut
