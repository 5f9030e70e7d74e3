"""The HTTP route of the server's health."""

from __future__ import annotations

from jupyter_stop_chat.wire.http import BusHealth, EngineHealth, Health, StoreHealth

from .base import StopChatHandler
from .openapi import Operation


class HealthHandler(StopChatHandler):
    """The handler of `health`."""

    unlimited = True

    @Operation("health", "read", Health)
    async def get(self) -> None:
        """Return the health of the engine, the store and the bus.

        Nothing in it is a path or a name.
        """
        services = await self.services()
        engine, store = services.engine, services.store.health()
        others = (engine.peers.health() if engine.peers is not None else None) or {}
        late = others.get("reachable") is False
        self.answer(
            Health(
                status="degraded" if store["degraded"] or late else "ok",
                engine=EngineHealth(
                    generations=len(engine.running()),
                    runaway=engine.runaway,
                    epoch=engine.epoch,
                ),
                store=StoreHealth(
                    journal_mode=store["journal_mode"],
                    search=store["search"],
                    backlog=store["backlog"],
                    degraded=store["degraded"],
                    reason=store["reason"],
                    set_aside=len(store["set_aside"]),
                ),
                bus=BusHealth(listeners=engine.bus.listeners, **others),
            )
        )
