"""`/docs`: what the OpenAPI document says, as a page that needs nobody else's script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from analysis.service.context import Caller
from analysis.service.pages.rendering import page

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@ROUTER.get("/docs")
def api(request: Request, _: Caller) -> HTMLResponse:
    """List every route with what it takes."""
    document = request.app.openapi()
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for tag, operation in _operations(document):
        groups.setdefault(tag, []).append(operation)
    return page("api.html.j2", here="/docs", groups=groups)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    schemas = document.get("components", {}).get("schemas", {})
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = {
                "method": method.upper(),
                "path": path,
                "told": operation.get("description", operation.get("summary", "")),
                "takes": [*_parameters(operation), *_body(operation, schemas)],
            }
            yield (operation.get("tags") or ["other"])[0], shown


def _parameters(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in operation.get("parameters", []):
        told = [f"in the {one['in']}", type_of(one.get("schema", {}))]
        yield one["name"], ", ".join([*told, *(["required"] if one.get("required") else [])])


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give name and type of each field of a body; nothing where it is no known one."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    schema = schemas.get(reference.rpartition("/")[2], {})
    required = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        how = "required" if name in required else _default(one)
        yield name, ", ".join(["in the body", type_of(one), *([how] if how else [])])


def type_of(schema: Mapping[str, Any]) -> str:
    """Name a type of JSON Schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    return str(schema.get("format") or schema.get("type", "anything"))


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return "" if default in (None, "", {}) else f"default {default}"
