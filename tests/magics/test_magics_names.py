"""What of a prompt is filled in, and what is code that a person has pasted."""

from __future__ import annotations

import re

import pytest

from jupyter_stop_chat.magics.names import fill_in

NAMES = {"name": "Ada", "data": "1, 2", "n": 3, "token": "sk-1"}


@pytest.mark.parametrize(
    "prompt",
    [
        "Authorization: Bearer {token}",
        "Why is this refused?\nAuthorization: Bearer {token}\nHost: {name}",
        "Bearer\u00a0{token}",
        "X-Api-Key: {token}",
        "Cookie: sid {token}",
        "token: {token}",
        "TOKEN: {token}",
        "users:\n  - name: {name}\n    password: {token}",
        '"token": {token}',
        "[section]\nToken {token}",
        "API_KEY= {token}",
        "curl -H Authorization: {token} https://example.org",
        "client --token {token} run",
        "docker run -e {token} image",
        "$ login {token}",
        ">>> {token}",
        "git clone {name} {token}",
        "ENV TOKEN {token}",
        "GET /users {token}",
        "https://example.org/ {token}",
        "SELECT * FROM {name} WHERE a",
        "insert into {name} values",
        "log.info(Bearer, {token})",
        "fetch(url, {token})",
        "from a import {name}",
        "lambda x: {n}",
        "// with {token}",
        "/* {token} */",
        "In [1]: {token}",
        "throw {token}",
        "{% if x %} {name} {% endif %}",
        "a \\frac {n} {n}",
        "a <b> {name} </b>",
    ],
)
def test_what_looks_like_pasted_code_is_left(prompt: str) -> None:
    """P2: nobody plainly named a value there; the cell says which names were left."""
    filled = fill_in(prompt, NAMES)
    assert filled.text == prompt
    assert filled.names == {}
    assert "Left as it stands, as code: " in filled.note


@pytest.mark.parametrize(
    "prompt",
    [
        "Explain {data}.",
        "What is {n} squared?",
        "{data}",
        "{data}\n\nSummarise it.",
        "Question: {data}",
        "Name: {name}\nAge: {n}",
        "Translate this to French: {data}",
        "- a letter for {name}\n- about {data}",
        "1. {data}",
        "> {data}",
        "# About {name}",
        "Fix the error in this function(s) for {name}: {data}",
        "Does it cost $5, or {n}?",
        'He said "hi" to {name}, 5 - {n} times; why?',
        "Write to {name} (aged {n}), please!",
        "from {n} to {n}",
        "For {name}: {n:.2f} {{name}} {nobody} {'a': 1} $name",
    ],
)
def test_what_is_a_sentence_is_filled_in(prompt: str) -> None:
    """P2."""
    filled = fill_in(prompt, NAMES)
    expected = prompt
    for name, value in NAMES.items():
        expected = re.sub(rf"(?<!\{{)\{{{name}\}}", str(value), expected)
    assert filled.text == expected


def test_a_value_is_not_looked_into() -> None:
    """P1: what was filled in is no prompt."""
    assert fill_in("See {name}.", {"name": "{token}", "token": "sk-1"}).text == "See {token}."


def test_signs_that_are_used_while_reading_fill_in_nothing() -> None:
    """P2: a prompt that has them is sent as it stands."""
    for sign in ("\ufdd0", "\ufdd1", "\ufdd2"):
        prompt = f"`{sign}0{sign}` and `{{token}}` {sign}"
        assert fill_in(prompt, NAMES).text == prompt
