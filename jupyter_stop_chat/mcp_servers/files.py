"""A person's own file of servers, and which tools are switched off: in the extension's folder."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_stop_chat.settings.private_file import alone, stamp_of, write_anew

from .config import ConfigError, servers_in

log = logging.getLogger(__name__)

_VERSION = 1
#: A longer file is none of ours, in bytes.
_LONGEST = 4 * 1024 * 1024
#: A server, and its own name for a tool.
Tool = tuple[str, str]


def own_file(folder: Path, owner: str, one_owner: str) -> Path:
    """Return where somebody's servers stand.

    It is `mcp.json`, where the folder is one person's: of a server that does not know people, and
    of a JupyterHub's, which is one person's. Else it has the person's name.
    """
    user = os.environ.get("JUPYTERHUB_USER")
    if owner in {one_owner, f"user:{user}"}:
        return folder / "mcp.json"
    return folder / f"mcp-{quote(owner.removeprefix('user:'), safe='')}.json"


def read_own(path: Path) -> dict[str, Any]:
    """Return what a person's file says; nothing where there is none. Blocks.

    :raises ConfigError: it cannot be read.
    """
    try:
        # What is none could be waited for for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError("It is no file.")
        with path.open("rb") as file:
            raw = file.read(_LONGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError:
        raise ConfigError("The file cannot be read.") from None
    if len(raw) > _LONGEST:
        raise ConfigError("The file is larger than 4 MB.")
    return servers_in(raw)


class Switches:
    """What remembers which tools each person has switched off.

    :param path: of the file; what is damaged in it counts for nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: The file's stamp, and what was in it: put in place together, as several threads look.
        self._held: tuple[object, dict[str, frozenset[Tool]]] = (None, {})
        self._writing = threading.Lock()

    def off(self, owner: str) -> frozenset[Tool]:
        """Return what somebody has switched off. Blocks."""
        stamp = stamp_of(self._path)
        if stamp != self._held[0]:
            self._held = (stamp, self._read())
        return self._held[1].get(owner, frozenset())

    def switch(self, owner: str, tool: Tool, *, on: bool) -> None:
        """Keep that a tool is on or off. Blocks.

        :raises OSError: it cannot be kept.
        """
        with self._writing, alone(self._path):
            known = self._read()
            before = known.get(owner, frozenset())
            known[owner] = before - {tool} if on else before | {tool}
            lines = [
                {"owner": each, "server": server, "tool": name}
                for each, tools in sorted(known.items())
                for server, name in sorted(tools)
            ]
            write_anew(self._path, {"version": _VERSION, "off": lines})
            self._held = (object(), known)

    def _read(self) -> dict[str, frozenset[Tool]]:
        try:
            with self._path.open("rb") as file:
                held = json.loads(file.read(_LONGEST))
            lines = held["off"] if held["version"] == _VERSION else []
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            log.warning("the file of switched off tools is not read: %s", type(error).__name__)
            return {}
        found: dict[str, frozenset[Tool]] = {}
        for line in lines if isinstance(lines, list) else []:
            match line:
                case {"owner": str(owner), "server": str(server), "tool": str(tool)}:
                    found[owner] = found.get(owner, frozenset()) | {(server, tool)}
        return found
