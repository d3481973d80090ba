"""The API described on one plain page, from its own OpenAPI document; nothing is fetched from elsewhere."""

from __future__ import annotations

from typing import Any

from dashboards.dom import Node, h, to_html
from dashboards.theme import plain_page


def docs_page(document: dict[str, Any]) -> str:
    """HTML of all operations with their parameters and bodies."""
    schemas = document.get("components", {}).get("schemas", {})
    sections = [
        _operation(method, path, operation, schemas)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    head = [
        h("h1", "API"),
        h("p", "Times are ISO 8601 UTC. Off loopback, send ", h("code", "Authorization: Bearer TOKEN"), ". ",
          h("a", "The same as OpenAPI", href="/api/openapi.json"), class_="lede"),
    ]  # fmt: skip
    return plain_page("API of overheard", to_html(h("article", head, sections)))


def _operation(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Node:
    given = [(p["name"], p["in"], p.get("required", False), _type(p.get("schema", {})), p.get("description", ""))
             for p in operation.get("parameters", [])]  # fmt: skip
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    for field, schema in schemas.get(name, {}).get("properties", {}).items():
        required = field in schemas[name].get("required", [])
        given.append((field, "body", required, _type(schema), schema.get("description", "")))
    rows = [
        h("tr", h("th", n, scope="row"), h("td", where, class_="words"), h("td", kind, class_="words"),
          h("td", "required" if required else "optional", class_="words"), h("td", said, class_="words"))
        for n, where, required, kind, said in given
    ]  # fmt: skip
    table = h("div", h("table", h("tbody", rows), class_="figures"), class_="scroll") if rows else None
    title = h("h2", h("code", f"{method.upper()} {path}"))
    return h("section", title, h("p", operation.get("summary", ""), class_="quiet"), table, class_="panel")


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " or ".join(_type(s) for s in schema["anyOf"] if s.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", ""))
