"""A server's list of models is whole, whatever its length or shape."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.models.listing import Listing
from tests.providers.answers import Answers


async def listed(body: Any) -> list[str]:
    async with Answers(lambda sent: (200, body)) as server:
        return await Listing().compatible(server.base_url, None)


async def test_a_long_list_is_whole() -> None:
    """T14: 375 models, 1.5 MB."""
    data = [{"id": f"m{at:03}", "description": "x" * 4000} for at in range(375)]
    assert len(await listed({"data": data})) == 375


async def test_a_list_in_pages_is_whole() -> None:
    """T14."""
    async with Answers(lambda sent: None) as server:

        def page(sent: int) -> Any:
            if len(server.lines) == 1:
                return 200, {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
            return 200, {"data": [{"id": "b"}], "has_more": False, "last_id": "b"}

        server.answer = page
        assert await Listing().compatible(server.base_url, None) == ["a", "b"]
        assert "after_id=a" in server.lines[1]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"data": None}, []),
        ({"data": None, "models": [{"name": "a"}]}, ["a"]),
        ([{"id": "a"}, {"id": "a"}], ["a"]),
        (["a", "b"], ["a", "b"]),
        ({"data": [{"id": 7}, None, {"id": None}, 3.5]}, ["7"]),
        ("not JSON", []),
        ({"data": {"id": "a"}}, []),
    ],
)
async def test_odd_shapes(body: Any, names: list[str]) -> None:
    """T14."""
    assert await listed(body) == names
