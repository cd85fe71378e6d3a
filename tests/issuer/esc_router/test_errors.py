import pytest

from issuer.esc_router.errors import (
    RouterAccessDenied,
    RouterBusy,
    RouterConflict,
    RouterError,
    RouterFailed,
    RouterForbidden,
    RouterGone,
    RouterInvalid,
    RouterKeyRefused,
    RouterRefused,
    RouterUnavailable,
    RouterUnknown,
    code_of,
    refuse,
)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"code": 7},
        {"code": "urn:schac:personalUniqueCode:int:esi:lv:1"},
        {"code": "ER-0001 Jānis"},
    ],
)
def test_what_is_not_a_code_is_not_repeated(document: object) -> None:
    assert code_of(document) is None


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, None, RouterKeyRefused),
        (401, "ER-0002", RouterKeyRefused),
        (403, "SE-0000", RouterAccessDenied),
        (400, "SE-0000", RouterAccessDenied),
        (403, "ER-0007", RouterForbidden),
        (403, None, RouterForbidden),
        (404, "ER-0001", RouterUnknown),
        (404, None, RouterUnknown),
        (400, "ER-0001", RouterUnknown),
        (410, None, RouterGone),
        (409, "ER-0002", RouterConflict),
        (409, None, RouterConflict),
        (400, "ER-0002", RouterConflict),
        (400, "ER-0019", RouterConflict),
        (400, None, RouterInvalid),
        (422, "ER-0042", RouterInvalid),
        (418, None, RouterRefused),
    ],
)
def test_each_refusal_says_what_to_do_next(
    status: int, code: str | None, expected: type[RouterError]
) -> None:
    with pytest.raises(RouterError) as raised:
        refuse(status, code)
    assert type(raised.value) is expected


def test_a_reason_names_code_meaning_and_status() -> None:
    with pytest.raises(RouterRefused, match=r"^ER-0042: the record was not accepted \(status 400"):
        refuse(400, "ER-0042")


@pytest.mark.parametrize(
    ("error", "wider"),
    [
        (RouterGone, RouterUnknown),
        (RouterUnknown, RouterRefused),
        (RouterConflict, RouterRefused),
        (RouterInvalid, RouterRefused),
        (RouterForbidden, RouterRefused),
        (RouterAccessDenied, RouterKeyRefused),
        (RouterBusy, RouterUnavailable),
        (RouterFailed, RouterUnavailable),
    ],
)
def test_who_waits_for_the_wider_error_gets_the_narrower(
    error: type[RouterError], wider: type[RouterError]
) -> None:
    assert issubclass(error, wider)


def test_somebody_who_was_anonymised_is_not_called_unknown() -> None:
    with pytest.raises(RouterGone, match="anonymised there"):
        refuse(410, None)
