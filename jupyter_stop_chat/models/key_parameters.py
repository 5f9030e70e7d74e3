"""Keys among the parameters that a model is built with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from jupyter_stop_chat.wire.pasted import meant_key


def clean_key(names: tuple[str, ...], parameters: Mapping[str, Any]) -> dict[str, SecretStr]:
    """Return the key without what stands around it, where the settings or the environment have it.

    :param names: of the environment's variables.
    :raises StopChatError: `invalid_key`, when it cannot be in a header.
    """
    key = parameters.get("api_key")
    if isinstance(key, SecretStr):
        key = key.get_secret_value()
    if key is None and not any(name.endswith("api_key") for name in parameters):
        key = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if not isinstance(key, str) or key == (meant := meant_key(key)):
        return {}
    return {"api_key": SecretStr(meant)}


def gives_key(parameters: Mapping[str, Any] | None) -> bool:
    """Tell whether parameters make a key in the environment unnecessary."""
    return any(
        value and (name.endswith("api_key") or name == "base_url")
        for name, value in (parameters or {}).items()
    )
