"""What tests say of a program that they need and that is not here."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(program: str, package: str) -> NoReturn:
    """Skip a test whose program is not here; where nothing may be skipped, fail it.

    :param package: what Debian's package of it is called.
    """
    why = f"{program} IS NOT TESTED: it is not here; `make test` as root, or apt install {package}"
    if os.environ.get("CI") or os.environ.get("STOP_CHAT_TEST_ALL"):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
