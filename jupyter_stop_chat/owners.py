"""Whose a chat is."""

from __future__ import annotations

from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
    User,
)

#: What Jupyter Server's authorizer is asked about.
AUTH_RESOURCE = "jupyter_stop_chat:chats"
#: The one owner of a server whose usernames are random for each connection.
ONE_OWNER = "server"

#: They know whether someone may come in, and not who it is.
_NAMELESS = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)


def owner_of(provider: IdentityProvider, user: User) -> str:
    """Return the owner of what a user makes.

    With Jupyter Server's own identity providers three connections with one token are three
    random usernames, so such a server has one owner.
    """
    return ONE_OWNER if type(provider) in _NAMELESS else f"user:{user.username}"


def display_name(user: User) -> str:
    """Return a user's name for their own page."""
    return user.display_name or user.name or user.username
