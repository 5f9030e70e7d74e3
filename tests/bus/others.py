"""Processes that reach each other, and what they heard: for tests of what reaches them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from jupyter_stop_chat.bus.redis import RedisPeers
from jupyter_stop_chat.ports.peers import Asked, News, NotReachedError, Question
from tests.conftest import PATIENCE


class FakeEngine:
    """What is asked, told and flagged, and notes it.

    :ivar hold: while it is set, nothing is answered.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.questions: list[Question] = []
        self.news: list[tuple[str, News]] = []
        self.flagged: list[str] = []
        self.missed = 0
        self.free = asyncio.Event()
        self.free.set()
        self._changed = asyncio.Event()

    async def answer(self, question: Question) -> str:
        self.questions.append(question)
        self._note()
        await self.free.wait()
        return f"{self.name} answers {question.frame}"

    def hear(self, owner: str, news: News) -> None:
        self.news.append((owner, news))
        self._note()

    def stop_flagged(self, message_id: str) -> None:
        self.flagged.append(message_id)
        self._note()

    def may_have_missed(self) -> None:
        self.missed += 1
        self._note()

    def _note(self) -> None:
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true of what was noted."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._changed.clear()
                await self._changed.wait()


class FakeBeside:
    """A slower way to others, and how often it was taken.

    :ivar reaches: those whom it reaches, by their ids; they are opened by themselves.
    """

    interval = 0.1
    tells = False

    def __init__(self, reaches: dict[str, Asked] | None = None) -> None:
        self.on_reach: Callable[[bool], None] = lambda reached: None
        self.reaches = {} if reaches is None else reaches
        self.asked: list[Question] = []
        self.flags: set[str] = set()
        self.looks = 0
        self.heard: Asked | None = None
        self.closed = False

    async def open(self, asked: Asked) -> None:
        self.heard = asked

    async def close(self) -> None:
        self.closed = True

    async def ask(self, process: str, question: Question, patience: float) -> str:
        self.asked.append(question)
        if process not in self.reaches:
            raise NotReachedError
        return await self.reaches[process].answer(question)

    async def look(self, making: Any) -> None:
        self.looks += 1

    async def flag_stop(self, message_id: str) -> None:
        self.flags.add(message_id)

    def unflag_stop(self, message_id: str) -> None:
        self.flags.discard(message_id)

    def tell(self, owner: str, news: News) -> None:
        raise AssertionError("nobody is told that way")

    def attend(self, owner: str, attended: bool) -> None:
        raise AssertionError("nobody is heard that way")

    def health(self) -> None:
        return None


class Process:
    """One process: what reaches others, its engine, and how it was told that it reaches them."""

    def __init__(self, peers: RedisPeers, engine: FakeEngine, beside: FakeBeside) -> None:
        self.peers = peers
        self.engine = engine
        self.beside = beside
        self.reached: list[bool] = []
        self._told = asyncio.Event()
        peers.on_reach = self._note

    def _note(self, reached: bool) -> None:
        self.reached.append(reached)
        self._told.set()

    async def up(self) -> None:
        """Return when it hears others."""
        missed = self.engine.missed
        await self.engine.until(lambda: self.is_up or self.engine.missed > missed)

    async def told(self, *reached: bool) -> None:
        """Return when it was told that it reaches others so."""
        async with asyncio.timeout(PATIENCE):
            while self.reached != list(reached):
                self._told.clear()
                await self._told.wait()

    @property
    def is_up(self) -> bool:
        health = self.peers.health()
        return health is not None and bool(health["reachable"])
