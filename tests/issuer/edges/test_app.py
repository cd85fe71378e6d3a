"""The issuer over HTTP: who may do what, what is refused and how, what is public."""

import gzip
import json
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from issuer.app import create_app
from issuer.errors import DatabaseOutOfDate, NoActiveKey, UnusableKey
from issuer.keys import FileKeyRing
from issuer.problems import PROBLEM_TYPE
from issuer.publishing.due import publish_due
from issuer.settings import IssuerSettings
from issuer.staff import Role
from issuer.store import cards, deliveries, staff, students
from issuer.tables import AuditEntry, Card, Delivery, Student
from tests.conftest import SettableClock
from tests.issuer.conftest import card_row, student_row
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PIC, staff_key_text
from tests.issuer.edges.serving import Served

ESI = "urn:schac:personalUniqueCode:int:esi:daugava.example:1"


def _slug(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    return str(problem["type"]).removeprefix(PROBLEM_TYPE)


EVERY_STAFF_ROUTE = [
    ("GET", "/api/v1/institution"),
    ("GET", "/api/v1/institution/router"),
    ("POST", "/api/v1/imports"),
    ("GET", "/api/v1/students"),
    ("GET", "/api/v1/cards"),
    ("POST", "/api/v1/cards"),
    ("GET", "/api/v1/cards/{escn}"),
    ("GET", "/api/v1/cards/{escn}/qr"),
    ("POST", "/api/v1/cards/{escn}/issue"),
    ("POST", "/api/v1/cards/{escn}/suspend"),
    ("POST", "/api/v1/cards/{escn}/reinstate"),
    ("POST", "/api/v1/cards/{escn}/revoke"),
    ("GET", "/api/v1/deliveries"),
    ("POST", "/api/v1/deliveries/retry"),
    ("POST", "/api/v1/deliveries/{id}/retry"),
    ("POST", "/api/v1/deliveries/{id}/discard"),
    ("GET", "/api/v1/audit"),
]
FILE = {"file": ("s.csv", b"esi,full_name,expires_on\n", "text/csv")}


def _request(method: str, path: str, escn: str) -> dict[str, Any]:
    request: dict[str, Any] = {}
    if path.endswith("imports"):
        request["files"] = FILE
    elif path == "/api/v1/cards" and method == "POST":
        request["json"] = {"esi": ESI, "expires_on": "2028-08-31"}
    elif path.endswith(("suspend", "revoke", "discard")):
        request["json"] = {"reason": "Test"}
    elif path.endswith("deliveries/retry"):
        request["json"] = {}
    return {"method": method, "path": path.format(escn=escn, id=1), **request}


def test_without_a_key_of_ours_nothing_of_staff_is_answered(
    call: Any, card: Card, session: Session
) -> None:
    ended = staff_key_text(session, PIC, Role.ADMIN)
    staff.end(session, PIC, 2, now=1)
    session.commit()
    for key in (None, "esc_" + "A" * 43, "x", ended):
        for method, path in EVERY_STAFF_ROUTE if key is None else EVERY_STAFF_ROUTE[:1]:
            answer = call(**_request(method, path, card.escn), key=key)
            assert (answer.status_code, _slug(answer)) == (401, "not-authenticated")
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_reader_changes_nothing(call: Any, card: Card, session: Session) -> None:
    reader = staff_key_text(session, PIC, Role.READER)
    for method, path in EVERY_STAFF_ROUTE:
        answer = call(**_request(method, path, card.escn), key=reader)
        assert (answer.status_code == 403) is (method == "POST"), path
    session.refresh(card)
    assert card.state == "active"


def test_what_another_institution_has_does_not_exist(
    call: Any, card: Card, session: Session
) -> None:
    deliveries.want(session, pic=PIC, student_id=card.student_id, escn=card.escn, now=1)
    delivery = session.exec(select(Delivery)).one().id
    other = staff_key_text(session, OTHER_PIC, Role.ADMIN)
    unknown = f"00000001-6423-103e-add8-001{OTHER_PIC}"
    for method, path in EVERY_STAFF_ROUTE:
        if "{escn}" in path:
            answers = [call(**_request(method, path, n), key=other) for n in (card.escn, unknown)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].content == answers[1].content
    assert _slug(call("POST", f"/api/v1/deliveries/{delivery}/retry", key=other)) == (
        "delivery-not-found"
    )
    order = {"esi": ESI, "expires_on": "2028-08-31"}
    assert _slug(call("POST", "/api/v1/cards", json=order, key=other)) == "student-not-found"
    for path in ("students", "cards", "deliveries", f"audit?subject={card.escn}"):
        assert call("GET", f"/api/v1/{path}", key=other).json()["total"] == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": "Lost", "extra": 1}, "/extra"),
        ({"reason": 5}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": "x" * 201}, "/reason"),
        ({}, "/reason"),
        ([], ""),
        ("Lost", ""),
    ],
)
def test_a_body_of_another_form_is_refused_by_its_place(
    call: Any, card: Card, body: Any, pointer: str
) -> None:
    answer = call("POST", f"/api/v1/cards/{card.escn}/revoke", json=body)
    assert (answer.status_code, _slug(answer)) == (422, "malformed-request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("order", "slug"),
    [
        ({"esi": "urn:x", "expires_on": "2028-08-31"}, "malformed-identifier"),
        ({"esi": ESI + "0", "expires_on": "2028-08-31"}, "student-not-found"),
        ({"esi": ESI, "expires_on": "2026-11-22"}, "card-state"),
        ({"esi": ESI, "expires_on": "2028-08-31", "escn_prefix": "999"}, "unknown-prefix"),
        ({"esi": ESI, "expires_on": 1}, "malformed-request"),
        ({"esi": ESI}, "malformed-request"),
    ],
)
def test_a_card_that_breaks_the_rules_is_not_ordered(
    call: Any, student: Student, order: dict[str, Any], slug: str
) -> None:
    answer = call("POST", "/api/v1/cards", json=order)
    assert _slug(answer) == slug
    assert student.full_name not in answer.text


