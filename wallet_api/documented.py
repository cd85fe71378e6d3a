"""Bodies in the OpenAPI document, of routes that read theirs themselves (`openapi_extra`)."""

from collections.abc import Mapping, Sequence
from typing import Any


def json_body(**example: object) -> dict[str, Any]:
    """A JSON object, by an example of its members."""
    return _body("application/json", {"example": example})


def form_body(
    media_type: str, properties: Mapping[str, object], *, required: Sequence[str]
) -> dict[str, Any]:
    """A form, by the JSON schemas of its fields, and those that must be there."""
    schema = {"type": "object", "required": list(required), "properties": properties}
    return _body(media_type, {"schema": schema})


def _body(media_type: str, described: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: described}}}
