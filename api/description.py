"""The API's description as FastAPI makes it, with what FastAPI leaves out: nulls in examples."""

from typing import Any

from fastapi import FastAPI

Schema = dict[str, Any]


class Described(FastAPI):
    """FastAPI drops every null from its description, and so from examples what may be null but has to be there."""

    def openapi(self) -> Schema:
        made_before = self.openapi_schema is not None
        document: Schema = super().openapi()
        if not made_before:
            schemas = document["components"]["schemas"]
            for schema in schemas.values():
                if "example" in schema:
                    restore_nulls(schema["example"], schema, schemas)
        return document


def restore_nulls(example: Any, schema: Schema, schemas: dict[str, Schema]) -> None:
    """Puts what is required, and is not there, into an example; ``schemas`` are those that ``schema`` refers to."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    elif "anyOf" in schema:
        schema = next((one for one in schema["anyOf"] if one.get("type") != "null"), {})
        restore_nulls(example, schema, schemas)
        return
    if isinstance(example, list):
        for one in example:
            restore_nulls(one, schema.get("items", {}), schemas)
    elif isinstance(example, dict):
        for name, inner in schema.get("properties", {}).items():
            if name in example:
                restore_nulls(example[name], inner, schemas)
            elif name in schema.get("required", ()):
                example[name] = None
