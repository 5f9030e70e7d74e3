"""The objects inside the frames."""

from __future__ import annotations

from jupyter_stop_chat.wire.objects import Message, Receipt

ID = "00000000-0000-4000-8000-000000000009"


def test_a_message_knows_whether_it_was_taken_out() -> None:
    message = Message(
        id=ID, chat_id=ID, role="assistant", text="", text_length=0, state="interrupted",
        created_at="", stop=Receipt(requested_at="", discarded=True),
    )  # fmt: skip
    assert message.discarded
    assert not message.model_copy(update={"stop": None}).discarded