def test_broken_json_is_a_malformed_request(call: Any, card: Card) -> None:
    answer = call("POST", f"/api/v1/cards/{card.escn}/revoke", content=b'{"reason":')
    assert (answer.status_code, _slug(answer)) == (422, "malformed-request")


def test_a_body_that_is_not_utf_8_is_a_malformed_request(call: Any, card: Card) -> None:
    path, as_json = f"/api/v1/cards/{card.escn}/revoke", {"content-type": "application/json"}
    answer = call("POST", path, content=b'{"reason": "\xff"}', headers=as_json)
    assert (answer.status_code, _slug(answer)) == (422, "malformed-request")
    file = {"content-type": "multipart/form-data; boundary=x"}
    answer = call("POST", "/api/v1/imports", content=b"nonsense", headers=file)
    assert (answer.status_code, _slug(answer)) == (422, "malformed-request")


def test_a_state_that_does_not_allow_it_is_a_conflict(call: Any, card: Card) -> None:
    path = f"/api/v1/cards/{card.escn}"
    assert _slug(call("POST", path + "/reinstate")) == "card-state"
    assert call("POST", path + "/revoke", json={"reason": "Stolen"}).json()["state"] == "revoked"
    assert call("POST", path + "/suspend", json={"reason": "Lost"}).status_code == 409


@pytest.mark.parametrize("with_length", [True, False])
def test_a_body_over_its_cap_is_refused_before_it_is_parsed(
    call: Any, card: Card, with_length: bool
) -> None:
    body = b"[" * (1024 * 1024 + 1)
    content = body if with_length else iter([body[: 2**19], body[2**19 :]])
    answer = call("POST", f"/api/v1/cards/{card.escn}/revoke", content=content)
    assert (answer.status_code, _slug(answer)) == (413, "body-too-large")


def test_a_file_over_its_cap_is_refused(call: Any) -> None:
    file = {"file": ("s.csv", b"x" * (33 * 1024 * 1024), "text/csv")}
    assert call("POST", "/api/v1/imports", files=file).status_code == 413


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "empty-file"),
        (b"PK\x03\x04\x00\x00", "not-text"),
        (b"esi|full_name|expires_on\nx|y|z\n", "wrong-delimiter"),
        (b"esi,full_name\nx,y\n", "missing-column"),
        (b"esi,full_name,expires_on\n", "no-rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    call: Any, data: bytes, slug: str
) -> None:
    answer = call("POST", "/api/v1/imports", files={"file": ("s.csv", data)})
    assert (answer.status_code, _slug(answer)) == (422, slug)


