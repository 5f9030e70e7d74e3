"""`docs/running/compose.yaml`: nothing floats or is open, no password is known beforehand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).parents[1] / "docs" / "running" / "compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z]+:\d+\.\d+[\w.-]*", service["image"]), "a version, in full"
    assert service["healthcheck"]["test"]
    assert all(each.startswith("127.0.0.1:") for each in service["ports"])
    passwords = {key: value for key, value in service["environment"].items() if "PASSWORD" in key}
    assert len(passwords) == 1
    for key, value in passwords.items():
        assert value.startswith(f"${{{key}:?"), "without one nothing starts"


def test_what_is_kept_is_in_a_volume() -> None:
    assert SERVICES["postgresql"]["volumes"] == ["history:/var/lib/postgresql/data"]
