"""Paths as a model writes them, and which of them a person is asked about each time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fnmatch import translate
from typing import Any

from jupyter_stop_chat.ports.tools import Call, ToolError

LONGEST = 1000
#: Names of files and folders that hold keys, and of settings that say what programs do or run.
_APART = (
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.ppk", "*.jks", "*.keystore", "*.kdbx", "*.gpg"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "authorized_keys", "known_hosts"),
    *("*credential*", "*secret*", "*password*", "*passwd*", "*api_key*", "*apikey*", "*api-key*"),
    *("token", "token.*", "tokens.*", "*_token", "*_token.*", "*_tokens.*", "*.token"),
    *("*.env", "env.sh", "service[-_]account*.json", "kubeconfig*", "*htpasswd*", "_netrc"),
    *("pgpass.conf", "*.rdp", "*.ovpn", "terraform.tfstate*", "*.tfvars"),
    *("mcp.json", "mcp_*.json", "mcp-*.json", "*_mcp.json", "*_mcp_*.json", "*.mcp.json"),
    *("jupyter_*config*", "ipython_*config*", "*.jupyterlab-settings", "page_config.json"),
    *("overrides.json", "overrides.json5", "kernel.json"),
)


_NAMED_APART = re.compile("|".join(map(translate, _APART)))
#: What parts names: Windows takes both slashes, and a colon before a drive or a stream.
_BETWEEN = re.compile(r"[/\\:]")


def path_of(call: Call, args: Mapping[str, Any], name: str = "path") -> str:
    """Return the path that a model names, from the server's root.

    :param name: of the argument; the document that the person had open stands for an empty one.
    :raises ToolError: it is none, or leads out of the root.
    """
    path = plain(str(args.get(name) or call.path or ""))
    if not path:
        raise ToolError("Say which document: give its path, from the server's root.")
    return path


def plain(path: str) -> str:
    """Return a path without what means nothing in it; empty for the root.

    :raises ToolError: it is none, or leads out of the root.
    """
    if len(path) > LONGEST or any(each < " " or each == "\x7f" for each in path):
        raise ToolError("This is no path of a file.")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if any(part == ".." for part in path.replace("\\", "/").split("/")):
        raise ToolError("A path begins at the server's root and does not leave it.")
    return "/".join(parts)


def is_apart(path: str) -> bool:
    """Tell whether a path is of a dot file, of settings or of keys, on any disk.

    Some take letters for the same that look alike, pass over what is not seen, and leave out dots
    and blanks at a name's end.
    """
    if not path.isascii():
        path = "".join(each for each in path if unicodedata.category(each) != "Cf")
        path = unicodedata.normalize("NFKC", path)
    return any(
        part.startswith(".") or _NAMED_APART.match(part.rstrip(". ")) is not None
        for part in _BETWEEN.split(path.casefold())
    )
