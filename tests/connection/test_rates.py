"""How often somebody may ask, and how much somebody may hold open."""

from __future__ import annotations

import pytest

from jupyter_stop_chat.connection import rates
from jupyter_stop_chat.connection.rates import Bucket, Held, Rates


def test_a_bucket_gives_what_it_holds_and_then_what_comes_in() -> None:
    now = [100.0]
    bucket = Bucket(8.0, 3, lambda: now[0])  # eighths of a second are exact
    assert [bucket.take() for _ in range(3)] == [0.0] * 3
    assert bucket.take() == 0.125
    assert bucket.wait == 0.125, "asking costs nothing"
    now[0] += 0.0625
    assert bucket.take() == 0.0625
    now[0] += 0.0625
    assert bucket.take() == 0.0
    assert bucket.take() > 0
    assert not bucket.full
    now[0] += 1000
    assert bucket.full
    assert sum(bucket.take() == 0.0 for _ in range(10)) == 3, "it holds no more than that"


def test_a_rate_of_nought_is_none() -> None:
    bucket = Bucket(0.0, 0)
    assert not any(bucket.take() for _ in range(1000))
    assert bucket.full


def test_each_owner_has_a_bucket_and_full_ones_are_let_go_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    kept = Rates(lambda: Bucket(1.0, 2, lambda: now[0]))
    assert [kept.take("anna"), kept.take("anna"), kept.take("ben")] == [0.0] * 3
    assert kept.take("anna") == 1.0
    assert kept.take("ben") == 0.0
    monkeypatch.setattr(rates, "MANY_BUCKETS", 3)
    kept.take("cleo")
    now[0] += 1.5
    kept.take("dora")
    assert set(kept._buckets) == {"anna", "ben", "dora"}, "cleo's is as good as new"
    assert kept.take("anna") == 0.0
    assert kept.take("anna") > 0.0


def test_each_owner_holds_so_many() -> None:
    held = Held()
    one, two, three = object(), object(), object()
    assert held.take("anna", one, 2)
    assert held.take("anna", two, 2)
    assert not held.take("anna", three, 2)
    assert held.take("ben", three, 2)
    held.drop("anna", three)
    assert not held.take("anna", three, 2), "it was not hers"
    held.drop("anna", one)
    assert held.take("anna", three, 2)
    assert len(held) == 3
    for owner, thing in (("anna", two), ("anna", three), ("ben", three), ("ben", three)):
        held.drop(owner, thing)
    assert len(held) == 0
    assert held._held == {}
    assert all(held.take("anna", object(), 0) for _ in range(50)), "no limit"
