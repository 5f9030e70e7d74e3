"""Long chats, from the server's answers to what the page's own code makes of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.connection.opening import MOST_LISTED, MOST_TEXT, Opening
from jupyter_stop_chat.connection.pieces import read_pieces
from jupyter_stop_chat.wire.client_frames import Open, Read
from jupyter_stop_chat.wire.codec import decode, encode
from jupyter_stop_chat.wire.objects import Attachment, Chat, Limits, Message, MessageState
from jupyter_stop_chat.wire.server_frames import ChatChanged, Messages, Pieces, Welcome
from jupyter_stop_chat.wire.utf16 import utf16_length
from tests.examples import examples

ROOT = Path(__file__).parents[2]
ESBUILD = ROOT / "labextension" / "node_modules" / ".bin" / "esbuild"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    not ESBUILD.exists() or NODE is None, reason="needs node and the page's packages"
)
WHEN = "2026-01-01T00:00:00.000Z"
CHAT = Chat(
    id=f"{0xC0:08x}-0000-4000-8000-000000000000", owner="o", created_at=WHEN, updated_at=WHEN
)
#: A list and its texts, in characters; JSON escapes some of them.
LARGEST = 2 * (MOST_TEXT + MOST_LISTED)


class NodePage:
    """The page's own code in a process of Node."""

    def __init__(self, bundle: Path) -> None:
        script = Path(__file__).with_name("page_in_node.mjs")
        self._process = subprocess.Popen(
            [str(NODE), str(script), bundle.as_uri()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def tell(self, command: str, **more: Any) -> dict[str, Any]:
        """Tell it something; return what it sent then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **more}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def node_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodePage]:
    """Bundle the page's own code and run it."""
    bundle = tmp_path_factory.mktemp("page") / "openChats.mjs"
    source = ROOT / "labextension" / "src" / "chat" / "openChats.ts"
    options = ["--bundle", "--format=esm", f"--outfile={bundle}", "--log-level=error"]
    subprocess.run([ESBUILD, source, *options], check=True)
    page = NodePage(bundle)
    yield page
    page.close()


class Server:
    """A server that has one chat, and answers as the connection does."""

    def __init__(self, page: NodePage, messages: Sequence[Message]) -> None:
        self.page = page
        self.messages = messages
        self.sizes: list[int] = []
        self.rounds = 0

    def begin(self) -> None:
        """Load the page with the chat."""
        self.page.tell("begin", chat_id=CHAT.id)
        limits = Limits(max_prompt_length=50_000, max_reply_length=1_000_000)
        self.say(Welcome(epoch="e", user="u", limits=limits))

    def say(self, *frames: Any) -> None:
        """Say something, and answer what the page asks until it asks nothing more."""
        waiting = list(frames)
        while waiting:
            told = [encode(frame) for frame in waiting]
            self.sizes += [len(each) for each in told]
            sent = self.page.tell("say", frames=[json.loads(each) for each in told])["sent"]
            waiting = self._answers(sent)

    def ask(self, command: str, **more: Any) -> None:
        """Have the page do something, and answer what it asks."""
        self.say(*self._answers(self.page.tell(command, **more)["sent"]))

    def shown(self) -> list[dict[str, Any]]:
        """Return what the page has of the messages."""
        shown: list[dict[str, Any]] = self.page.tell("look")["shown"]
        return shown

    def read_all(self) -> None:
        """Scroll by everything, and unfold it."""
        ids = [message.id for message in self.messages]
        self.ask("want", message_ids=ids, details=True)

    def _answers(self, sent: Sequence[dict[str, Any]]) -> list[Any]:
        reads = [frame for frame in sent if frame["type"] == "read"]
        assert len(reads) <= 1, "one at a time"
        answers: list[Any] = []
        for raw in sent:
            frame = decode(json.dumps(raw))
            if isinstance(frame, Open):
                answers += self._opening(frame)
            elif isinstance(frame, Read):
                self.rounds += 1
                answers.append(self._pieces(frame))
        return answers

    def _opening(self, frame: Open) -> list[Any]:
        opening = Opening(self.messages, [], lambda message_id: None, frame.offsets)
        earlier = opening.earlier or None
        frames: list[Any] = [
            ChatChanged(chat=CHAT, messages=tuple(opening.messages), earlier=earlier)
        ]
        while opening.earlier:
            page = tuple(opening.next_page())
            frames.append(Messages(chat_id=CHAT.id, messages=page, earlier=opening.earlier))
        return frames

    def _pieces(self, frame: Read) -> Pieces:
        by_id = {message.id: message for message in self.messages}

        async def get(message_id: str) -> Message | None:
            return by_id.get(message_id)

        pieces = tuple(asyncio.run(read_pieces(frame.wanted, get)))
        return Pieces(request_id=frame.request_id, chat_id=frame.chat_id, pieces=pieces)


def _message(at: int, text: str, **more: Any) -> Message:
    ids = [f"{n:08x}-0000-4000-8000-000000000001" for n in (at, at - 1)]
    return Message(
        id=ids[0],
        chat_id=CHAT.id,
        role="assistant" if at % 2 else "user",
        text=text,
        text_length=utf16_length(text),
        state=MessageState.COMPLETED,
        created_at=WHEN,
        reply_to=ids[1] if at else None,
        **more,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-16-le")).hexdigest()


def _is_all_here(server: Server) -> None:
    shown = server.shown()
    assert [each["id"] for each in shown] == [message.id for message in server.messages]
    for each, message in zip(shown, server.messages, strict=True):
        assert (each["whole"], each["left"]) == (True, 0), each
        assert each["digest"] == _digest(message.text)
        details = [message.reasoning or "", *(one.text for one in message.attachments)]
        assert each["details"] == _digest("\0".join(details))


@pytest.mark.parametrize("megabytes", [0.5, 2, 20])
def test_a_long_chat_is_all_there_after_a_reload(node_page: NodePage, megabytes: float) -> None:
    """B5: the newest first, and what is not here yet is known to be missing."""
    count = int(megabytes * 1_000_000 / 100_000)
    messages = [_message(at, f"reply {at} 🗼 " * 8_000) for at in range(count)]
    server = Server(node_page, messages)
    server.begin()
    shown = server.shown()
    assert [each["id"] for each in shown] == [message.id for message in messages]
    assert [each["whole"] for each in shown[-2:]] == [True, True], "the newest end is there"
    for each, message in zip(shown, messages, strict=True):
        assert each["whole"] == (each["length"] == message.text_length)
    # What is not looked at comes by itself, up to what a page should hold.
    server.ask("advance", ms=60_000)
    for _ in range(40):
        server.ask("advance", ms=1000)
    here = sum(each["length"] for each in server.shown())
    assert here >= min(2_000_000, sum(message.text_length for message in messages)) * 0.9
    server.read_all()
    _is_all_here(server)
    assert max(server.sizes) < LARGEST
    # A new connection has nothing sent again.
    server.sizes.clear()
    server.page.tell("drop")
    server.ask("advance", ms=1000)
    limits = Limits(max_prompt_length=50_000, max_reply_length=1_000_000)
    server.say(Welcome(epoch="e", user="u", limits=limits))
    _is_all_here(server)
    assert sum(server.sizes) < 5_000 + 600 * count


def test_ten_thousand_messages_come_in_pages(node_page: NodePage) -> None:
    """B5: each of them small enough, in order, and none is lost."""
    messages = [_message(at, f"{at} " * 40) for at in range(10_000)]
    server = Server(node_page, messages)
    server.begin()
    shown = server.shown()
    assert [each["id"] for each in shown] == [message.id for message in messages]
    assert shown[-1]["whole"]
    assert max(server.sizes) < LARGEST
    server.ask("want", message_ids=[messages[0].id, messages[5_000].id], details=False)
    shown = server.shown()
    assert shown[0]["whole"]
    assert shown[5_000]["whole"]


_texts = st.builds(
    lambda unit, times: unit * times,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
    st.sampled_from([0, 1, 100, 3_000, 60_000, 150_000]),
)


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(
    parts=st.lists(
        st.tuples(_texts, st.none() | _texts, st.lists(_texts.filter(bool), max_size=2)),
        min_size=1,
        max_size=6,
    ),
    cuts=st.lists(st.sampled_from(["drop", "advance", "want"]), max_size=3),
)
def test_what_the_page_shows_becomes_what_the_server_has(
    node_page: NodePage, parts: Any, cuts: list[str]
) -> None:
    """B5: whatever the texts, thoughts and attachments, and however often it reconnects."""
    messages = [
        _message(
            at,
            text,
            reasoning=thought or None,
            attachments=tuple(Attachment(name="a", text=each) for each in attached),
        )
        for at, (text, thought, attached) in enumerate(parts)
    ]
    server = Server(node_page, messages)
    server.begin()
    limits = Limits(max_prompt_length=50_000, max_reply_length=1_000_000)
    for cut in cuts:
        if cut == "drop":
            server.page.tell("drop")
            server.ask("advance", ms=1000)
            server.say(Welcome(epoch="e", user="u", limits=limits))
        elif cut == "advance":
            server.ask("advance", ms=300)
        else:
            server.ask("want", message_ids=[messages[0].id], details=False)
    server.read_all()
    _is_all_here(server)
    # The longest character of JSON is six of it.
    assert max(server.sizes) < 6 * (MOST_TEXT + MOST_LISTED)
