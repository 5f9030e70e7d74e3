"""What a setting may be: kinds of traits that say it in words and take nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from traitlets import Dict, Float, HasTraits, Int, Unicode

from jupyter_stop_chat.wire.objects import LONGEST_INSTRUCTIONS

from .bus_url import fault_in

#: The databases that are known, and how SQLAlchemy's URLs of them begin.
_DATABASE_URL = re.compile(r"(sqlite|postgresql)(\+\w+)?://.*")
_MODEL_ID = re.compile(r"[^\s:]+:\S(.*\S)?")
_PATTERN = re.compile(r"\S(.*\S)?")


class Count(Int[int, int]):
    """A whole number that is not less than `min`."""

    def validate(self, obj: HasTraits, value: Any) -> int:
        """Refuse what is no number: to Python, True is one."""
        if isinstance(value, bool) or (isinstance(value, int) and value < self.min):
            self.error(obj, value)
        return super().validate(obj, value)

    def info(self) -> str:
        """Say what it may be."""
        return f"a whole number, {self.min} or more"


class Amount(Float[float, float]):
    """A finite number that is more than 0, or not less when `zero` is allowed."""

    def __init__(self, default: float, *, zero: bool = False, **options: Any) -> None:
        super().__init__(default, **options)
        self._zero = zero

    def validate(self, obj: HasTraits, value: Any) -> float:
        """Refuse what is no number to count with."""
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or value < 0
            or (value == 0 and not self._zero)
        ):
            self.error(obj, value)
        return super().validate(obj, value)

    def info(self) -> str:
        """Say what it may be."""
        return "a number, 0 or more" if self._zero else "a number that is more than 0"


class _Text(Unicode[str, str]):
    """Text of one form, or none at all."""

    form: re.Pattern[str]
    empty = True

    def validate(self, obj: HasTraits, value: Any) -> str:
        """Refuse text of another form."""
        if isinstance(value, str) and not self._fits(value):
            self.error(obj, value)
        return super().validate(obj, value)

    def _fits(self, value: str) -> bool:
        return self.form.fullmatch(value) is not None if value else self.empty


class Instructions(Unicode[str, str]):
    """Words for a model, or none; not more than it can be told with each prompt."""

    info_text = f"text of at most {LONGEST_INSTRUCTIONS} characters"

    def validate(self, obj: HasTraits, value: Any) -> str:
        """Refuse text that is too long."""
        if isinstance(value, str) and len(value) > LONGEST_INSTRUCTIONS:
            self.error(obj, value[:20])
        return super().validate(obj, value)


class ModelId(_Text):
    """A model's id, or nothing."""

    form = _MODEL_ID
    info_text = "a model as 'provider:model', or ''"


class ModelPattern(_Text):
    """A model's id, or a pattern of them."""

    form = _PATTERN
    empty = False
    info_text = "a model's id or a pattern, such as 'openai:*'"


class Pattern(_Text):
    """A pattern of texts."""

    form = _PATTERN
    empty = False
    info_text = "a pattern, such as 'https://example.org/*'"


class DatabaseUrl(_Text):
    """Where the chats are kept, or nothing."""

    form = _DATABASE_URL
    info_text = "'sqlite:///…' or 'postgresql://…', or ''"
    #: What is missing for a database that was named.
    _missing = "; for PostgreSQL: pip install 'jupyter-stop-chat[postgresql]'"

    def info(self) -> str:
        """Say what it may be, and what has to be installed for that."""
        return self.info_text + ("" if _has_driver() else self._missing)

    def _fits(self, value: str) -> bool:
        return super()._fits(value) and (_has_driver() or not value.startswith("postgresql"))


def _has_driver() -> bool:
    return find_spec("asyncpg") is not None


class BusUrl(_Text):
    """The address of the Redis by which servers reach each other, or nothing."""

    info_text = (
        "'redis://…', 'rediss://…', 'unix://…', 'redis+sentinel://host:26379,…/master/0' or "
        "'redis+cluster://host:6379,…', or ''"
    )

    def why(self, value: Any) -> str | None:
        """Say what is wrong with an address, if anything, and repeat nothing of it."""
        if not isinstance(value, str) or not value:
            return None
        if find_spec("redis") is None:
            return "the package redis is not installed: pip install 'jupyter-stop-chat[redis]'"
        return fault_in(value)

    def _fits(self, value: str) -> bool:
        return self.why(value) is None


class ModelParameters(Dict):
    """Parameters by provider or by model id."""

    def validate(self, obj: HasTraits, value: Any) -> Any:
        """Refuse what is not a dictionary of dictionaries."""
        if not isinstance(value, Mapping) or not all(
            isinstance(model, str) and model and _is_named(each) for model, each in value.items()
        ):
            self.error(obj, value)
        return super().validate(obj, value)

    def info(self) -> str:
        """Say what it may be."""
        return "a dictionary by provider or model id, of dictionaries by the parameter's name"


def _is_named(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) and name for name in value)
