"""The lists' parameters: `search`, `page`, `direction`; `size` and `sort` change nothing here."""

from typing import Annotated

from fastapi import Query

from issuer.esc_router.sandbox.refusals import refuse_field

PageParameter = Annotated[int, Query(ge=0, le=2**31 - 1)]  # an int32
DirectionParameter = Annotated[str, Query(pattern="^(?i:asc|desc)$")]


def parse_search(text: str | None, keys: frozenset[str]) -> dict[str, str]:
    """Read `key:value<+>key:value`; a value may hold colons.

    Args:
        text: As in the query; None finds everything.
        keys: What this list can be searched by; another one is refused.
    """
    if not text:
        return {}
    found: dict[str, str] = {}
    # A plus that was not percent-encoded arrives as a space.
    for part in text.replace("< >", "<+>").split("<+>"):
        key, colon, value = part.partition(":")
        if not colon or key not in keys:
            refuse_field("search", f"{', '.join(sorted(keys))} can be searched by, as key:value")
        found[key] = value
    return found