def test_a_file_becomes_cards_and_again_changes_nothing(call: Any) -> None:
    rows = f"esi,full_name,expires_on\n{ESI},Anna Bērziņa,2028-08-31\nurn:x,Bo,2028-08-31\n"
    file = {"file": ("s.csv", rows.encode(), "text/csv")}
    tried = call("POST", "/api/v1/imports?dry_run=true", files=file).json()
    assert (tried["created"], tried["dry_run"]) == (1, True)
    assert call("GET", "/api/v1/cards").json()["total"] == 0
    done = call("POST", "/api/v1/imports", files=file).json()
    assert (done["rows"], done["created"], done["cards"], done["faulty"]) == (2, 1, 1, 1)
    assert done["faults"][0]["row"] == 3
    again = call("POST", "/api/v1/imports", files=file).json()
    assert (again["created"], again["unchanged"], again["cards"]) == (0, 1, 0)


def test_a_card_is_committed_before_the_201(call: Any, student: Student, engine: Engine) -> None:
    assert student.id
    answer = call("POST", "/api/v1/cards", json={"esi": ESI, "expires_on": "2028-08-31"})
    assert answer.status_code == 201
    escn = answer.json()["escn"]
    assert answer.headers["location"] == f"/api/v1/cards/{escn}"
    with Session(engine.execution_options(read_only=True)) as session:
        assert cards.by_escn(session, PIC, escn) is not None


def test_a_commit_that_fails_is_never_a_201(
    settings: IssuerSettings, clock: SettableClock, session: Session, student: Student
) -> None:
    assert student.id
    key = staff_key_text(session, PIC, Role.OFFICER)
    app = create_app(settings, clock=clock)

    def fail(_connection: Any) -> None:
        raise RuntimeError("the disk is full")

    event.listen(app.state.issuer.engine, "commit", fail)
    with Served(app) as address:
        answer = httpx.post(
            f"{address}/api/v1/cards",
            json={"esi": ESI, "expires_on": "2028-08-31"},
            headers={"authorization": f"Bearer {key}"},
        )
    assert answer.status_code == 500
    assert "disk" not in answer.text
    assert answer.json()["instance"].startswith("urn:uuid:")
    assert session.exec(select(Card)).all() == []


def test_a_card_ordered_for_later_begins_when_it_is_issued(call: Any, student: Student) -> None:
    assert student.id
    order = {"esi": ESI, "expires_on": "2028-08-31", "issued_on": "2027-01-01"}
    ordered = call("POST", "/api/v1/cards", json=order).json()
    assert ordered["state"] == "ordered"
    issued = call("POST", f"/api/v1/cards/{ordered['escn']}/issue").json()
    assert (issued["state"], issued["issued_on"]) == ("active", "2026-11-23")


def test_staff_find_suspend_and_reinstate_a_card_and_the_audit_says_who(
    call: Any, card: Card
) -> None:
    (found,) = call("GET", "/api/v1/cards", params={"search": "berzina"}).json()["items"]
    assert found["full_name"] == "Anna Bērziņa"
    assert found["created_at"].endswith("Z")
    path = f"/api/v1/cards/{card.escn.upper()}"
    assert call("POST", path + "/suspend", json={"reason": "Lost"}).json()["reason"] == "Lost"
    assert call("POST", path + "/reinstate").json()["state"] == "active"
    entries = call("GET", "/api/v1/audit", params={"subject": card.escn}).json()["items"]
    assert [entry["action"] for entry in entries] == ["card.reinstate", "card.suspend"]
    assert {entry["actor"] for entry in entries} == {"staff:1"}
    assert call("GET", "/api/v1/institution").json()["cards"] == {"active": 1}


