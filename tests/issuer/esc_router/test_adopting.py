"""Cards that exist at a real sandbox of the router, brought in page by page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, select, update

from issuer.errors import RunUnderWay
from issuer.esc_router.adopting import adopt, adopt_due, begin_adoption
from issuer.esc_router.adoption import SUSPENDED_BECAUSE
from issuer.esc_router.reconciler import LEASE, Outcome, Reconciler
from issuer.store import adopted, reconciliations, run_claims
from issuer.store.reconciliations import RunKind
from issuer.tables import AuditEntry, Card, Delivery, Institution, Reconciliation, Student

RIGA = "999978433"
PREFIX = "urn:schac:personalUniqueCode:int:esi:lv:"
Adopt = Callable[..., dict[str, str]]


def number(of: int, *, pic: str = RIGA, prefix: str = "001") -> str:
    return f"{of:08x}-6423-103e-add8-{prefix}{pic}"


def put_there(
    sandbox: Any, of: int, *, code: str | None = None, name: str = "Ieva Kalniņa", **card: Any
) -> str:
    """A person with a card at the router, which nobody here knows."""
    esi = PREFIX + (code or str(of))
    person = {
        "identifier": esi,
        "personOrganisationUpdateViews": [
            {"organisationIdentifier": RIGA, "fullName": name, "academicLevel": "BACHELOR"}
        ],
    }
    sandbox.request("POST", "/persons", json=person)
    body = {
        "cardNumber": number(of),
        "cardStatusType": "ACTIVE",
        "cardType": "SMART_PASSIVE",
        "issuedAt": "2025-09-01",
        "expiresAt": "2028-08-31",
        "issuerIdentifier": RIGA,
        "personIdentifier": esi,
    }
    answer = sandbox.request("POST", "/cards", json=body | card)
    assert answer.status_code == 201, answer.text
    return str((body | card)["cardNumber"])


@pytest.fixture
def reconciler(deployment: Any, sandbox: Any, http: httpx.Client) -> Reconciler:
    return Reconciler(
        deployment.engine,
        http,
        sandbox.url,
        deployment.sealer,
        deployment.clock,
        random=lambda: 1.0,
    )


def begin(deployment: Any, **options: Any) -> int:
    chosen = {"apply": True, "with_students": False, "pace": 10_000.0} | options
    with deployment.writing() as session:
        run = begin_adoption(session, RIGA, now=deployment.now, actor="staff:1", **chosen)
        return run.id or 0


def verdicts(deployment: Any, run_id: int) -> dict[str, str]:
    with Session(deployment.engine) as session:
        return {row.subject: row.kind for row, _ in adopted.every_finding(session, run_id)}


@pytest.fixture
def run(deployment: Any, reconciler: Reconciler) -> Adopt:
    """A whole adoption; what becomes of each card."""

    def run(**options: Any) -> dict[str, str]:
        run_id = begin(deployment, **options)
        assert adopt_due(reconciler) == 1
        return verdicts(deployment, run_id)

    return run


def rows(deployment: Any, table: Any) -> list[Any]:
    with Session(deployment.engine.execution_options(read_only=True)) as session:
        return list(session.exec(select(table)))


def test_a_dry_run_says_what_would_become_of_each_card_and_makes_nothing(
    deployment: Any, sandbox: Any, run: Adopt
) -> None:
    deployment.student("1", wanted=False)
    first, second = put_there(sandbox, 1), put_there(sandbox, 2)
    before = [row.model_dump() for row in rows(deployment, Student)]
    found = run(apply=False)

    assert found == {first: "adopted", second: "no_student"}
    assert rows(deployment, Card) == rows(deployment, Delivery) == []
    assert [row.model_dump() for row in rows(deployment, Student)] == before
    actions = [entry.action for entry in rows(deployment, AuditEntry)]
    assert actions == ["adoption.begin", "adoption.finished"]


def test_an_adopted_card_is_a_card_like_any_other_and_needs_no_delivery(
    deployment: Any, sandbox: Any, run: Adopt, deliver: Callable[..., int]
) -> None:
    student = deployment.student("1", wanted=False)
    escn = put_there(sandbox, 1, cardStatusType="INACTIVE")
    calls = {"cards": 1, "students": 0}
    assert run() == {escn: "adopted"}

    card = deployment.row(Card, escn)
    assert (card.student_id, card.pic, card.state) == (student, RIGA, "suspended")
    assert card.reason == SUSPENDED_BECAUSE
    assert (str(card.issued_on), str(card.expires_on)) == ("2025-09-01", "2028-08-31")
    assert card.adopted_at == card.router_registered_at == deployment.now
    assert deployment.row(Student, student).router_registered_at == deployment.now
    assert rows(deployment, Delivery) == []
    assert deliver() == 0
    (made,) = rows(deployment, Reconciliation)
    assert {name: made.counts[name] for name in calls} == calls
    entries = [(e.action, e.actor, e.subject) for e in rows(deployment, AuditEntry)]
    assert ("card.adopt", "staff:1", escn) in entries


def test_a_card_that_the_router_shows_as_expired_is_expired_here(
    deployment: Any, sandbox: Any, run: Adopt
) -> None:
    deployment.student("1", wanted=False)
    escn = put_there(sandbox, 1, expiresAt="2026-01-31")
    assert run() == {escn: "adopted"}
    assert deployment.row(Card, escn).state == "expired"


def test_students_are_made_of_their_enrolments_when_asked_for(
    deployment: Any, sandbox: Any, run: Adopt
) -> None:
    first = put_there(sandbox, 1, name="Žaneta Bērziņa")
    second = put_there(sandbox, 2, code="1")
    dry = run(apply=False, with_students=True)
    found = run(with_students=True)

    assert found == dry == {first: "adopted_with_student", second: "adopted_beside"}
    (student,) = rows(deployment, Student)
    assert (student.full_name, student.academic_level) == ("Žaneta Bērziņa", "BACHELOR")
    assert (student.esi, student.search_text.split("\n")[0]) == (PREFIX + "1", "zaneta berzina")
    assert {card.student_id for card in rows(deployment, Card)} == {student.id}


def test_adopting_again_changes_nothing(deployment: Any, sandbox: Any, run: Adopt) -> None:
    escns = [put_there(sandbox, of) for of in range(25)]
    assert set(run(with_students=True).values()) == {"adopted_with_student"}
    before = sorted(str(row.model_dump()) for row in rows(deployment, Card))
    deployment.clock.advance(timedelta(days=1))

    assert run(with_students=True) == dict.fromkeys(escns, "here_already")
    assert sorted(str(row.model_dump()) for row in rows(deployment, Card)) == before


def test_a_living_card_here_and_another_there_are_both_kept(
    deployment: Any, sandbox: Any, run: Adopt
) -> None:
    student = deployment.student("1", wanted=False)
    mine = deployment.card(student, 99)
    theirs = put_there(sandbox, 1)
    assert run() == {theirs: "adopted_beside"}

    states = {card.escn: card.state for card in rows(deployment, Card)}
    assert states == {mine: "active", theirs: "active"}


def test_holders_of_old_and_of_unknown_identifiers_are_named_in_the_report_only(
    deployment: Any, sandbox: Any, run: Adopt
) -> None:
    escn = put_there(sandbox, 1)
    run()
    with Session(deployment.engine) as session:
        ((row, esi),) = list(adopted.every_finding(session, 1))
    assert (row.subject, row.kind, esi, row.there) == (escn, "no_student", None, PREFIX + "1")
    assert rows(deployment, Student) == []


def test_other_institutions_cards_of_one_key_are_left_alone(
    deployment: Any, sandbox: Any, run: Adopt
) -> None:
    served = "777778433"
    esi = PREFIX + "9"
    person = {
        "identifier": esi,
        "personOrganisationUpdateViews": [{"organisationIdentifier": served, "fullName": "X"}],
    }
    sandbox.request("POST", "/persons", key="centre-key", json=person)
    body = {
        "cardNumber": number(9, pic=served),
        "cardStatusType": "ACTIVE",
        "cardType": "SMART_PASSIVE",
        "issuedAt": "2025-09-01",
        "expiresAt": "2028-08-31",
        "issuerIdentifier": served,
        "personIdentifier": esi,
    }
    assert sandbox.request("POST", "/cards", key="centre-key", json=body).status_code == 201
    with deployment.writing() as session:
        key = deployment.sealer.seal(b"centre-key")
        session.exec(
            update(Institution).where(col(Institution.pic) == RIGA).values(sealed_router_key=key)
        )
    escn = put_there(sandbox, 1)

    assert run(with_students=True) == {escn: "adopted_with_student"}
    (made,) = rows(deployment, Reconciliation)
    assert made.counts["of_others"] == 1


def test_a_second_adoption_waits_for_the_first_one(deployment: Any) -> None:
    begin(deployment)
    with pytest.raises(RunUnderWay):
        begin(deployment)


def test_a_run_that_is_interrupted_goes_on_behind_its_last_page(
    deployment: Any, sandbox: Any, reconciler: Reconciler
) -> None:
    for of in range(35):
        put_there(sandbox, of)
    run_id = begin(deployment, with_students=True)
    pages: list[int] = []

    class Killed(Exception):
        pass

    def die_after_two(_counts: object) -> None:
        pages.append(1)
        if len(pages) == 2:
            raise Killed

    with deployment.writing() as session:
        claim = run_claims.claim(
            session, run_id, kind=RunKind.ADOPT, now=deployment.now, lease=LEASE
        )
    assert claim is not None
    with pytest.raises(Killed):
        adopt(reconciler, claim, progress=die_after_two)
    assert len(rows(deployment, Card)) == 20
    assert adopt_due(reconciler) == 0  # its lease holds

    deployment.clock.advance(LEASE + timedelta(seconds=1))
    assert adopt_due(reconciler) == 1
    assert len(rows(deployment, Card)) == len(rows(deployment, Student)) == 35
    assert set(verdicts(deployment, run_id).values()) == {"adopted_with_student"}


def test_a_run_without_its_lease_writes_nothing(
    deployment: Any, sandbox: Any, reconciler: Reconciler
) -> None:
    put_there(sandbox, 1)
    run_id = begin(deployment, with_students=True)
    with deployment.writing() as session:
        claim = run_claims.claim(
            session, run_id, kind=RunKind.ADOPT, now=deployment.now, lease=LEASE
        )
        reconciliations.abandon(session, RIGA, run_id, now=deployment.now)
    assert claim is not None

    assert adopt(reconciler, claim) is Outcome.LOST
    assert rows(deployment, Card) == rows(deployment, Student) == []


def test_a_router_that_is_down_puts_the_run_off(
    deployment: Any, sandbox: Any, reconciler: Reconciler
) -> None:
    escn = put_there(sandbox, 1)
    run_id = begin(deployment, with_students=True)
    sandbox.fault(status=503, times=100)
    assert adopt_due(reconciler) == 0
    sandbox.heal()
    deployment.clock.advance(timedelta(hours=2))
    assert adopt_due(reconciler) == 1

    assert verdicts(deployment, run_id) == {escn: "adopted_with_student"}


def test_a_card_that_cannot_be_read_is_noted_and_the_others_go_on(
    sandbox: Any, run: Adopt
) -> None:
    first, second = put_there(sandbox, 1), put_there(sandbox, 2)
    sandbox.fault(
        method="GET", path=f"/cards/{first}", status=400, body='{"code":"ER-0042","message":"x"}'
    )
    found = run(with_students=True)

    assert found == {first: "not_shown", second: "adopted_with_student"}


def test_numbers_that_were_adopted_are_never_minted(
    deployment: Any, sandbox: Any, run: Adopt
) -> None:
    from issuer.escn_clock import mint_escns, tick_of_escn  # noqa: PLC0415
    from verifier.escn import escn_at  # noqa: PLC0415
    from verifier.identifiers import Escn, Pic  # noqa: PLC0415

    with deployment.writing() as session:
        (last,) = mint_escns(session, pic=RIGA, prefix="001", count=1, now=deployment.clock())
    tick, sequence = tick_of_escn(Escn(last))
    taken = [
        escn_at(tick + step, clock_sequence=sequence, prefix="001", pic=Pic(RIGA))
        for step in (1, 2, 3)
    ]
    for of, escn in enumerate(taken):
        put_there(sandbox, of, cardNumber=escn)
    run(with_students=True)

    with deployment.writing() as session:
        minted = mint_escns(session, pic=RIGA, prefix="001", count=5, now=deployment.clock())
    assert set(minted).isdisjoint({last, *taken})
