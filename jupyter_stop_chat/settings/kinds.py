"""What a setting may be: kinds of traits that say it in words and take nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from traitlets import Dict, Float, HasTraits, Int, Unicode

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


class ModelId(_Text):
    """A model's id, or nothing."""

    form = _MODEL_ID
    info_text = "a model as 'provider:model', or ''"


class ModelPattern(_Text):
    """A model's id, or a pattern of them."""

    form = _PATTERN
    empty = False
    info_text = "a model's id or a pattern, such as 'openai:*'"


class DatabaseUrl(_Text):
    """Where the chats are kept, or nothing."""

    form = _DATABASE_URL
    info_text = "'sqlite:///…' or 'postgresql://…', or ''"


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
