"""A child process with every bad habit, which speaks as the real one does.

The first argument is what it does at its start, the prompt what it does with a request.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def hang() -> None:
    while True:
        time.sleep(3600)


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def crash(number: int) -> None:
    print("the reason, in the log", file=sys.stderr, flush=True)
    os._exit(3)


def half_a_line(number: int) -> None:
    write('{"type": "te')
    os._exit(0)


def then_hang(bad: Callable[[int], object]) -> Callable[[int], None]:
    def habit(number: int) -> None:
        bad(number)
        hang()

    return habit


HABITS: dict[str, Callable[[int], None]] = {
    "crash": crash,
    "half a line": half_a_line,
    "garbage": then_hang(lambda number: write("llama_model_loader: loaded\n")),
    "endless line": then_hang(lambda number: write("x" * (3 << 20))),
    "a list": then_hang(lambda number: write("[1]\n")),
    "unknown id": then_hang(lambda number: say(type="text", id=999, text="", output_tokens=0)),
    "unknown type": then_hang(lambda number: say(type="surprise", id=number)),
    "wrong types": then_hang(
        lambda number: say(type="text", id=number, text=5, output_tokens="many")
    ),
    "wrong count": then_hang(lambda number: say(type="done", id=number, output_tokens="many")),
    "close": then_hang(lambda number: os.close(1)),
    "too long": lambda number: say(type="error", id=number, reason="context_too_long"),
    "fail": lambda number: say(type="error", id=number, reason="failed"),
}


def answer(message: dict[str, Any]) -> None:
    """Do what the prompt says; what it does not know keeps it busy until it is cancelled."""
    number = message["id"]
    said = message["messages"]
    prompt = said[-1]["content"] if said[-1]["role"] == "user" else said[-2]["content"]
    say(type="reading", id=number, input_tokens=7)
    say(type="text", id=number, text="one ", output_tokens=1)
    if prompt == "answer":
        say(type="reasoning", id=number, text="hm", output_tokens=2)
        say(type="text", id=number, text="two", output_tokens=4)
        say(type="done", id=number, reason="stop", input_tokens=7, output_tokens=5)
    elif prompt == "repeat":
        text = json.dumps([said, message["parameters"]])
        say(type="text", id=number, text=text, output_tokens=2)
        say(type="done", id=number, reason="stop", input_tokens=7, output_tokens=2)
    elif prompt in HABITS:
        HABITS[prompt](number)


def main() -> None:
    habit = sys.argv[1]
    load = json.loads(sys.stdin.readline())
    assert load["type"] == "load"
    assert load["protocol"] == 1
    if habit == "dies":
        print("died of a bad start", file=sys.stderr)
        sys.exit(4)
    if habit == "never ready":
        hang()
    if habit == "other protocol":
        say(type="ready", protocol=2, context=8192)
        hang()
    if habit == "speaks first":
        say(type="text", id=1, text="hello", output_tokens=1)
        hang()
    if habit in ("bad_model", "missing_package"):
        say(type="failed", reason=habit)
        return
    say(type="ready", protocol=1, context=8192)
    if habit == "stubborn":
        hang()
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "generate":
            answer(message)
        elif habit != "deaf":
            say(type="cancelled", id=message["id"])


if __name__ == "__main__":
    main()
