"""A configuration described as JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from analysis.config.judging import judge_schema
from analysis.config.model import CanaryConfig


def json_schema() -> dict[str, Any]:
    """Describe a configuration as JSON Schema, for editors."""
    schema = CanaryConfig.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    parts = schema["$defs"]
    parts["JudgeSettings"] = judge_schema()
    _with_presets(schema, parts)
    return schema


def _with_presets(schema: dict[str, Any], parts: dict[str, Any]) -> None:
    """Name all presets, and what need not be written where one is taken."""
    from analysis.presets import layers, load

    names = [f"{layer}/{metric}" for layer in layers() for metric in load(layer).metrics]
    layer_names = {"type": "string", "enum": list(layers())}
    parts["PresetUse"]["properties"]["layer"] |= layer_names
    _name_layers(schema["properties"]["presets"], layer_names)
    metric = parts["Metric"]
    metric["properties"]["preset"] = {
        "description": metric["properties"]["preset"]["description"],
        "type": "string",
        "enum": names,
    }
    # A preset brings a name and a judge, whose parameters may be changed one by one.
    metric["required"] = []
    metric["anyOf"] = [{"required": ["preset"]}, {"required": ["name"]}]
    refined = {"type": "object", "not": {"required": ["kind"]}}
    judge = metric["properties"]["judge"]
    metric["properties"]["judge"] = {"anyOf": [judge, refined]}
    metric["if"] = {"not": {"required": ["preset"]}}
    metric["then"] = {"properties": {"judge": judge}}
    schema["required"] = ["name"]
    schema["anyOf"] = [{"required": ["metrics"]}, {"required": ["presets"]}]


def _name_layers(node: dict[str, Any], layer_names: dict[str, Any]) -> None:
    """Put the names of layers wherever a text may stand."""
    inner = [*node.get("anyOf", ()), *([node["items"]] if "items" in node else [])]
    for one in inner:
        if one.get("type") == "string":
            one.update(layer_names)
        _name_layers(one, layer_names)