def test_a_stopped_delivery_is_seen_and_tried_again(
    call: Any, card: Card, session: Session
) -> None:
    deliveries.want(session, pic=PIC, student_id=card.student_id, escn=card.escn, now=1)
    row = session.exec(select(Delivery)).one()
    row.state, row.last_error = "stopped", "ER-0002: it has this card already"
    session.commit()
    (seen,) = call("GET", "/api/v1/deliveries?state=stopped").json()["items"]
    assert seen["last_error"].startswith("ER-0002")
    assert call("POST", f"/api/v1/deliveries/{seen['id']}/retry").json()["state"] == "waiting"
    session.rollback()
    assert session.exec(select(AuditEntry.action)).all()[-1] == "delivery.retry"


def test_pages_are_bounded(call: Any, five_cards: list[Card]) -> None:
    assert len(five_cards) == 5
    second = call("GET", "/api/v1/cards?page=1&size=3").json()
    assert (len(second["items"]), second["total"]) == (2, 5)
    for query in ("size=101", "size=0", "page=-1", "page=x", "state=lost"):
        assert call("GET", f"/api/v1/cards?{query}").status_code == 422


def test_answers_with_personal_data_are_kept_by_no_cache(call: Any, card: Card) -> None:
    answer = call("GET", f"/api/v1/cards/{card.escn}")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    assert len(answer.headers["x-request-id"]) == 16


def test_an_unknown_path_or_method_is_a_problem_as_well(call: Any) -> None:
    assert _slug(call("GET", "/nowhere")) == "not-found"
    assert _slug(call("DELETE", "/api/v1/cards")) == "method-not-allowed"


@pytest.fixture
def published(
    address: str, engine: Engine, keys: FileKeyRing, settings: IssuerSettings, session: Session
) -> str:
    """The address, once everything is published and read."""
    session.rollback()
    publish_due(engine, keys, policy=settings.issuing_policy, now=NOON)
    limit = time.monotonic() + 60
    while httpx.get(f"{address}/bundle").status_code != 200:
        assert time.monotonic() < limit
        time.sleep(0.05)
    return address


PUBLIC = {
    f"/.well-known/jwt-vc-issuer/{PIC}": "application/json",
    f"/{PIC}/jwks.json": "application/json",
    "/types/european-student-card/v1": "application/json",
    "/trust-list": "application/jwt",
    "/status-lists": "application/json",
    "/bundle": "application/vnd.esc-bundle",
    "/bundle/changes": "application/vnd.esc-changes",
}


def test_public_documents_are_for_everyone_and_copies_are_recognised(published: str) -> None:
    for path, media_type in PUBLIC.items():
        answer = httpx.get(published + path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), path
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"].startswith("public, max-age=")
        for etag in (answer.headers["etag"], f'"x", W/{answer.headers["etag"]}', "*"):
            copy = httpx.get(published + path, headers={"if-none-match": etag})
            assert (copy.status_code, copy.content) == (304, b"")
            assert copy.headers["etag"] == answer.headers["etag"]
        assert httpx.get(published + path, headers={"if-none-match": '"x"'}).status_code == 200


def test_head_tells_of_a_document_what_get_would(published: str) -> None:
    with httpx.Client() as http:
        for path in PUBLIC:
            told, got = http.head(published + path), http.get(published + path)
            assert (told.status_code, told.content) == (200, b"")
            for name in ("etag", "content-type", "content-length"):
                assert told.headers[name] == got.headers[name]


