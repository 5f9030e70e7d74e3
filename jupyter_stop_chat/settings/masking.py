"""Keys in settings: kept so that no print-out of the settings shows them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import SecretStr
from traitlets import TraitError, TraitType
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigList, DeferredConfigString

from jupyter_stop_chat.wire.secrets import SECRET_NAME


def mask(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Wrap what is secret by its name, however deep, so that its `repr` shows nothing."""
    return {name: _masked(str(name), value) for name, value in parameters.items()}


def reveal(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Take the wrapping off, for whoever really needs the secrets."""
    return {name: _revealed(value) for name, value in parameters.items()}


def secrets_in(parameters: Mapping[str, Any]) -> list[str]:
    """List the secrets, to take them out of what others say."""
    found: list[str] = []
    for value in mask(parameters).values():
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif isinstance(value, Mapping):
            found.extend(secrets_in(value))
    return [secret for secret in found if secret]


def mask_config(config: Config, section: str, trait: TraitType[Any, Any]) -> None:
    """Mask one setting in a configuration, in place, however it was given.

    :param section: the class that the setting belongs to.
    :param trait: the setting, a dictionary.
    """
    settings = config.get(section, {})
    value = settings.get(trait.name)
    if isinstance(value, DeferredConfigString | DeferredConfigList):  # from the command line
        with suppress(TraitError, ValueError):
            value = value.get_value(trait)
    if isinstance(value, Mapping):
        settings[trait.name] = mask(value)
    elif isinstance(value, str | list | tuple):  # a wrong value, and no less secret
        settings[trait.name] = SecretStr(repr(value))


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return mask(value)
    return SecretStr(value) if isinstance(value, str) and SECRET_NAME.search(name) else value


def _revealed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return reveal(value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value
