"""The child process itself, spoken to over its pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_stop_chat.local_model.process import CHILD
from jupyter_stop_chat.local_model.weights import weights_path

LOAD = {"type": "load", "protocol": 1, "context": 1024, "parallel": 2, "threads": 1}


def run(lines: list[object], command: tuple[str, ...] = CHILD) -> list[dict[str, object]]:
    """Say so many lines to a child, close the pipe, and return what it said."""
    said = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_nothing_is_said_and_it_ends() -> None:
    assert run([]) == []


def test_another_protocol_is_refused() -> None:
    assert run([{"type": "load", "protocol": 2}]) == [{"type": "failed", "reason": "bad_protocol"}]


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    assert run([LOAD | {"path": str(tmp_path / "none.gguf")}]) == [
        {"type": "failed", "reason": "bad_model"}
    ]


def test_the_package_is_not_installed(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['xllamacpp'] = None; "
        "from jupyter_stop_chat.local_model.child import main; main()"
    )
    assert run([LOAD | {"path": str(tmp_path)}], (sys.executable, "-P", "-c", program)) == [
        {"type": "failed", "reason": "missing_package"}
    ]


def test_files_of_the_working_directory_are_not_imported(tmp_path: Path) -> None:
    """A notebook's folder may hold a `json.py`; it is not the child's business."""
    for name in ("json", "xllamacpp", "jupyter_stop_chat"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)")
    subprocess.run(CHILD, cwd=tmp_path, input=b"", check=True)


@pytest.mark.local_model
def test_the_end_of_the_pipe_ends_it_while_it_works(local_model_data_dir: Path) -> None:
    """The child ends in good order although the model generates."""
    ask = {
        "type": "generate",
        "id": 1,
        "messages": [{"role": "user", "content": "Write a long story."}],
        "parameters": {},
    }
    load = LOAD | {"path": str(weights_path(local_model_data_dir))}
    with subprocess.Popen(
        CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for line in (load, ask):
            child.stdin.write(json.dumps(line) + "\n")
        child.stdin.flush()
        said = [json.loads(child.stdout.readline()) for _ in range(4)]
        assert said[0] == {"type": "ready", "protocol": 1, "context": 1024}
        assert said[1]["type"] == "reading"
        assert said[2]["type"] == said[3]["type"] == "text"
        child.stdin.close()
        assert child.wait(10) == 0


@pytest.mark.local_model
def test_unknown_requests_are_not_cancelled(local_model_data_dir: Path) -> None:
    load = LOAD | {"path": str(weights_path(local_model_data_dir))}
    assert [message["type"] for message in run([load, {"type": "cancel", "id": 5}])] == ["ready"]


@pytest.mark.local_model
def test_nonsense_of_the_parent_ends_it(local_model_data_dir: Path) -> None:
    load = LOAD | {"path": str(weights_path(local_model_data_dir))}
    assert [message["type"] for message in run([load, ["?"], {"type": "x"}])] == ["ready"]
