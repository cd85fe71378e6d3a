"""Each operation against what is no answer, and on the wire: over real HTTP on loopback."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from issuer.card_qr import QrColours, QrOrientation, QrSize
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import (
    RouterAccessDenied,
    RouterFailed,
    RouterForbidden,
    RouterGone,
    RouterInvalid,
    RouterKeyRefused,
    RouterUnavailable,
)
from issuer.esc_router.views import CsvOperation, PersonOutcome, PersonUpdateView
from tests.issuer.esc_router.wire import ESCN, ESI, OCTETS, PIC, SVG, Connect, Router, picture

Operation = Callable[[EscRouterClient], object]
# Each with the media type of its good answer.
OPERATIONS: dict[str, tuple[Operation, str]] = {
    "read_person": (lambda c: c.read_person(ESI), "application/json"),
    "delete_person": (lambda c: c.delete_person(ESI), "application/json"),
    "delete_card": (lambda c: c.delete_card(ESCN), "application/json"),
    "list_cards": (lambda c: c.list_cards(), "application/json"),
    "card_status": (lambda c: c.card_status(ESCN), "application/json"),
    "verify": (lambda c: c.verify_card_publicly(ESCN), "application/json"),
    "generate_escn": (lambda c: c.generate_escn(prefix="001", pic=PIC), "application/json"),
    "read_picture": (lambda c: c.read_picture(ESI, PIC), OCTETS),
    "store_picture": (lambda c: c.store_picture(ESI, PIC, picture()), "application/json"),
    "delete_picture": (lambda c: c.delete_picture(ESI, PIC), "application/json"),
    "read_csv_columns": (lambda c: c.read_csv_columns(), "application/json"),
    "validate_csv": (lambda c: c.validate_csv(b"x", CsvOperation.CREATE), "application/json"),
    "draw_qr": (lambda c: c.draw_qr(ESCN), SVG),
    "draw_qr_as_text": (lambda c: c.draw_qr_as_text(ESCN), "text/plain"),
}
PUBLIC = {"card_status", "verify", "generate_escn", "draw_qr", "draw_qr_as_text"}
WITHOUT_DOCUMENT = {"delete_person", "delete_card", "store_picture", "delete_picture"}
every_operation = pytest.mark.parametrize("name", OPERATIONS)


@pytest.fixture
def connect(
    serve: Callable[[Any], str], http: httpx.Client
) -> Callable[[Router], EscRouterClient]:
    return lambda router: EscRouterClient(f"{serve(router)}/esc-rest", "riga-key", http)


@every_operation
def test_a_proxys_page_is_no_answer_to_any_operation(connect: Connect, name: str) -> None:
    page = Router(body=b"<html><svg>secret-student", media_type="text/html")
    with pytest.raises(RouterUnavailable, match="came from something else") as raised:
        OPERATIONS[name][0](connect(page))
    assert "secret-student" not in str(raised.value)


@every_operation
def test_a_body_of_50_mb_is_given_up(connect: Connect, name: str) -> None:
    operation, media_type = OPERATIONS[name]
    huge = Router(body=b" " * 50_000_000, media_type=media_type)
    with pytest.raises(RouterUnavailable, match="larger than"):
        operation(connect(huge))


@every_operation
def test_a_redirect_is_not_followed(connect: Connect, name: str) -> None:
    elsewhere = Router(302, {"location": "http://127.0.0.1:9/"})
    with pytest.raises(RouterUnavailable, match="302, not followed"):
        OPERATIONS[name][0](connect(elsewhere))
    assert len(elsewhere.requests) == 1


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - WITHOUT_DOCUMENT))
def test_an_empty_body_is_no_answer(connect: Connect, name: str) -> None:
    operation, media_type = OPERATIONS[name]
    with pytest.raises(RouterUnavailable, match="empty"):
        operation(connect(Router(media_type=media_type)))


@every_operation
def test_a_router_that_fails_is_asked_again_later(connect: Connect, name: str) -> None:
    operation, media_type = OPERATIONS[name]
    failing = Router(500, body=b'{"code": "", "message": "secret"}', media_type=media_type)
    with pytest.raises(RouterFailed, match="status 500"):
        operation(connect(failing))


@every_operation
def test_a_key_that_is_refused_is_told_apart(connect: Connect, name: str) -> None:
    with pytest.raises(RouterKeyRefused):
        OPERATIONS[name][0](connect(Router(401, media_type="text/html")))


# The document gives an error the media type of the operation's success, real ones are JSON.
@every_operation
@pytest.mark.parametrize("as_documented", [True, False])
def test_the_routers_refusal_is_understood_under_either_media_type(
    connect: Connect, name: str, as_documented: bool
) -> None:
    operation, media_type = OPERATIONS[name]
    refusing = Router(
        400,
        body=b'{"code": "ER-0042", "message": "secret-student"}',
        media_type=media_type if as_documented else "application/json",
    )
    with pytest.raises(RouterInvalid, match="ER-0042") as raised:
        operation(connect(refusing))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - PUBLIC))
def test_access_denied_is_understood(connect: Connect, name: str) -> None:
    denying = Router(403, body=b'{"code": "SE-0000", "message": ""}')
    if name == "read_person":
        assert OPERATIONS[name][0](connect(denying)) is None
    else:
        with pytest.raises(RouterAccessDenied):
            OPERATIONS[name][0](connect(denying))


def test_a_403_without_the_routers_code_is_not_the_keys_fault(connect: Connect) -> None:
    for body in (b"{}", b'{"code": "ER-0099"}'):
        with pytest.raises(RouterForbidden, match="not allowed"):
            connect(Router(403, body=body)).delete_picture(ESI, PIC)


@every_operation
def test_the_key_is_sent_where_the_router_asks_for_it_and_nowhere_else(
    connect: Connect, name: str
) -> None:
    router = Router(500)
    with pytest.raises(RouterUnavailable):
        OPERATIONS[name][0](connect(router))
    sent = router.requests[0].headers.get("authorization")
    assert sent == (None if name in PUBLIC else "Bearer riga-key")


@pytest.mark.parametrize("name", sorted(WITHOUT_DOCUMENT))
def test_success_is_success_whatever_the_router_says_to_it(connect: Connect, name: str) -> None:
    done = Router(201 if name == "store_picture" else 204, media_type=None)
    assert OPERATIONS[name][0](connect(done)) is None


@pytest.mark.parametrize("name", ["delete_person", "delete_card"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_removal_is_not_believed_to_who_only_says_yes(
    connect: Connect, name: str, body: bytes
) -> None:
    with pytest.raises(RouterUnavailable, match="removal with status 200"):
        OPERATIONS[name][0](connect(Router(200, body=body)))


def test_somebody_who_was_anonymised_is_not_there(connect: Connect) -> None:
    gone = Router(410, body=b'{"code": "ER-0030", "message": ""}')
    router = connect(gone)
    assert router.read_person(ESI) is None
    assert router.read_picture(ESI, PIC) is None
    router.delete_person(ESI)
    with pytest.raises(RouterGone):
        router.store_picture(ESI, PIC, picture())


@pytest.mark.parametrize("body", [b"[]", b'{"cardNumber": "first"}', b'{"cardNumber": [1]}'])
def test_columns_that_are_no_map_to_positions_are_no_answer(connect: Connect, body: bytes) -> None:
    with pytest.raises(RouterUnavailable, match="another form"):
        connect(Router(body=body)).read_csv_columns()


@pytest.mark.parametrize("status", [200, 400])
def test_faults_of_a_file_are_told_row_by_row(connect: Connect, status: int) -> None:
    found = [
        {"rowNumber": 3, "fieldName": "expiresAt", "errorMessage": "wrong", "params": {"a": "b"}},
        {"rowNumber": 4, "fieldName": None},
    ]
    router = Router(status, body=json.dumps(found).encode())
    faults = connect(router).validate_csv(b"some;file\n", CsvOperation.UPDATE)
    assert [(fault.row_number, fault.field_name) for fault in faults] == [
        (3, "expiresAt"),
        (4, None),
    ]
    assert (faults[0].error_message, faults[0].params) == ("wrong", {"a": "b"})
    assert "wrong" not in repr(faults)
    assert router.requests[0].url.query == "operation=UPDATE"
    assert b"some;file\n" in router.bodies[0]


def test_a_file_without_faults_has_none(connect: Connect) -> None:
    assert connect(Router(body=b"[]")).validate_csv(b"x", CsvOperation.DELETE) == []


@pytest.mark.parametrize(("body", "why"), [(b"no drawing", "not an SVG"), (b"<svg \xff", "UTF-8")])
def test_what_is_no_drawing_is_no_answer(connect: Connect, body: bytes, why: str) -> None:
    with pytest.raises(RouterUnavailable, match=why):
        connect(Router(body=body, media_type=SVG)).draw_qr(ESCN)


def test_what_is_no_base64_is_no_answer(connect: Connect) -> None:
    for body in (b"<svg/>", b"abc", b"\xff\xff\xff\xff"):
        with pytest.raises(RouterUnavailable, match="not base64"):
            connect(Router(body=body, media_type="text/plain")).draw_qr_as_text(ESCN)


def test_the_routers_drawing_is_asked_for_as_its_document_says(connect: Connect) -> None:
    router = Router(body=b"<?xml version='1.0'?><svg>\xc4\x81</svg>", media_type=SVG)
    drawn = connect(router).draw_qr(
        ESCN, size=QrSize.M, orientation=QrOrientation.VERTICAL, colours=QrColours.INVERTED
    )
    assert drawn == "<?xml version='1.0'?><svg>ā</svg>"
    (sent,) = router.requests
    assert sent.headers["accept"] == SVG
    assert dict(sent.query_params) == {
        "orientation": "vertical",
        "colours": "inverted",
        "size": "M",
    }
    text = Router(body=b"PHN2Zy8+\n", media_type="text/plain;charset=UTF-8")
    assert connect(text).draw_qr_as_text(ESCN) == "PHN2Zy8+"
    assert text.requests[0].headers["accept"] == "text/plain"


def test_a_conflict_that_names_no_code_is_a_repeat(connect: Connect) -> None:
    # The document says of 409 no more than "Entity already exists".
    class Conflicting(Router):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            is_update = scope["method"] == "PUT"
            self.status = 200 if is_update else 409
            self.body = json.dumps({"identifier": ESI}).encode() if is_update else b"{}"
            await super().__call__(scope, receive, send)

    from_there = connect(Conflicting())
    person = PersonUpdateView(identifier=ESI, person_organisation_update_views=())
    brought = from_there.bring_person(person, known=False)
    assert brought.identifier == ESI


@pytest.mark.parametrize(
    ("organisations", "count", "outcome"),
    [
        ([PIC], 1, PersonOutcome.REMOVED),
        ([PIC], None, PersonOutcome.REMOVED),
        ([PIC], 2, PersonOutcome.KEPT_FOR_OTHERS),  # the others' enrolments are not shown
        ([PIC, "888878433"], None, PersonOutcome.KEPT_FOR_OTHERS),
        (["888878433"], 1, PersonOutcome.WAS_NOT_THERE),
        ([], 0, PersonOutcome.WAS_NOT_THERE),
    ],
)
def test_what_becomes_of_a_person_is_told(
    connect: Connect, organisations: list[str], count: int | None, outcome: PersonOutcome
) -> None:
    document = {
        "identifier": ESI,
        "organisationCount": count,
        "organisations": [{"organisation": {"identifier": pic}} for pic in organisations],
    }
    router = Router(body=json.dumps(document).encode(), removes=True)
    assert connect(router).remove_person(ESI, PIC) is outcome
    methods = [request.method for request in router.requests]
    is_done = outcome is PersonOutcome.WAS_NOT_THERE
    assert methods == (["GET"] if is_done else ["GET", "DELETE"])


def test_a_person_who_is_not_there_is_removed_already(connect: Connect) -> None:
    router = Router(404, body=b'{"code": "ER-0001", "message": ""}')
    assert connect(router).remove_person(ESI, PIC) is PersonOutcome.WAS_NOT_THERE
