"""Generate the frames' TypeScript types from the models in `jupyter_stop_chat.wire`.

    python scripts/generate_protocol.py           write labextension/src/wire/protocol/
    python scripts/generate_protocol.py --check   exit with 1 when it is not what it should be

The pydantic models become one JSON schema, which json-schema-to-typescript (a development
dependency of the labextension) turns into types: the frames of a client, those of the server, and
the objects inside them, each in a file of their own. Two rules of the wire are put into the
schema: a server drops the fields that are null, so such a field is absent and never null there;
and a client may leave out what has a default.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from jupyter_stop_chat.wire import tools
from jupyter_stop_chat.wire.client_frames import ClientFrame
from jupyter_stop_chat.wire.objects import PROTOCOL_VERSION
from jupyter_stop_chat.wire.server_frames import ServerFrame

ROOT = Path(__file__).resolve().parent.parent
LABEXTENSION = ROOT / "labextension"
TARGET = LABEXTENSION / "src" / "wire" / "protocol"
CLI = LABEXTENSION / "node_modules" / "json-schema-to-typescript" / "dist" / "src" / "cli.js"
HEADER = """\
/*
 * {what}
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */
"""
#: What each file holds.
FILES = {
    "objects": "The objects inside the frames of the wire contract.",
    "tools": "The objects of tool calls inside them.",
    "client": "The frames that a client sends.",
    "server": "The frames that the server sends.",
    "index": "The frames of the wire contract, both ways, and the objects inside them.",
}
#: A declaration of the generated module, with the comment above it.
DECLARATION = re.compile(
    r"(?:/\*\*\n(?: \*[^\n]*\n)+)?export (?:type|interface) (?P<name>\w+)\b.*?"
    r"(?=^(?:/\*\*|export )|\Z)",
    re.DOTALL | re.MULTILINE,
)


class ToolMissing(Exception):
    """What says in one sentence what must be installed first."""


def _union(annotated: Any) -> list[type[BaseModel]]:
    """Return the members of a discriminated union of frames."""
    return list(get_args(get_args(annotated)[0]))


def _is_of_tools(kind: object) -> bool:
    """Tell whether something is an object that the room of tool calls describes."""
    return getattr(kind, "__module__", None) == tools.__name__ and isinstance(kind, type)


def _without_null(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Take null out of a field's schema; tell whether it was there."""
    options = schema.get("anyOf", [])
    rest = [option for option in options if option.get("type") != "null"]
    if len(rest) == len(options):
        return schema, False
    kept = {key: value for key, value in schema.items() if key != "anyOf"}
    kept.update(rest[0] if len(rest) == 1 else {"anyOf": rest})
    return kept, True


