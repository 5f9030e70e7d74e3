"""Whose a chat is."""

from __future__ import annotations

from jupyter_server.auth.identity import IdentityProvider, LegacyIdentityProvider, User
from jupyter_server.auth.login import LegacyLoginHandler

#: What Jupyter Server's authorizer is asked about.
AUTH_RESOURCE = "jupyter_stop_chat:chats"
#: The one owner of a server whose usernames are random for each connection.
ONE_OWNER = "server"

#: What an identity provider has to make its own to say who somebody is.
_WHO = (
    "get_user",
    "_get_user",
    "get_user_cookie",
    "get_user_token",
    "user_from_cookie",
    "generate_anonymous_user",
    "process_login_form",
)


def owner_of(provider: IdentityProvider, user: User) -> str:
    """Return the owner of what a user makes.

    With Jupyter Server's own identity providers three connections with one token are three
    random usernames, so such a server has one owner.
    """
    return f"user:{user.username}" if knows_people(provider) else ONE_OWNER


def knows_people(provider: IdentityProvider) -> bool:
    """Tell whether a provider knows who somebody is, and not only whether they may come in.

    A class of one's own that changes something else, as the token, names people at random still.
    """
    if isinstance(provider, LegacyIdentityProvider):
        asked = getattr(provider.login_handler_class, "get_user", None)
        default = LegacyLoginHandler.get_user
        if getattr(asked, "__func__", asked) is not getattr(default, "__func__", default):
            return True
    return any(_is_own(type(provider), name) for name in _WHO)


def _is_own(kind: type[IdentityProvider], name: str) -> bool:
    method = getattr(kind, name, None)
    return method is not None and method.__module__ != IdentityProvider.__module__


def display_name(user: User) -> str:
    """Return a user's name for their own page."""
    return user.display_name or user.name or user.username
