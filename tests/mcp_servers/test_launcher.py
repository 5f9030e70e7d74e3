"""What makes a server's messages short, and models' names of tools."""

from __future__ import annotations

import json
from typing import Any

from jupyter_stop_chat.mcp_servers.launcher import MOST_DATA, MOST_TEXT, shortened
from jupyter_stop_chat.mcp_servers.offered import Schemas, names_of, offered


def _answer(*content: Any) -> Any:
    message = {"jsonrpc": "2.0", "id": 7, "result": {"content": list(content)}}
    made = shortened(message)
    assert made is not None
    assert made["id"] == 7
    return made["result"]["content"]


def test_a_long_answer_is_cut_and_says_so() -> None:
    """N5: its texts together, its pictures together; the order stays."""
    text = {"type": "text", "text": "x" * MOST_TEXT}
    resource = {"type": "resource", "resource": {"uri": "file:///a", "text": "y" * 10}}
    picture = {"type": "image", "mimeType": "image/png", "data": "z" * (MOST_DATA // 2 + 1)}
    made = _answer(text, resource, picture, picture, {"type": "text", "text": "w"}, 3)
    assert made[0] == text
    assert made[1]["resource"]["text"].endswith("10 more characters were left out.]")
    assert [each["type"] for each in made] == ["text", "resource", "image", "text", "text"]
    assert "too large" in made[3]["text"]


def test_of_what_is_cut_only_what_is_known_is_left() -> None:
    """N5: what else stands in a part would cost who reads it as much; links stay."""
    more = {"x": [[]] * 9, "annotations": {"a": []}}
    picture = {"type": "image", "mimeType": "image/png", "data": "z"}
    link = {"type": "resource_link", "uri": "https://example.org/p", "name": "paper"}
    blob = {"type": "resource", "resource": {"uri": "file:///a", "mimeType": "x/y", "blob": "z"}}
    made = _answer(
        {**picture, **more}, {**link, **more}, {**blob, **more}, {"type": "odd", **more}
    )
    assert made[:3] == [picture, link, blob]
    assert made[3]["text"] == "[Left out, as it is too large: odd.]"
    held = {"content": [], "structuredContent": {"a": ["ü"]}}
    made = shortened({"jsonrpc": "2.0", "id": 7, "result": held})
    assert made is not None
    assert made["result"]["content"] == [{"type": "text", "text": '{"a": ["ü"]}'}]


def test_what_cannot_be_cut_is_an_error_and_news_are_dropped() -> None:
    """N5: who waits for an answer gets one."""
    made = shortened({"jsonrpc": "2.0", "id": 7, "result": {"prompts": ["x" * 9]}})
    assert made is not None
    assert made["error"]["message"] == "The answer is too large."
    assert shortened({"jsonrpc": "2.0", "method": "notifications/message"}) is None


def test_names_are_short_of_allowed_letters_and_never_the_same() -> None:
    """N8: also where two servers spell theirs almost alike, and none is one of ours."""
    asked = [("a b", "t"), ("a_b", "t"), ("x" * 80, "t"), ("x" * 80, "u"), ("read", "file")]
    names = names_of(asked, taken=["read__file"])
    assert names[0] == "a_b__t"
    assert len(set(names)) == 5
    assert "read__file" not in names
    assert all(len(each) <= 64 for each in names)
    assert names == names_of(asked, taken=["read__file"])


def test_an_edition_changes_with_every_word() -> None:
    """N8: also with those that are cut before anybody reads them."""
    tool = {"name": "t", "description": "d" * 5000, "inputSchema": {"type": "object"}}
    others = [
        {**tool, "description": "d" * 5000 + "!"},
        {**tool, "inputSchema": {"type": "object", "description": "x"}},
        {**tool, "annotations": {"readOnlyHint": True}},
    ]
    editions = {offered("s", "uvx s", [each])[0].edition for each in (tool, *others)}
    editions |= {offered("s", "uvx other", [tool])[0].edition}
    assert len(editions) == 5


def test_schemas_are_made_anew_and_stay_small() -> None:
    """N16: references are put in place, to a depth; what would take for ever is left out."""
    many = [{"$ref": f"#/$defs/{each}"} for each in ("b", "b")]
    defs = {"a": {"anyOf": many}, "b": {"allOf": [{"$ref": "#/$defs/a"}] * 2}}
    schema = {
        "type": "object",
        "$defs": {**defs, "color": {"type": "string", "enum": ["red", "blue"]}},
        "properties": {
            "c": {"$ref": "#/$defs/color", "description": "Which."},
            "endless": {"$ref": "#/$defs/a"},
            "remote": {"$ref": "https://example.org/schema.json"},
            "p": {"type": "string", "pattern": "^(a+)+$", "minLength": 2},
        },
        "required": ["c"],
        "additionalProperties": False,
    }
    made = Schemas(schema).parameters()
    color = {"type": "string", "enum": ["red", "blue"], "description": "Which."}
    assert made["properties"]["c"] == color
    assert made["properties"]["p"] == {"type": "string", "minLength": 2}
    assert (made["required"], made["additionalProperties"]) == (["c"], False)
    assert len(json.dumps(made)) < 100_000
    assert "$ref" not in json.dumps(made)
    # No number that is none in JSON, no sign that nobody sees, no name that is cut to another.
    odd = {"type": "number", "minimum": float("nan"), "maximum": float("inf"), "default": 10**400}
    hidden = {"enum": ["a", "b\u200b", "\ud800"], "const": "\u202ex"}
    properties = {
        "n": {**odd, "enum": [1, float("-inf")]},
        "t": hidden,
        "x\u200b": {},
        "y" * 201: {},
    }
    odd = {"properties": properties, "required": ["n", "x\u200b", "z" * 201]}
    made = Schemas(odd).parameters()
    assert made["properties"] == {"n": {"type": "number", "enum": [1]}, "t": {"enum": ["a"]}}
    assert made["required"] == ["n"]
    for broken in (None, [], {"properties": 3}, {"type": "string"}, {"required": "x"}):
        assert Schemas(broken).parameters()["type"] == "object"


def test_arguments_whose_names_not_every_provider_takes_are_left_out() -> None:
    """N15: at each depth; a tool that needs one of them cannot be called."""
    inner = {"type": "object", "properties": {"ö": {}, "o": {}}, "required": ["ö", "o"]}
    properties = {"größe": {}, "a b": {}, "x" * 65: {}, "": {}, "a.b-c_1": {}, "in": inner}
    schema = {"type": "object", "properties": properties, "required": ["a.b-c_1"]}
    (tool,) = offered("s", "x", [{"name": "t", "inputSchema": schema}])
    assert set(tool.parameters["properties"]) == {"a.b-c_1", "in"}
    assert set(tool.parameters["properties"]["in"]["properties"]) == {"o"}
    assert tool.parameters["properties"]["in"]["required"] == ["o"]
    assert tool.unfit == ("größe", "a b", "x" * 65, "", "ö")
    assert tool.can_be_called
    (tool,) = offered("s", "x", [{"name": "t", "inputSchema": {**schema, "required": ["größe"]}}])
    assert not tool.can_be_called
    many = {"properties": {f"ü{n}": {} for n in range(100)}}
    assert len(offered("s", "x", [{"name": "t", "inputSchema": many}])[0].unfit) == 20


def test_what_is_offered_of_a_server_stays_short() -> None:
    """N15, N16: a few lines that are said a thousand times by references, and very many tools."""
    hint = {"type": "string", "description": "d" * 500, "title": "t" * 500}
    references = {f"p{n}": {"$ref": "#/$defs/a"} for n in range(500)}
    schema = {"$defs": {"a": hint}, "properties": references}
    told = [{"name": f"t{n}", "inputSchema": schema} for n in range(4000)]
    made = offered("s", "x", told)
    assert all(len(json.dumps(each.parameters)) < 60_000 for each in made)
    assert 5 < len(made) < 40
    assert sum(len(json.dumps(each.parameters)) for each in made) <= 400_000
    assert len(offered("s", "x", [{"name": f"t{n}"} for n in range(4000)])) == 512
