"""From a change in our database to the router's, on both databases, with a router that fails."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import httpx
import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.inspection import count_by_state, retry_delivery
from issuer.esc_router.sending import BUSY_PAUSE
from issuer.importing.run import import_students
from issuer.sealing import Sealer
from issuer.store.institutions import store_router_key
from issuer.tables import Card, Institution, Student
from tests.issuer.esc_router.gate import gated, giving_up

RIGA, PORTO = "999978433", "888878433"
PREFIX = "urn:schac:personalUniqueCode:int:esi:lv:"
Deliver = Callable[..., int]


@pytest.fixture
def card(deployment: Any) -> str:
    escn: str = deployment.card(deployment.student())
    return escn


def status_at(router: EscRouterClient, escn: str) -> str | None:
    found = router.card_status(escn)
    return found.status if found else None


def test_person_and_card_reach_the_router(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, card: str
) -> None:
    assert deliver() == 2
    person, held = riga.read_person(PREFIX + "1"), riga.read_card(card)
    assert person is not None
    assert held is not None
    assert person.organisations[0].full_name == "Anna Bērziņa 1"
    assert held.card_type is not None
    assert (held.card_type.key, held.issued_at, held.expires_at) == (
        "SMART_PASSIVE",
        "2026-09-01",
        "2028-08-31",
    )
    assert deployment.states() == ["delivered", "delivered"]
    assert deployment.row(Card, card).router_registered_at == deployment.now
    assert deployment.row(Student, 1).router_registered_at == deployment.now
    assert deliver() == 0


def test_the_router_learns_no_more_than_it_needs(
    deliver: Deliver, riga: EscRouterClient, card: str
) -> None:
    deliver()
    person, status = riga.read_person(PREFIX + "1"), riga.card_status(card)
    assert person is not None
    assert person.organisations[0].contact_point is None
    assert status is not None
    assert status.display_name is None


def test_a_card_takes_an_unregistered_student_along(
    deployment: Any, deliver: Deliver, riga: EscRouterClient
) -> None:
    student = deployment.student(wanted=False)
    escn = deployment.card(student)
    assert deliver() == 1
    assert status_at(riga, escn) == "ACTIVE"
    assert deployment.row(Student, student).router_registered_at == deployment.now


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("ordered", "INACTIVE"),
        ("active", "ACTIVE"),
        ("suspended", "INACTIVE"),
        ("revoked", "INACTIVE"),
    ],
)
def test_the_present_state_is_told(
    deployment: Any,
    deliver: Deliver,
    riga: EscRouterClient,
    card: str,
    state: str,
    expected: str,
) -> None:
    deliver()
    deployment.change(card, state)
    assert deliver() == 1
    assert status_at(riga, card) == expected


def test_an_expired_card_is_left_to_its_date(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, card: str
) -> None:
    deliver()
    deployment.clock.advance(timedelta(days=1000))
    deployment.change(card, "expired")
    assert deliver() == 0
    assert deployment.states()[-1] == "discarded"
    assert status_at(riga, card) == "EXPIRED"


def test_a_card_that_was_revoked_and_ended_since_is_left_to_its_date(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, card: str
) -> None:
    deliver()
    deployment.change(card, "revoked")
    deployment.clock.advance(timedelta(days=1000))
    assert deliver() == 0
    assert deployment.states()[-1] == "discarded"
    assert status_at(riga, card) == "EXPIRED"


def test_a_thousandth_delivery_is_as_good_as_the_first(
    deployment: Any, deliver: Deliver, riga: EscRouterClient
) -> None:
    for number in range(30):
        deployment.card(deployment.student(str(number)), number)
    assert deliver(threads=8) == 60
    assert riga.list_cards().page.total_elements == 30
    assert riga.list_persons().page.total_elements == 30


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "effect": True},
        {"delay_seconds": 4},
        {"cut": True},
        {"cut": True, "effect": True},
        {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>"},
        {"status": 200, "body_bytes": 50_000_000},
    ],
    ids=lambda fault: "-".join(fault),
)
@pytest.mark.parametrize("path", ["/persons", "/cards"])
def test_a_bad_day_of_the_router_costs_a_retry_and_nothing_else(
    deployment: Any,
    sandbox: Any,
    deliver: Deliver,
    riga: EscRouterClient,
    http: httpx.Client,
    card: str,
    fault: dict[str, Any],
    path: str,
) -> None:
    sandbox.fault(path=path, **fault)
    is_late = "delay_seconds" in fault
    with giving_up(http, path) if is_late else nullcontext():
        deliver()
    assert sandbox.faults_left() == 0
    failed = next(found for found in deployment.deliveries() if found.state == "waiting")
    assert failed.attempts == 1
    assert failed.next_attempt_at == deployment.now + 2
    assert failed.last_error
    assert deliver() == 0  # not before its time
    deployment.clock.advance(timedelta(seconds=2))
    deliver()
    assert deployment.states() == ["delivered", "delivered"]
    assert status_at(riga, card) == "ACTIVE"
    assert riga.list_cards().page.total_elements == 1
    assert riga.list_persons().page.total_elements == 1


@pytest.mark.usefixtures("card")
def test_a_router_that_is_down_is_tried_ever_less_often(deployment: Any, deliver: Deliver) -> None:
    pauses = []
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for _ in range(4):
            assert deliver(base_url=f"http://127.0.0.1:{port}/esc-rest") == 0
            person = deployment.deliveries()[0]
            pauses.append(person.next_attempt_at - deployment.now)
            deployment.clock.advance(timedelta(seconds=pauses[-1]))
    assert pauses == [2, 4, 8, 16]
    assert deliver() == 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.usefixtures("card")
def test_the_routers_own_wait_is_respected(
    deployment: Any, sandbox: Any, deliver: Deliver, status: int
) -> None:
    sandbox.fault(status=status, headers={"retry-after": "100"})
    assert deliver(threads=1) == 0
    assert {found.attempts for found in deployment.deliveries()} == {0}
    deployment.card(deployment.student("2", pic=PORTO), 2, pic=PORTO)
    deployment.clock.advance(timedelta(seconds=99))
    assert deliver() == 2  # the others do not wait
    deployment.clock.advance(timedelta(seconds=1))
    assert deliver() == 2


@pytest.mark.usefixtures("card")
def test_a_limit_without_an_end_is_tried_again_soon(
    deployment: Any, sandbox: Any, deliver: Deliver
) -> None:
    sandbox.fault(status=429)
    assert deliver() == 0
    deployment.clock.advance(BUSY_PAUSE)
    assert deliver() == 2


def test_while_the_router_is_down_not_everyone_is_tried_at_once(
    deployment: Any, sandbox: Any, deliver: Deliver
) -> None:
    for number in range(30):
        deployment.student(str(number))
    sandbox.fault(status=503, times=1000)
    deliver(threads=2)
    tried = [found for found in deployment.deliveries() if found.attempts]
    # Three open the circuit; a few more are under way until that is recorded.
    assert 3 <= len(tried) <= 15


@pytest.mark.parametrize(("path", "code"), [("/persons", "ER-0019"), ("/cards", "ER-0002")])
def test_what_the_router_has_already_is_updated(
    deployment: Any,
    sandbox: Any,
    deliver: Deliver,
    riga: EscRouterClient,
    card: str,
    path: str,
    code: str,
) -> None:
    # The reply to the first request is lost, and the worker with it: nothing was recorded.
    sandbox.fault(path=path, method="POST", effect=True, cut=True)
    deliver()
    sandbox.heal()
    deployment.clock.advance(timedelta(seconds=2))
    again = sandbox.request("POST", path, json=_posted(path, card))
    assert (again.status_code, again.json()["code"]) == (409, code)
    deliver()
    assert deployment.states() == ["delivered", "delivered"]
    assert status_at(riga, card) == "ACTIVE"


def _posted(path: str, escn: str) -> dict[str, Any]:
    if path == "/persons":
        enrolment = {"organisationIdentifier": RIGA}
        return {"identifier": PREFIX + "1", "personOrganisationUpdateViews": [enrolment]}
    return {
        "cardNumber": escn,
        "cardStatusType": "ACTIVE",
        "cardType": "SMART_PASSIVE",
        "issuedAt": "2026-09-01",
        "expiresAt": "2028-08-31",
        "issuerIdentifier": RIGA,
        "personIdentifier": PREFIX + "1",
    }


def test_a_person_who_turns_out_to_be_there_is_known_whatever_comes_next(
    deployment: Any, sandbox: Any, deliver: Deliver, card: str
) -> None:
    assert sandbox.request("POST", "/persons", json=_posted("/persons", card)).status_code == 201
    sandbox.fault(method="PUT", path="/persons", status=429, headers={"retry-after": "5"})
    deliver()
    assert sandbox.faults_left() == 0
    person = deployment.deliveries()[0]
    assert (person.state, person.attempts) == ("waiting", 0)
    # Or nobody would remove them if their consent were withdrawn now.
    assert deployment.row(Student, 1).router_registered_at == deployment.now


def test_what_somebody_removed_at_the_router_is_put_back(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, card: str
) -> None:
    deliver()
    riga.delete_card(card)
    deployment.change(card, "suspended")
    assert deliver() == 1
    assert status_at(riga, card) == "INACTIVE"


@pytest.mark.usefixtures("card")
def test_a_permanent_refusal_stops_with_a_reason_for_staff(
    deployment: Any, sandbox: Any, deliver: Deliver
) -> None:
    body = '{"code": "ER-0042", "message": "Anna Bērziņa 1 is not welcome"}'
    sandbox.fault(path="/persons", status=400, body=body, times=9)
    assert deliver() == 0
    person, held = deployment.deliveries()
    assert (person.state, held.state) == ("stopped", "stopped")  # no card without its person
    assert person.last_error == "ER-0042: the record was not accepted (status 400)"
    deployment.clock.advance(timedelta(days=30))
    sandbox.heal()
    assert deliver() == 0


@pytest.mark.usefixtures("card")
def test_staff_send_a_stopped_delivery_again(
    deployment: Any, sandbox: Any, deliver: Deliver
) -> None:
    sandbox.fault(path="/persons", status=400, times=2)
    deliver()
    ids = [found.id for found in deployment.deliveries()]
    with deployment.writing() as session:
        assert count_by_state(session, pic=RIGA) == {"stopped": 2}
        assert count_by_state(session, pic=PORTO) == {}
        assert retry_delivery(session, pic=PORTO, delivery_id=ids[0], now=deployment.now) is None
        for id_ in ids:
            assert retry_delivery(session, pic=RIGA, delivery_id=id_, now=deployment.now)
    assert deliver() == 2
    assert [found.last_error for found in deployment.deliveries()] == [None, None]


@pytest.mark.usefixtures("card")
def test_a_refused_key_stops_only_its_institution_until_it_is_replaced(
    deployment: Any, sandbox: Any, deliver: Deliver, porto: EscRouterClient
) -> None:
    others = deployment.card(deployment.student("2", pic=PORTO), 2, pic=PORTO)
    sandbox.fault(status=401, authorization="Bearer riga-key", times=1000)
    assert deliver() == 2
    assert status_at(porto, others) == "ACTIVE"
    assert deployment.row(Institution, RIGA).router_key_refused_at == deployment.now
    assert deployment.row(Institution, PORTO).router_key_refused_at is None
    deployment.clock.advance(timedelta(days=1))
    sandbox.heal()
    assert deliver() == 0
    with deployment.writing() as session:
        store_router_key(session, RIGA, deployment.sealer.seal(b"riga-key"))
    assert deliver() == 2


def test_after_a_refused_key_the_rest_is_not_even_tried(
    deployment: Any, sandbox: Any, deliver: Deliver
) -> None:
    for number in range(6):
        deployment.student(str(number))
    sandbox.fault(status=401, times=1000)
    assert deliver(threads=1) == 0
    assert sandbox.faults_left() == 1
    assert httpx.get(f"{sandbox.host}/sandbox/faults").json()[0]["times"] == 999
    assert {found.attempts for found in deployment.deliveries()} == {0}
    assert deployment.claim() == []


@pytest.mark.usefixtures("card")
def test_another_institutions_key_writes_nothing(
    deployment: Any, deliver: Deliver, porto: EscRouterClient
) -> None:
    with deployment.writing() as session:
        store_router_key(session, RIGA, deployment.sealer.seal(b"porto-key"))
    assert deliver() == 0
    assert porto.list_persons().content == ()
    assert deployment.row(Institution, RIGA).router_key_refused_at == deployment.now
    waiting = [found for found in deployment.deliveries() if found.state == "waiting"]
    assert len(waiting) == 2
    assert "SE-0000" in (waiting[0].last_error or "")


@pytest.mark.usefixtures("card")
def test_a_key_sealed_with_another_secret_is_as_good_as_none(
    deployment: Any, deliver: Deliver
) -> None:
    assert deliver(sealer=Sealer(b"another secret of at least 32 bytes")) == 0
    assert deployment.row(Institution, RIGA).router_key_refused_at == deployment.now


def test_a_change_while_the_card_is_on_its_way_arrives_too(
    deployment: Any,
    sandbox: Any,
    serve: Callable[[Any], str],
    deliver: Deliver,
    riga: EscRouterClient,
    card: str,
) -> None:
    deliver()
    deployment.change(card, "suspended")
    worker = threading.Thread(target=deliver)
    with gated(serve, sandbox.app, lambda scope: "/cards" in scope["path"]) as gate:
        worker.start()
        gate.wait_for_somebody()
        deployment.change(card, "revoked")
    worker.join()
    deliver()
    assert set(deployment.states()) == {"delivered"}
    assert status_at(riga, card) == "INACTIVE"


def test_a_name_that_is_imported_while_the_person_is_on_the_way_arrives_too(
    deployment: Any,
) -> None:
    # Neither a card nor an answer of the router says that the person is known: only the lease.
    student = deployment.student()
    escn = deployment.card(student)
    with deployment.writing() as session:
        session.get_one(Card, escn).state = "revoked"
    assert len(deployment.claim()) == 2
    row = f"{PREFIX}1,Somebody Else,MASTER,2028-08-31\n"
    import_students(
        deployment.engine,
        f"esi,full_name,academic_level,expires_on\n{row}".encode(),
        now=deployment.clock(),
        actor="staff:1",
        only_pic=RIGA,
    )
    persons = [found for found in deployment.deliveries() if found.escn is None]
    assert [found.leased_until > 0 for found in persons] == [True, False]


def test_two_workers_share_the_work_and_double_nothing(
    deployment: Any, deliver: Deliver, riga: EscRouterClient
) -> None:
    for number in range(15):
        deployment.card(deployment.student(str(number)), number)
    counts: list[int] = []
    workers = [
        threading.Thread(target=lambda: counts.append(deliver(threads=2))) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    counts.append(deliver())
    assert sum(counts) == 30
    assert {found.attempts for found in deployment.deliveries()} == {1}
    assert riga.list_cards().page.total_elements == 15


@pytest.mark.usefixtures("card")
def test_a_worker_that_is_told_to_stop_claims_nothing_more(
    deployment: Any, deliver: Deliver
) -> None:
    stop = threading.Event()
    stop.set()
    assert deliver(stop=stop) == 0
    assert {found.attempts for found in deployment.deliveries()} == {0}


def test_no_personal_data_and_no_key_is_logged(
    deployment: Any,
    sandbox: Any,
    deliver: Deliver,
    card: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    faults = [
        {"status": 400, "path": "/persons"},
        {"status": 401, "path": "/persons"},
        {"status": 500, "path": "/persons"},
    ]
    httpx.put(f"{sandbox.host}/sandbox/faults", json=faults).raise_for_status()
    for _ in range(3):
        deliver()
        with deployment.writing() as session:
            store_router_key(session, RIGA, deployment.sealer.seal(b"riga-key"))
        deployment.clock.advance(timedelta(hours=1))
    written = "\n".join(f"{record.__dict__}" for record in caplog.records)
    reasons = "\n".join(found.last_error or "" for found in deployment.deliveries())
    for secret in ("riga-key", "Bērziņa", PREFIX + "1", card):
        assert secret not in written
        assert secret not in reasons
