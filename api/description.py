"""The API's description as FastAPI makes it, with what FastAPI leaves out: nulls in examples, and what every body can be answered."""

from typing import Any

from fastapi import FastAPI

from api.problems import described

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
            for operation in operations(document):
                if "requestBody" in operation:
                    operation["responses"].setdefault("413", described("The body is larger than any that is wanted"))
        return document


def operations(document: Schema) -> list[Schema]:
    return [operation for path in document["paths"].values() for operation in path.values()]


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
