"""The bearer token of a request (RFC 6750, section 2.1): one reading of it for all services."""

import re

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]{1,512})")


def parse_bearer(header: str) -> str | None:
    """The token in an Authorization header, or None if there is none of at most 512 characters."""
    match = _BEARER.fullmatch(header)
    return None if match is None else match[1]
