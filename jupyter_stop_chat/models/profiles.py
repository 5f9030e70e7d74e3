"""What LangChain's packages say of their models, read without importing them.

A package takes a second or more to import, and a model is known by its name alone before it is
built: each package has a file of plain data for that.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from .kept import Takes
from .providers import PROVIDERS

log = logging.getLogger(__name__)

#: Where a package has it, since LangChain 1.1.
_FILE = Path("data", "_profiles.py")


class Profiles:
    """What packages say of their models."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, Any]] = {}

    def of(self, provider: str, name: str, parameters: Mapping[str, Any]) -> Takes:
        """Tell what a model takes. Blocks at the first question about a package.

        :param parameters: what it would be built with; a profile that is given there counts.
        """
        if given := parameters.get("profile"):
            return takes_of(given)
        if provider not in PROVIDERS:
            return None, None, None
        package = PROVIDERS[provider].package
        if package not in self._known:
            try:
                self._known[package] = _read(package)
            except Exception as error:  # noqa: BLE001 - it is another's file, and spoils no list
                log.warning("what %s says of its models: %s", package, type(error).__name__)
                self._known[package] = {}
        return takes_of(self._known[package].get(name))


def takes_of(profile: object) -> Takes:
    """Tell what a model takes by its profile, which may be anything."""
    if not isinstance(profile, Mapping):
        return None, None, None
    size = profile.get("max_input_tokens")
    told = [profile.get(name) for name in ("image_inputs", "tool_calling")]
    sees, calls = [each if isinstance(each, bool) else None for each in told]
    return (size if type(size) is int and 0 < size < 2**53 else None), sees, calls


def _read(package: str) -> Mapping[str, Any]:
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / _FILE
        if file.is_file() and (data := spec_from_file_location(f"{package} profiles", file)):
            module = module_from_spec(data)
            assert data.loader is not None
            data.loader.exec_module(module)
            profiles = module._PROFILES
            return profiles if isinstance(profiles, Mapping) else {}
    return {}
