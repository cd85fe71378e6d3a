"""What the ESC-Router answers other than success, by what should be done next.

    RouterError
    ├── RouterUnavailable     try again later: no answer, or no answer of a router
    │   ├── RouterBusy        429, or 503 with Retry-After: it limits the institution's rate
    │   └── RouterFailed      5xx: it says that it failed itself
    ├── RouterRefused         for good: this record must be looked at by staff
    │   ├── RouterInvalid     400, 422: what was sent has a fault
    │   ├── RouterForbidden   403 without SE-0000
    │   ├── RouterUnknown     404 or ER-0001: it has no such record
    │   │   └── RouterGone    410: it had this person, who was anonymised
    │   └── RouterConflict    409, ER-0002 or ER-0019: it has this record already
    └── RouterKeyRefused      401: nothing of the institution is accepted until its key is new
        └── RouterAccessDenied  SE-0000: the key is not for this organisation or record

The codes ER-0001, ER-0002, ER-0019 and SE-0000, and the status 410, are in no document: they were
seen in the field, where clients go by the code whatever the status is, and so do we. Messages are
our own sentences with the router's code at most. What the router wrote is left out: it repeats
identifiers and names of students.
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


class RouterBusy(RouterUnavailable):
    """The router takes no more requests of ours for now."""


class RouterFailed(RouterUnavailable):
    """The router, or what stands before it, says that it failed or that we were too slow."""


class RouterRefused(RouterError):
    """The router understood and said no; the same request will be refused again.

    Attributes:
        status: The HTTP status.
        code: The router's code, or None if it gave none that can be repeated.
    """

    _otherwise = "the record was not accepted"

    def __init__(self, status: int, code: str | None) -> None:
        meaning = _MEANING.get(code or "", self._otherwise)
        super().__init__(f"{code or 'no code'}: {meaning} (status {status})")
        self.status = status
        self.code = code


class RouterInvalid(RouterRefused):
    """The router finds a fault in what was sent."""


class RouterForbidden(RouterRefused):
    """The router does not allow it, for a reason that it does not name."""

    _otherwise = "it is not allowed"


class RouterUnknown(RouterRefused):
    """The router has no such record."""

    _otherwise = "it has no such record"


class RouterGone(RouterUnknown):
    """The router had this person, whose data were taken out; the identifier cannot come back."""

    _otherwise = "the person was anonymised there"


class RouterConflict(RouterRefused):
    """The router has this record already."""

    _otherwise = "it has this record already"


class RouterKeyRefused(RouterError):
    """The institution's key was refused, or cannot be a key."""


class RouterAccessDenied(RouterKeyRefused):
    """The key is known, but not for this organisation or this record."""


_BY_CODE: dict[str | None, type[RouterRefused]] = {
    CARD_UNKNOWN: RouterUnknown,
    CARD_EXISTS: RouterConflict,
    PERSON_EXISTS: RouterConflict,
}
_BY_STATUS: dict[int, type[RouterRefused]] = {
    400: RouterInvalid,
    403: RouterForbidden,
    404: RouterUnknown,
    409: RouterConflict,
    410: RouterGone,
    422: RouterInvalid,
}


def code_of(document: object) -> str | None:
    """The `code` of an ApiErrorMessage, if it is one that can be shown and logged."""
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def refuse(status: int, code: str | None) -> NoReturn:
    """Raise the error for a 4xx answer that came from the router itself.

    Raises:
        RouterKeyRefused: 401.
        RouterAccessDenied: SE-0000.
        RouterRefused: Any other, as the subclass of its code or else of its status.
    """
    if status == 401:
        raise RouterKeyRefused("the router does not accept the institution's key (status 401)")
    if code == ACCESS_DENIED:
        raise RouterAccessDenied(
            f"SE-0000: the router denies access with this key (status {status})"
        )
    raise _BY_CODE.get(code, _BY_STATUS.get(status, RouterRefused))(status, code)