def test_large_documents_are_gzipped_for_whoever_takes_that(published: str) -> None:
    plain = httpx.get(published + "/trust-list", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with httpx.stream("GET", published + "/trust-list") as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    refused = httpx.get(published + "/trust-list", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_what_is_not_published_is_not_found(published: str) -> None:
    for path in (f"/status-lists/{PIC}/7", "/123456789/jwks.json"):
        assert _slug(httpx.get(published + path)) == "not-published"
    assert httpx.get(published + "/status-lists/x/1").status_code == 422


def test_health_is_answered_without_a_key(address: str) -> None:
    assert httpx.get(address + "/healthz").text == "ok\n"


def _cut_off(port: int, key: str, count: int) -> None:
    request = f"GET /api/v1/cards HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n"
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request.encode())


def _seconds_to_answer(http: httpx.Client, url: str) -> float:
    began = time.monotonic()
    assert http.get(url, timeout=120).is_success
    return time.monotonic() - began


def test_a_burst_of_cut_off_requests_does_not_freeze_the_server(
    settings: IssuerSettings, clock: SettableClock, session: Session, card: Card
) -> None:
    assert card.escn
    key = staff_key_text(session, PIC, Role.OFFICER)
    with Served(create_app(settings, clock=clock)) as address, httpx.Client() as http:
        port = int(address.rsplit(":", 1)[1])
        assert http.get(address + "/healthz").is_success
        threads = [threading.Thread(target=_cut_off, args=(port, key, 50)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # The best of three, since the machine may be busy; frozen, it takes 30 seconds.
        assert min(_seconds_to_answer(http, address + "/healthz") for _ in range(3)) < 10
        headers = {"authorization": f"Bearer {key}"}
        assert http.get(f"{address}/api/v1/cards", headers=headers, timeout=120).is_success


def test_many_writers_at_once_all_get_their_turn(
    settings: IssuerSettings, clock: SettableClock, session: Session
) -> None:
    for number in range(60):
        student = students.add(session, student_row(code=f"{number}"))
        cards.add(session, card_row(student, number))
    session.commit()
    key = staff_key_text(session, PIC, Role.OFFICER)
    found = session.exec(select(Card.escn)).all()
    session.rollback()
    outcomes: list[int] = []
    with Served(create_app(settings, clock=clock)) as address:

        def suspend(escn: str) -> None:
            answer = httpx.post(
                f"{address}/api/v1/cards/{escn}/suspend",
                json={"reason": "Lost"},
                headers={"authorization": f"Bearer {key}"},
                timeout=120,
            )
            outcomes.append(answer.status_code)

        threads = [threading.Thread(target=suspend, args=(escn,)) for escn in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == [200] * 60


def test_logs_name_the_route_and_nobody(
    address: str, session: Session, card: Card, caplog: pytest.LogCaptureFixture
) -> None:
    key = staff_key_text(session, PIC, Role.OFFICER)
    with caplog.at_level("DEBUG", logger="issuer"):
        headers = {"authorization": f"Bearer {key}"}
        httpx.get(f"{address}/api/v1/cards/{card.escn}", headers=headers)
        httpx.get(f"{address}/api/v1/cards?search=Anna", headers=headers)
        httpx.post(f"{address}/api/v1/cards", headers=headers, json={"esi": ESI})
    lines = [record.__dict__["fields"] for record in caplog.records if record.msg == "request"]
    assert {line["route"] for line in lines} == {"/api/v1/cards/{escn}", "/api/v1/cards"}
    text = json.dumps(lines) + caplog.text
    for personal in (card.escn, "Anna", "daugava", key):
        assert personal not in text


def test_nothing_is_served_on_a_database_without_tables(
    settings: IssuerSettings, clock: SettableClock, tmp_path: Path
) -> None:
    empty = SecretStr(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(DatabaseOutOfDate):
        create_app(settings.model_copy(update={"database_url": empty}), clock=clock)


def test_nothing_is_served_without_the_trust_lists_key(
    settings: IssuerSettings, clock: SettableClock, session: Session, keys_folder: Path
) -> None:
    session.rollback()
    for file in keys_folder.iterdir():
        file.unlink()
    with pytest.raises(UnusableKey):
        create_app(settings, clock=clock)
    late = SettableClock(datetime(2040, 1, 1, tzinfo=UTC))
    with pytest.raises(NoActiveKey):
        create_app(settings, clock=late)


def test_the_api_document_describes_every_route_with_its_refusals(call: Any) -> None:
    document = call("GET", "/openapi.json").json()
    for method, path in EVERY_STAFF_ROUTE:
        operation = document["paths"][path][method.lower()]
        assert operation["summary"]
        assert operation["security"] == [{"staffKey": []}]
        for status in ("401", "403", "422"):
            content = operation["responses"][status]["content"]
            assert list(content) == ["application/problem+json"]
    in_parts = {"206", "416"}
    for path in ("/trust-list", "/bundle", "/bundle/changes", "/status-lists/{pic}/{number}"):
        responses = document["paths"][path]["get"]["responses"]
        assert set(responses) - in_parts == {"200", "304", "404", "422"}
        assert (in_parts <= set(responses)) == path.startswith("/bundle")
        assert list(responses["404"]["content"]) == ["application/problem+json"]
