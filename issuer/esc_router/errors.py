"""What the ESC-Router answers other than success, by what should be done next.

    RouterError
    ├── RouterUnavailable     try again later: no answer, 5xx, 429, or no answer of a router
    ├── RouterRefused         for good: this record must be looked at by staff
    │   ├── RouterUnknown     404: it has no such record
    │   └── RouterConflict    409: it has this record already
    └── RouterKeyRefused      nothing of the institution is accepted until its key is new
        └── RouterAccessDenied  403 SE-0000: the key is not for this organisation or record

Messages are our own sentences with the router's code at most. What the router wrote is left
out: it repeats identifiers and names of students.
"""

import re
from datetime import timedelta
from typing import NoReturn

CARD_UNKNOWN = "ER-0001"
CARD_EXISTS = "ER-0002"
PERSON_EXISTS = "ER-0019"
ACCESS_DENIED = "SE-0000"

# A code that has this form can be repeated to staff; anything else might hold a person's data.
_CODE = re.compile(r"[A-Z]{1,4}-[0-9]{1,6}")

_MEANING = {
    CARD_UNKNOWN: "it has no such record",
    CARD_EXISTS: "it has this card already",
    PERSON_EXISTS: "it has this person at this organisation already",
    ACCESS_DENIED: "another organisation holds this record",
}


class RouterError(Exception):
    """Base of all; never raised itself."""


class RouterUnavailable(RouterError):
    """No usable answer: the same request may succeed later.

    Attributes:
        retry_after: How long the router asks us to wait, if it says so.
    """

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RouterRefused(RouterError):
    """The router understood and said no; the same request will be refused again.

    Attributes:
        status: The HTTP status.
        code: The router's code, or None if it gave none that can be repeated.
    """

    def __init__(self, status: int, code: str | None) -> None:
        meaning = _MEANING.get(code or "", "the record was not accepted")
        super().__init__(f"{code or 'no code'}: {meaning} (status {status})")
        self.status = status
        self.code = code


class RouterUnknown(RouterRefused):
    """The router has no such record."""


class RouterConflict(RouterRefused):
    """The router has this record already."""


class RouterKeyRefused(RouterError):
    """The institution's key was refused, or cannot be a key."""


class RouterAccessDenied(RouterKeyRefused):
    """The key is known, but not for this organisation or this record."""


def code_of(document: object) -> str | None:
    """The `code` of an ApiErrorMessage, if it is one that can be shown and logged."""
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def refuse(status: int, code: str | None) -> NoReturn:
    """Raise the error for a 4xx answer that came from the router itself.

    Raises:
        RouterKeyRefused: 401.
        RouterAccessDenied: 403 with SE-0000.
        RouterUnknown: 404.
        RouterConflict: 409.
        RouterRefused: Any other.
    """
    if status == 401:
        raise RouterKeyRefused("the router does not accept the institution's key (status 401)")
    if status == 403 and code == ACCESS_DENIED:
        raise RouterAccessDenied("SE-0000: the router denies access with this key (status 403)")
    if status == 404:
        raise RouterUnknown(status, code)
    if status == 409:
        raise RouterConflict(status, code)
    raise RouterRefused(status, code)
