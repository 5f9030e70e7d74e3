"""Find what is wrong with the settings, so that nothing runs with others than were meant.

traitlets only warns of a name that it does not know, and Jupyter Server goes on when an extension
could not read its settings. Either would open what an administrator closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.application import JupyterApp
from traitlets import Container, TraitError, TraitType
from traitlets.config import Config, Configurable
from traitlets.config.loader import (
    DeferredConfig,
    JSONFileConfigLoader,
    LazyConfigValue,
    PyFileConfigLoader,
)

from .kinds import BusUrl
from .mcp import McpServersByName

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_LOADERS = {".py": PyFileConfigLoader, ".json": JSONFileConfigLoader}
#: The longest value that is quoted in the log.
_MOST_SHOWN = 60


class SettingsError(TraitError):
    """What says what is wrong with the settings."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("; ".join(self.faults))


def faults_in(app: Configurable, config: Config, secret: Iterable[str]) -> Iterator[str]:
    """Find the settings of a class that are unknown, or that have a wrong value.

    :param app: whose settings; none of them is changed.
    :param secret: the settings whose values are not to be repeated.
    """
    section = type(app).__name__
    traits = app.traits(config=True)
    yield from _misnamed_sections(section, config)
    own = config.get(section, {}) if section in config else {}
    for name in own:
        if name not in traits and not isinstance(own[name], Config):
            yield f"there is no {section}.{name}{_meant(name, traits)}"
    for name, value in app._find_my_config(config).items():
        if name in traits and not _is_right(app, traits[name], value):
            shown = "" if name in secret else f", not {_shown(value)}"
            trait = traits[name]
            why = trait.why(value) if isinstance(trait, BusUrl | McpServersByName) else None
            told = f" ({why})" if why else ""
            yield f"{section}.{name} must be {words_of(trait)}{shown}{told}"


def unread_files_of(server: ServerApp) -> Iterator[str]:
    """Find such files of a server and of all its extensions."""
    for app in (server, *chain.from_iterable(server.extension_manager.extension_apps.values())):
        yield from unread_files(app)


def unread_files(app: JupyterApp) -> Iterator[str]:
    """Find the configuration files of an application that are there and could not be read.

    Jupyter logs an error and goes on without all that they say. Files that say nothing are not
    among those that it has read either, so whatever is not is tried once more.
    """
    read = {Path(each).resolve() for each in app.loaded_config_files}
    stems = dict.fromkeys(["jupyter_config", app.config_file_name])
    for folder in dict.fromkeys(app.config_file_paths):
        for stem in stems:
            for suffix, loader in _LOADERS.items():
                path = Path(folder) / f"{stem}{suffix}"
                if not stem or not path.is_file() or path.resolve() in read:
                    continue
                try:
                    loader(path.name, path=str(path.parent)).load_config()
                except Exception as error:  # noqa: BLE001 - it is the file's own code
                    yield f"{path} could not be read ({type(error).__name__})"


def _misnamed_sections(section: str, config: Config, *, nested: bool = False) -> Iterator[str]:
    for name, value in config.items():
        if not isinstance(value, Config):
            continue
        if name == section and not nested:
            continue
        if get_close_matches(name.casefold(), [section.casefold()], cutoff=0.8):
            yield f"{name} is no section that is read here (is c.{section} meant?)"
        else:
            yield from _misnamed_sections(section, value, nested=True)


def _meant(name: str, traits: Iterable[str]) -> str:
    close = get_close_matches(name, list(traits), n=1)
    return f" (is {close[0]} meant?)" if close else ""


def _is_right(app: Configurable, trait: TraitType[Any, Any], value: Any) -> bool:
    try:
        if isinstance(value, LazyConfigValue):
            value = deepcopy(value).get_value(getattr(app, str(trait.name)))
        elif isinstance(value, DeferredConfig):
            value = value.get_value(trait)
        trait._validate(app, deepcopy(value))
    except Exception:  # noqa: BLE001 - whatever a trait raises, it does not take the value
        return False
    return True


def words_of(trait: TraitType[Any, Any]) -> str:
    """Say what a setting may be."""
    inner = getattr(trait, "_trait", None)
    if isinstance(trait, Container) and inner is not None:
        return f"a list, each {inner.info()}"
    words = trait.info()
    return f"{words} or None" if trait.allow_none and "None" not in words else words


def _shown(value: Any) -> str:
    text = repr(str(value) if isinstance(value, DeferredConfig) else value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
