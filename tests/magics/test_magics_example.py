"""The example notebook in the documentation, run as a person would, with the real local model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.aids.weights import local_model_data_dir
from tests.magics.notebook import Alone

__all__ = ["local_model_data_dir"]

EXAMPLE = Path(__file__).parents[2] / "docs" / "using" / "magics.ipynb"


@pytest.mark.local_model
def test_the_example_runs(tmp_path: Path, local_model_data_dir: Path) -> None:
    """B6, B11: `nbconvert --execute`, offline, without a key."""
    alone = Alone(tmp_path, {})
    (alone.folder / "data" / "stop-chat").mkdir()
    weights = local_model_data_dir / "stop-chat" / "models"
    (alone.folder / "data" / "stop-chat" / "models").symlink_to(weights)
    arguments = ["--to", "notebook", "--execute", "--output-dir", str(tmp_path), str(EXAMPLE)]
    ran = subprocess.run(
        [sys.executable, "-m", "nbconvert", *arguments],
        env=alone.environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    done = nbformat.read(tmp_path / EXAMPLE.name, as_version=4)
    assert "widgets" not in done.metadata
    nbformat.validate(done)
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    (story,) = code[2].outputs
    filled, text = story["data"]["text/plain"].split("\n\n", 1)
    assert filled == "[Filled in: subject (12 characters)]"
    assert story["metadata"]["jupyter_stop_chat"]["state"] == "completed"
    assert len(text.split()) > 5
    said = code[3].outputs[0]["text"]
    assert said == f"{len(text.split())} words by local:smollm2: completed\n"
    assert code[4].outputs == []
    assert code[5].outputs[0]["text"] == "completed\n"
