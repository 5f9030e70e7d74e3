"""Where a provider lists its models, and with which key it is asked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from .keys import Given
from .providers import COMPATIBLE, OLLAMA, PROVIDERS

#: Where Ollama listens unless it is told otherwise.
OLLAMA_ADDRESS = "http://127.0.0.1:11434"
#: What LangChain's classes call the address that they send a key to, each in its own way.
_ADDRESS = re.compile(r"(?:^|_)(?:base_url|api_base|api_url|endpoint)$")
#: In what else an address may be set, or what is asked otherwise.
_MAY_LEAD_ELSEWHERE = frozenset({"client_options", "http_options", "vertexai", "client"})


@dataclass(frozen=True, slots=True)
class Place:
    """One list of models: its address, and the key that goes there in a header.

    :ivar lasts: it is a provider's, and another one only every now and then.
    """

    url: str
    key: SecretStr | None = None
    header: str = "Authorization"
    lasts: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Return what the request carries besides what each carries."""
        sent = {"anthropic-version": "2023-06-01"} if self.header == "x-api-key" else {}
        if self.key is not None:
            bearer = "Bearer " if self.header == "Authorization" else ""
            sent[self.header] = bearer + self.key.get_secret_value()
        return sent


def place_of(name: str, parameters: Mapping[str, Any], given: Given) -> Place | None:
    """Return where a known provider lists its models; None where it does not.

    :param parameters: the administrator's, for this provider.
    :param given: what the person gave, as far as that counts.
    """
    known = PROVIDERS[name]
    if name == OLLAMA:
        return Place(f"{_ollama_address(parameters).rstrip('/')}/api/tags")
    if name == COMPATIBLE:
        address, key = parameters.get("base_url"), _secret(parameters.get("api_key"))
        if not address:
            address, key = given.base_url, given.key
        return Place(f"{address.rstrip('/')}/models", key) if address else None
    address = address_of(name, parameters)
    if address is None:
        return None
    found = (value for at, value in parameters.items() if value and at.endswith("api_key"))
    there = (os.environ.get(each) for each in known.keys)
    key = _secret(next(found, None)) or _secret(next(filter(None, there), None)) or given.key
    url = f"{address.rstrip('/')}{known.lists}"
    return Place(url, key, known.header, lasts=True)


def trial_of(name: str, parameters: Mapping[str, Any], given: Given) -> Place | None:
    """Return where a key that is being given can be tried, at no cost; None: nowhere."""
    place = place_of(name, parameters, given)
    if place is None or given.key is None:
        return None
    url = place.url.removesuffix(PROVIDERS[name].lists) + PROVIDERS[name].tries
    return replace(place, key=given.key, url=url if PROVIDERS[name].tries else place.url)


def address_of(name: str, parameters: Mapping[str, Any]) -> str | None:
    """Return where a provider answers: where the settings or the environment say, or its own.

    None where it lists no models, or where what the settings say is no plain address: a key that
    is for elsewhere must not go to the provider.
    """
    known = PROVIDERS[name]
    if known.api is None or any(parameters.get(each) for each in _MAY_LEAD_ELSEWHERE):
        return None
    set_up = [value for at, value in parameters.items() if value and _ADDRESS.search(at)]
    if set_up:
        address = parameters.get("base_url") or set_up[0]
        return address if isinstance(address, str) else None
    there = (os.environ.get(each) for each in known.addresses)
    return next(filter(None, there), known.api)


def _ollama_address(parameters: Mapping[str, Any]) -> str:
    """Find Ollama as its own client does: by the settings, by `OLLAMA_HOST`, by its port."""
    address = parameters.get("base_url") or os.environ.get("OLLAMA_HOST")
    if not isinstance(address, str) or not address.strip():
        return OLLAMA_ADDRESS
    address = address.strip().replace("0.0.0.0", "127.0.0.1")
    if "://" not in address:
        address = f"http://{address}"
    host = address.split("://", 1)[1]
    return address if ":" in host.rpartition("]")[2] or "/" in host else f"{address}:11434"


def _secret(key: object) -> SecretStr | None:
    if isinstance(key, str):
        key = SecretStr(key)
    return key if isinstance(key, SecretStr) and key.get_secret_value() else None
