"""A part of a document (RFC 9110, section 14): one range of bytes, or none."""

import re

from fastapi import Request

_RANGE = re.compile(r"bytes=\s*(\d{0,15})-(\d{0,15})\s*")


class NoSuchRange(Exception):
    """The range begins after the end of the document (416)."""


def wanted_range(request: Request, *, size: int, etag: str) -> range | None:
    """Which bytes the client asks for; None for all.

    What is not one range of bytes is passed over, as section 14.2 allows, and so is a range of
    another version than this one (If-Range, section 13.1.5).

    Args:
        request: Of the client.
        size: Of the document, in bytes.
        etag: Of the document, strong.

    Raises:
        NoSuchRange: There is none of the bytes.
    """
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or request.headers.get("if-range", etag) != etag:
        return None
    first, last = found.groups()
    if first == "" and last == "":
        return None
    if first == "":
        wanted = range(max(size - int(last), 0), size)
    elif last and int(last) < int(first):
        return None
    else:
        wanted = range(int(first), min(int(last) + 1, size) if last else size)
    if not wanted:
        raise NoSuchRange(f"the document has {size} bytes")
    return wanted
