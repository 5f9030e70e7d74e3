"""The real weights, for tests that run the real model.

Import `local_model_data_dir` where the fixture is needed.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jupyter_core.paths import jupyter_data_dir

from jupyter_stop_chat.local_model.weights import install_weights, is_installed


@pytest.fixture(scope="session")
def local_model_data_dir() -> Path:
    """Return a Jupyter data directory that holds the weights; fetch them once if need be.

    In a thread: where a browser is open, its driver's event loop is in this one.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_folder_with_weights).result()


def _folder_with_weights() -> Path:
    named = os.environ.get("STOP_CHAT_TEST_DATA_DIR")
    # Installing also checks the checksum of weights that are there.
    if named:
        install_weights(Path(named))
        return Path(named)
    own = Path(jupyter_data_dir())
    if is_installed(own):
        return own
    cache = Path.home() / ".cache" / "jupyter-stop-chat-tests"
    install_weights(cache)
    return cache
