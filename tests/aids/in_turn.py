"""One test of many like cases, each tried in turn: a test, and a server, begin once for all."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

Test = Callable[..., Any]
#: What fails a case and not the others.
FAILURES = (Exception, BaseExceptionGroup, pytest.fail.Exception)


def in_turn(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Make one test of one that takes these names, as `pytest.mark.parametrize` makes many.

    Every case is tried, whichever fail, and those that do are told. The fixtures are made once: it
    is for cases that leave nothing behind.

    :param names: one name for cases that are its values, or several.
    """
    tried = [
        {names: case} if isinstance(names, str) else dict(zip(names, case, strict=True))
        for case in cases
    ]

    def made(test: Test) -> Test:
        asked = inspect.signature(test)
        fixtures = [
            each
            for name, each in asked.parameters.items()
            if name not in ((names,) if isinstance(names, str) else names)
        ]

        async def at_each(**given: Any) -> None:
            failed: list[BaseException] = []
            for case in tried:
                try:
                    await test(**given, **case)
                except FAILURES as error:
                    failed.append(_at(case, error))
            _tell(failed)

        def at_each_at_once(**given: Any) -> None:
            failed: list[BaseException] = []
            for case in tried:
                try:
                    test(**given, **case)
                except FAILURES as error:
                    failed.append(_at(case, error))
            _tell(failed)

        one = at_each if inspect.iscoroutinefunction(test) else at_each_at_once
        functools.update_wrapper(one, test)
        one.__signature__ = asked.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return one

    return made


def _at(case: dict[str, Any], error: BaseException) -> BaseException:
    error.add_note(f"at {str(case)[:300]}")
    return error


def _tell(failed: list[BaseException]) -> None:
    if failed:
        raise BaseExceptionGroup("it does not hold everywhere", failed)
