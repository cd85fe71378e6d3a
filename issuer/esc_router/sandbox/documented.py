"""What the published document says of an operation beyond its parameters and its views.

The sandbox describes itself with it at `/openapi.json`, and a test compares the two. An operation
answers only with what the document lists for it; where that cannot be, a comment says so.
"""

from typing import Any, Final

from fastapi import FastAPI

from issuer.esc_router.sandbox.views import ApiErrorMessage

Responses = dict[int | str, dict[str, Any]]

_MEANING: Final = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Entity not found",
    409: "Entity already exists",
    500: "Unexpected error",
}
_ERROR: Final = {"$ref": "#/components/schemas/ApiErrorMessage"}
# The document shows the header only for some of the operations that need a key, and names
# another one, `api_key`, as its security scheme. Both are read for all of them.
WITH_AUTHORIZATION: Final[dict[str, Any]] = {
    "parameters": [
        {
            "in": "header",
            "name": "Authorization",
            "description": "Oauth access token",
            "required": True,
            "content": {
                "text/plain": {"schema": {"type": "string", "example": "Bearer [Api token]"}}
            },
        }
    ]
}


def refusals(*statuses: int, media_types: tuple[str, ...] = ("application/json",)) -> Responses:
    """The refusals of an operation, each an `ApiErrorMessage` in these media types."""
    content = {media_type: {"schema": _ERROR} for media_type in media_types}
    return {
        # The model puts the schema among the document's components.
        status: {"description": _MEANING[status], "model": ApiErrorMessage}
        if media_types == ("application/json",)
        else {"description": _MEANING[status], "content": content}
        for status in statuses
    }


class DescribedApp(FastAPI):
    """An application that describes what it answers: malformed requests with 400, never 422."""

    def openapi(self) -> dict[str, Any]:
        """The description, as FastAPI derives it, without answers that are never given."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        described = super().openapi()
        for operations in described["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)
        for unused in ("HTTPValidationError", "ValidationError"):
            described["components"]["schemas"].pop(unused, None)
        return described
