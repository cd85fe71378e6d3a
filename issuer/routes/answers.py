"""What the routes' answers share: times as text, pages, refusals for the documentation."""

from typing import Annotated, Any, Generic, Self, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from issuer.clock import utc_text
from issuer.problems import PROBLEM_MEDIA_TYPE, Problem
from issuer.store.paging import Page

# Seconds in our rows, text on the wire.
Instant = Annotated[
    int,
    PlainSerializer(utc_text, return_type=str, when_used="json"),
]


class Body(BaseModel):
    """A request's body: unknown members are refused, and a number is not a text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """An answer's body, made from a row."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


Item = TypeVar("Item", bound=Answer)


class PageAnswer(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    total: int = Field(description="Of all pages")
    page: int
    size: int

    @classmethod
    def of(cls, found: Page[Any], items: list[Item]) -> Self:
        """The page that was found, its rows told by `items`."""
        return cls(items=items, total=found.total, page=found.paging.page, size=found.paging.size)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of refusals, for `responses`; those that any request can meet included."""
    content: dict[str, Any] = {
        PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    return {
        status: {"model": Problem, "description": _WHY[status], "content": content}
        for status in sorted({401, 403, 422, 503, *statuses})
    }


def has_copy(request: Request, etags: set[str]) -> bool:
    """Whether the client says that it has one of these (RFC 9110, section 13.1.2)."""
    known = request.headers.get("if-none-match")
    if known is None:
        return False
    its = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return "*" in its or not its.isdisjoint(etags)


class StaffRoute(APIRoute):
    """A route whose answers hold personal data: no cache keeps them."""

    def get_route_handler(self) -> Any:
        """The handler, with its headers added."""
        handle = super().get_route_handler()

        async def handle_without_cache(request: Any) -> Response:
            response: Response = await handle(request)
            response.headers["cache-control"] = "no-store"
            response.headers["x-content-type-options"] = "nosniff"
            return response

        return handle_without_cache


_WHY = {
    401: "No staff key, or one that was ended",
    403: "The key's role does not allow it",
    404: "The institution has no such thing",
    409: "The present state does not allow it",
    413: "The body is too large",
    422: "The request is malformed, or asks for what the rules forbid",
    503: "Try again in a moment",
}
