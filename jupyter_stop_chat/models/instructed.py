"""Which instructions a model is told, before it is asked."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.ports.instructions import Takes
from jupyter_stop_chat.wire.errors import StopChatError

from .building import Models
from .providers import LOCAL


async def takes_instructions(models: Models, model_id: str, owner: str) -> Takes | None:
    """Tell which instructions a model is told; None: it is told none.

    A package's chat handler says so itself, and is built for that; LangChain's models take all,
    and none of its packages is imported.
    """
    provider = model_id.partition(":")[0]
    if await asyncio.to_thread(models.is_ours, provider):
        try:
            handler, _ = await models.resolve(model_id, owner)
        except StopChatError:
            return "all"  # what is wrong with it is said where it is asked
        takes: Takes | None = getattr(handler, "takes_instructions", None)
        return takes
    return "given" if provider == LOCAL else "all"
