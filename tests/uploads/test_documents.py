"""Documents that were uploaded: their words, and what is refused."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from importlib.util import find_spec

import pytest

from jupyter_stop_chat.uploads import documents
from jupyter_stop_chat.uploads.documents import MOST_CHARACTERS, Documents
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError


def reads(code: str, limit: float = 30.0) -> Documents:
    """Make what reads documents by a few lines of Python."""
    return Documents((sys.executable, "-c", f"import json, os, sys, time\n{code}"), limit)


ECHO = "print(json.dumps({'text': sys.stdin.read() + sys.argv[1], 'left_out': 7}))"


async def test_the_words_and_how_much_is_left_out() -> None:
    told = await reads(ECHO).text(b"Words of ", "Report.PDF", "anna")
    assert (told.text, told.left_out) == ("Words of .pdf", 7)


async def test_its_reader_knows_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    says = "print(json.dumps({'text': str(dict(os.environ)), 'left_out': 0}))"
    told = await reads(says).text(b"", "a.docx", "anna")
    assert "sk-canary" not in told.text
    assert os.environ["PATH"] in told.text


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (ECHO, "a.exe", ErrorCode.BAD_DOCUMENT),
        (ECHO, "", ErrorCode.BAD_DOCUMENT),
        ("sys.exit(3)", "a.pdf", ErrorCode.NO_DOCUMENTS),
        ("sys.exit(4)", "a.pdf", ErrorCode.BAD_DOCUMENT),
        ("os.kill(os.getpid(), 9)", "a.pdf", ErrorCode.BAD_DOCUMENT),
        ("print('no JSON')", "a.pdf", ErrorCode.BAD_DOCUMENT),
        ("print(json.dumps({'text': '  ', 'left_out': 0}))", "a.pdf", ErrorCode.BAD_DOCUMENT),
        ("print(json.dumps({'text': 5}))", "a.pdf", ErrorCode.BAD_DOCUMENT),
    ],
)
async def test_what_cannot_be_read_is_refused(code: str, name: str, expected: ErrorCode) -> None:
    with pytest.raises(StopChatError) as refused:
        await reads(code).text(b"%PDF", name, "anna")
    assert refused.value.code is expected


async def test_one_that_takes_too_long_is_ended() -> None:
    """W25: its process is gone when that is told: `subprocess.run` waits for it."""
    with pytest.raises(StopChatError) as refused:
        await reads("time.sleep(600)", limit=0.2).text(b"%PDF", "a.pdf", "anna")
    assert refused.value.code is ErrorCode.FILE_TOO_SLOW


def _docx(words: str) -> bytes:
    kinds = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        'relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="word/document.xml"/></Relationships>'
    )
    body = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body></w:document>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("[Content_Types].xml", kinds)
        made.writestr("_rels/.rels", links)
        made.writestr("word/document.xml", body)
    return file.getvalue()


async def test_the_real_reader() -> None:
    """W25: with markitdown where it is installed; where it is not, that is what is told."""
    reader = Documents()
    if find_spec("markitdown") is None:
        with pytest.raises(StopChatError) as refused:
            await reader.text(_docx("The lamp is lit."), "a.docx", "anna")
        assert refused.value.code is ErrorCode.NO_DOCUMENTS
        return
    told = await reader.text(_docx("The lamp is lit. " * 30_000), "a.docx", "anna")
    assert told.text.startswith("The lamp is lit.")
    assert len(told.text) == MOST_CHARACTERS
    assert told.left_out > 100_000
    for broken in (b"PK\x03\x04 no archive", b"%PDF-1.7 and nothing"):
        with pytest.raises(StopChatError) as refused:
            await reader.text(broken, "a.docx" if broken[:2] == b"PK" else "a.pdf", "anna")
        assert refused.value.code is ErrorCode.BAD_DOCUMENT


def test_the_command_is_a_file_of_the_package() -> None:
    assert os.path.isfile(documents.COMMAND[-1])
