"""The lists' parameters: `search`, `sort`, `direction`, `page` and `size`.

Measured: pages hold ten, a larger `size` is ignored. Our guesses: a smaller one is obeyed; a
`search` compares for equality and its parts must all hold; what can be searched and sorted by are
the fields of the views named here (400 for others, and for a negative page); unsorted lists are
in the order of their identifiers; for a processor of several institutions, the `fullName` of a
person is the deprecated one, which is not an enrolment's.
"""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from issuer.esc_router.sandbox.paging import PAGE_SIZE
from issuer.esc_router.sandbox.refusals import refuse_field

MAX_SEARCHED = 10  # parts of one search


class ListParameters(BaseModel):
    """How a list is asked for."""

    sort: str | None = None
    direction: str = "ASC"
    page: Annotated[int, Query(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"})] = 0
    size: Annotated[
        int, Query(ge=-(2**31), le=2**31 - 1, json_schema_extra={"format": "int32"})
    ] = PAGE_SIZE
    search: str | None = None

    @property
    def descending(self) -> bool:
        """The direction.

        Raises:
            SandboxRefusal: It is neither ASC nor DESC.
        """
        if self.direction.upper() not in ("ASC", "DESC"):
            refuse_field("direction", "it is ASC or DESC")
        return self.direction.upper() == "DESC"

    @property
    def page_size(self) -> int:
        """How many a page holds."""
        return self.size if 1 <= self.size <= PAGE_SIZE else PAGE_SIZE

    def sorted_by(self, keys: frozenset[str], default: str) -> str:
        """What to sort by.

        Raises:
            SandboxRefusal: It is none of the keys.
        """
        if self.sort and self.sort not in keys:
            refuse_field("sort", f"{', '.join(sorted(keys))} can be sorted by")
        return self.sort or default


Listed = Annotated[ListParameters, Query()]


def parse_search(
    text: str | None, keys: frozenset[str], *, prefix: str = ""
) -> dict[str, str] | None:
    """Read `key:value<+>key:value`; a value may hold colons.

    Args:
        text: As in the query; None finds everything.
        keys: What this list can be searched by; another one is refused.
        prefix: May stand before a key.

    Returns:
        Values by key, or None if nothing can be found: of one key two values.
    """
    if not text:
        return {}
    # A plus that was not percent-encoded arrives as a space.
    parts = text.replace("< >", "<+>").split("<+>")
    if len(parts) > MAX_SEARCHED:
        refuse_field("search", f"it has at most {MAX_SEARCHED} parts")
    found: dict[str, str] = {}
    for part in parts:
        key, colon, value = part.removeprefix(prefix).partition(":")
        if not colon or key not in keys:
            refuse_field("search", f"{', '.join(sorted(keys))} can be searched by, as key:value")
        if found.setdefault(key, value) != value:
            return None
    return found
