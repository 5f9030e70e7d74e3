"""What a clock decides: it wants the machine alone, and has a marker of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.conftest import bench, db_url, template

__all__ = ["bench", "db_url", "template"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("timed")
