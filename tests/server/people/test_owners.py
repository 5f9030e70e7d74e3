"""Whose a chat is, by what the server's identity provider knows."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
    User,
)
from jupyter_server.auth.login import LegacyLoginHandler

from jupyter_stop_chat.server.owners import ONE_OWNER, owner_of


class OtherToken(IdentityProvider):
    def _token_default(self) -> str:
        return "fixed"

    def get_token(self, handler: Any) -> str | None:
        return super().get_token(handler)


class OtherPassword(PasswordIdentityProvider):
    def passwd_check(self, password: str) -> bool:
        return super().passwd_check(password)


class OtherOrigin(OtherToken):
    def should_check_origin(self, handler: Any) -> bool:
        return True


class Named(IdentityProvider):
    def get_user(self, handler: Any) -> User | None:
        return User("alice")


class NamedByCookie(IdentityProvider):
    def get_user_cookie(self, handler: Any) -> User | None:
        return User("alice")


class NamedByForm(PasswordIdentityProvider):
    def process_login_form(self, handler: Any) -> User | None:
        return User("alice")


class NamedBelow(Named):
    """Nothing of its own."""


class NamedLogin(LegacyLoginHandler):
    @classmethod
    def get_user(cls, handler: Any) -> str:
        return "alice"


class SameLogin(LegacyLoginHandler):
    """Another page, and the same people."""


@pytest.mark.parametrize(
    "kind",
    [
        IdentityProvider,
        PasswordIdentityProvider,
        LegacyIdentityProvider,
        OtherToken,
        OtherPassword,
        OtherOrigin,
    ],
)
def test_a_provider_that_names_nobody_has_one_owner(kind: type[IdentityProvider]) -> None:
    """Each login is another random name, and the chats stay."""
    provider = kind()
    assert (
        owner_of(provider, User("random-1")) == owner_of(provider, User("random-2")) == ONE_OWNER
    )


@pytest.mark.parametrize("kind", [Named, NamedByCookie, NamedByForm, NamedBelow])
def test_a_provider_that_names_people_has_an_owner_for_each(kind: type[IdentityProvider]) -> None:
    assert owner_of(kind(), User("alice")) == "user:alice"


def test_a_login_page_of_the_old_kind_is_asked_as_well() -> None:
    named = LegacyIdentityProvider(login_handler_class=NamedLogin)
    assert owner_of(named, User("alice")) == "user:alice"
    same = LegacyIdentityProvider(login_handler_class=SameLogin)
    assert owner_of(same, User("random")) == ONE_OWNER
