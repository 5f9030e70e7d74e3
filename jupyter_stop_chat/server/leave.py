"""Who may stop everyone's replies: whose they are all, and whom the authorizer lets do it."""

from __future__ import annotations

import logging

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import ensure_async

from .owners import knows_people

log = logging.getLogger(__name__)

#: What an authorizer is asked about before one person stops what is everyone's.
EVERYONE_RESOURCE = "jupyter_stop_chat:everyone"
#: The attribute in which an authorizer names resources that it was written to decide on.
DECIDES_ON = "decides_on"


async def may_stop_everyone(handler: JupyterHandler) -> bool:
    """Ask the authorizer whether who asks may stop everyone's replies.

    Where people have names, it has to say that it knows what it is asked. Those that allow
    whatever a person who may come in asks for, as Jupyter Server's own and JupyterHub's, would
    else grant it to everybody by accident.
    """
    authorizer = handler.authorizer
    if knows_people(handler.identity_provider):
        named = getattr(authorizer, DECIDES_ON, ())
        if isinstance(named, str) or EVERYONE_RESOURCE not in named:
            log.info(
                "nobody may stop everyone's replies: %s does not name %s in its `%s`",
                *(type(authorizer).__name__, EVERYONE_RESOURCE, DECIDES_ON),
            )
            return False
    user = handler.current_user
    may = authorizer.is_authorized(handler, user, "execute", EVERYONE_RESOURCE)
    return bool(await ensure_async(may))
