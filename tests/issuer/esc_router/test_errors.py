import pytest

from issuer.esc_router.errors import (
    RouterAccessDenied,
    RouterConflict,
    RouterError,
    RouterKeyRefused,
    RouterRefused,
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
        (403, "SE-0000", RouterAccessDenied),
        (403, "ER-0007", RouterRefused),
        (404, "ER-0001", RouterUnknown),
        (409, "ER-0002", RouterConflict),
        (400, None, RouterRefused),
        (422, "ER-0042", RouterRefused),
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
