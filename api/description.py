"""The API's description as FastAPI makes it, with what FastAPI leaves out: nulls in examples, examples of parameters, and
what every body can be answered.
"""

from datetime import UTC, date, datetime
from typing import Any

from fastapi import FastAPI

from api.problems import described

Schema = dict[str, Any]


class Described(FastAPI):
    """FastAPI drops every null from its description, and so from examples what may be null but has to be there."""

    made_on: date | None = None
    """The UTC day on which it was made: some examples lie ahead of that day, and so it is made anew on another one."""

    def openapi(self) -> Schema:
        today = datetime.now(UTC).date()
        if self.made_on != today:
            self.made_on, self.openapi_schema = today, None
        made_before = self.openapi_schema is not None
        document: Schema = super().openapi()
        if not made_before:
            schemas = document["components"]["schemas"]
            for schema in schemas.values():
                if "example" in schema:
                    restore_nulls(schema["example"], schema, schemas)
            for operation in operations(document):
                for parameter in operation.get("parameters", ()):
                    parameter["example"] = example_of(parameter, schemas)
                if "requestBody" in operation:
                    operation["responses"].setdefault("413", described("The body is larger than any that is wanted"))
        return document


ID = "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11"
EXAMPLES: dict[str, Any] = {
    "consultation_id": ID,
    "recording_id": "5f1f4d4e-53b5-4f0c-8a43-90a5b4f0c2aa",
    "training_id": ID,
    "invite_id": "7c0b86a0-52f1-4f0e-a0e3-3c9f6a1d2b44",
    "material_id": "7c0b86a0-52f1-4f0e-a0e3-3c9f6a1d2b44",
    "handoff_id": "7c0b86a0-52f1-4f0e-a0e3-3c9f6a1d2b44",
    "item_id": "2f7d9a40-8c1b-4c53-9d0e-6b1f0e7a5c88",
    "customer_id": "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
    "agent_id": "3e7a1f0c-2b4d-4c1e-9f60-1a2b3c4d5e6f",
    "since": "2025-03-01T00:00:00Z",
    "until": "2025-04-01T00:00:00Z",
    "q": 'speaker:customer "do not consent" date:2025-03',
    "cursor": "WyIyMDI1LTAzLTAzVDE1OjAwOjAwWiIsIDFd",
    "what": "recording_disclosed",
    "after": 1042,
    "idempotency-key": "click-6f1d3c1a",
    "verbatim-reason": "The customer asks what was said about the deductible.",
    "Range": "bytes=0-65535",
}
"""Of parameters, by their name, where neither a default nor a list of values is one."""


def example_of(parameter: Schema, schemas: dict[str, Schema]) -> Any:
    """What a parameter can be: raises KeyError where nobody has said."""
    schema = parameter["schema"]
    named = next((one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"), schema)
    if "$ref" in named:
        named = schemas[named["$ref"].rpartition("/")[2]]
    if parameter["name"] not in EXAMPLES and "enum" in named:
        return named["enum"][0]
    return schema["default"] if "default" in schema else EXAMPLES[parameter["name"]]


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