def _plain(schema: Any, top: bool = False) -> Any:
    """Drop what TypeScript cannot say, or says badly: lengths, patterns, titles of fields."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"minItems", "maxItems", "default", "pattern", "propertyNames", "discriminator"}
    if not top:
        dropped = dropped | {"title"}
    plain = {key: value for key, value in schema.items() if key not in dropped}
    for key, value in plain.items():
        if key in {"properties", "patternProperties"}:
            plain[key] = {name: _plain(field) for name, field in value.items()}
        else:
            plain[key] = _plain(value)
    patterns = plain.pop("patternProperties", None)
    if patterns:  # a dictionary whose keys are ids
        plain["additionalProperties"] = next(iter(patterns.values()))
    return plain


def _references(schema: Any, definitions: dict[str, Any], found: set[str]) -> set[str]:
    """Collect the names of all the definitions that a schema is made of."""
    if isinstance(schema, list):
        for item in schema:
            _references(item, definitions, found)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in found:
            found.add(name)
            _references(definitions[name], definitions, found)
        for value in schema.values():
            _references(value, definitions, found)
    return found


def make_schema() -> dict[str, Any]:
    """Make one JSON schema of all frames, both ways, and of the objects inside them."""
    client, server = _union(ClientFrame), _union(ServerFrame)
    _, whole = models_json_schema(
        [(model, "validation") for model in (*client, *server)],
        ref_template="#/definitions/{model}",
    )
    definitions: dict[str, Any] = whole["$defs"]
    from_clients = {model.__name__ for model in client}
    _references([definitions[name] for name in from_clients], definitions, from_clients)
    for name, definition in definitions.items():
        properties = definition.get("properties")
        if properties is None or name in from_clients:
            continue
        required = []
        for field, schema in properties.items():
            properties[field], nullable = _without_null(schema)
            if not nullable:
                required.append(field)
        definition["required"] = required
    definitions = {name: _plain(schema, top=True) for name, schema in definitions.items()}
    for name, models in (("ClientFrame", client), ("ServerFrame", server)):
        definitions[name] = {
            "title": name,
            "anyOf": [{"$ref": f"#/definitions/{model.__name__}"} for model in models],
        }
    return {
        "title": "Frame",
        "description": "Any frame, either way.",
        "anyOf": [
            {"$ref": "#/definitions/ClientFrame"},
            {"$ref": "#/definitions/ServerFrame"},
        ],
        "definitions": definitions,
    }


def make_types() -> dict[str, str]:
    """Return the text of each TypeScript module, by its name.

    :raises ToolMissing: if Node.js or the labextension's packages are not installed.
    """
    homes = {
        model.__name__: home
        for home, union in (("client", ClientFrame), ("server", ServerFrame))
        for model in _union(union)
    }
    homes |= {name: "tools" for name, kind in vars(tools).items() if _is_of_tools(kind)}
    homes |= {"ClientFrame": "client", "ServerFrame": "server", "Frame": "index"}
    bodies: dict[str, list[str]] = {name: [] for name in FILES}
    names: dict[str, list[str]] = {name: [] for name in FILES}
    for found in DECLARATION.finditer(_generate()):
        home = homes.get(found["name"], "objects")
        bodies[home].append(found[0].strip("\n"))
        names[home].append(found["name"])
    bodies["index"] += [
        "\n".join(f"export * from './{home}';" for home in FILES if home != "index"),
        "/** Raised when a frame changes its meaning. */\n"
        f"export const PROTOCOL_VERSION = {PROTOCOL_VERSION};",
    ]
    return {name: _module(name, bodies[name], names) for name in FILES}


def _module(name: str, body: list[str], names: dict[str, list[str]]) -> str:
    """Put a module together: what it is, what it imports, what it declares."""
    text = "\n\n".join(body) + "\n"
    used = set(re.findall(r"\w+", re.sub(r"/\*.*?\*/|'[^']*'", "", text, flags=re.DOTALL)))
    imports = [
        f"import {{ {', '.join(sorted(used.intersection(names[home])))} }} from './{home}';"
        for home in FILES
        if home != name and used.intersection(names[home])
    ]
    lines = "".join(f"{line}\n" for line in imports)
    return HEADER.format(what=FILES[name]) + "\n" + (f"{lines}\n" if lines else "") + text


def _generate() -> str:
    """Have all the types made, as one module."""
    node = shutil.which("node")
    if node is None:
        raise ToolMissing("Node.js is not installed, and it makes the TypeScript types.")
    if not CLI.exists():
        raise ToolMissing(
            "The labextension's packages are not installed: run `jlpm install` in labextension/."
        )
    return subprocess.run(
        [
            node,
            str(CLI),
            "--no-additionalProperties",
            "--unreachableDefinitions",
            "--style.singleQuote",
            "--bannerComment",
            "",
        ],
        input=json.dumps(make_schema()),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=LABEXTENSION,
    ).stdout


def main(argv: list[str] | None = None) -> int:
    """Write the types, or check them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 on drift")
    arguments = parser.parse_args(argv)
    try:
        wanted = make_types()
    except ToolMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    if not arguments.check:
        TARGET.mkdir(exist_ok=True)
        for name, text in wanted.items():
            (TARGET / f"{name}.ts").write_text(text, encoding="utf-8")
        return 0
    found = {path.stem: path.read_text(encoding="utf-8") for path in TARGET.glob("*.ts")}
    if found == wanted:
        return 0
    print("labextension/src/wire/protocol/ has drifted from jupyter_stop_chat/wire/.")
    print("Run `python scripts/generate_protocol.py`.")
    for name in sorted({*found, *wanted}):
        before, after = (texts.get(name, "").splitlines(True) for texts in (found, wanted))
        print("".join(difflib.unified_diff(before, after, f"{name}.ts", f"{name}.ts", n=1)))
    return 1


if __name__ == "__main__":
    sys.exit(main())
