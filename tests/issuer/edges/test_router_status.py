"""`esc-router status`: all in step or not at a glance, for people and for scripts."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from issuer.cli import refusals
from issuer.store import institutions, students, worker_rounds
from issuer.store.reconciliations import Repair, RunKind, RunState
from issuer.store.worker_rounds import WorkerJob
from issuer.tables import (
    Card,
    Delivery,
    Erasure,
    Institution,
    Reconciliation,
    RouterCircuit,
    RouterDifference,
)
from tests.issuer.conftest import card_row, student_row
from tests.issuer.edges.conftest import OTHER_PIC, PIC

WHY = "no usable answer (status 503)"
TERMINAL = 80  # columns


def _ago(seconds: int) -> int:
    """An instant before the present, which commands take from the system's clock."""
    return int(time.time()) - seconds


@pytest.fixture
def environment(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Session
) -> dict[str, str]:
    """Of a deployment with two institutions."""
    session.rollback()
    monkeypatch.setattr("issuer.cli.printing.out.width", TERMINAL)
    values = {
        "DATABASE_URL": database_url,
        "PUBLIC_URL": "http://127.0.0.1:8001",
        "KEYS_DIR": f"{tmp_path}/keys",
        "KEY_PASSPHRASE_FILE": f"{tmp_path}/passphrase",
        "SECRET_FILE": f"{tmp_path}/secret",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ESC_ISSUER_{name}", value)
    return values


@pytest.fixture
def institution(session: Session) -> Institution:
    """With a router key and a worker that was seen a moment ago."""
    row = institutions.by_pic(session, PIC)
    assert row is not None
    row.sealed_router_key = b"sealed"
    worker_rounds.note(session, WorkerJob.DELIVERIES, now=_ago(0))
    session.commit()
    return row


@pytest.fixture
def registered(session: Session, institution: Institution) -> Card:
    """A card that the router has."""
    assert institution
    student = students.add(session, student_row())
    card = card_row(student)
    card.router_registered_at = student.router_registered_at = _ago(60)
    session.add(card)
    session.flush()
    session.add(_delivery(card, state="delivered", delivered_at=_ago(60)))
    session.commit()
    return card


def _delivery(card: Card, **values: Any) -> Delivery:
    row = {"pic": card.pic, "student_id": card.student_id, "escn": card.escn}
    times = {"created_at": _ago(7300), "next_attempt_at": _ago(-60)}
    return Delivery(**row | times | {"state": "waiting"} | values)


def _shown(run: Any, session: Session, *words: str) -> tuple[int, str]:
    session.commit()
    code, text = run("esc-router", "status", *words)
    assert max(len(line) for line in text.splitlines()) <= TERMINAL
    return code, text


def test_an_unknown_institution_is_refused(run: Any) -> None:
    code, words = run("esc-router", "status", "999999999")
    assert (code, "999999999" in words) == (refusals.REFUSED, True)


def test_nothing_to_register_is_in_step(run: Any, session: Session) -> None:
    code, words = _shown(run, session)
    assert code == refusals.OK
    assert words.startswith("In step")


def test_a_registered_card_is_in_step(run: Any, session: Session, registered: Card) -> None:
    assert registered
    code, words = _shown(run, session, PIC)
    assert code == refusals.OK
    assert f"{PIC} Daugava University: in step" in words
    assert "1: 1 registered" in words
    assert "→" not in words


def test_a_key_that_is_missing_keeps_what_waits_and_is_the_first_thing_to_do(
    run: Any, session: Session, registered: Card, institution: Institution
) -> None:
    institution.sealed_router_key = None
    session.add(_delivery(registered))
    code, words = _shown(run, session)
    assert code == refusals.REFUSED
    assert words.startswith("Not in step: 1 of 2 institutions")
    assert "none is stored" in words
    assert f"\n    python -m issuer router-key set {PIC}\n" in words


def test_a_refused_key_is_told_although_nothing_waits(
    run: Any, session: Session, institution: Institution
) -> None:
    institution.router_key_refused_at = _ago(600)
    code, words = _shown(run, session, PIC)
    assert code == refusals.REFUSED
    assert "refused since" in words
    assert f"router-key set {PIC}" in words


def test_what_fails_is_told_with_since_when_why_and_when_it_is_tried_again(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered, failing_since=_ago(7200), last_error=WHY))
    code, words = _shown(run, session, PIC)
    assert code == refusals.REFUSED
    flat = " ".join(words.split())
    assert "1 delivery since" in flat
    assert f"(2 h): {WHY}; tried again at" in flat
    assert "tried again by itself" in flat


def test_what_was_refused_is_told_with_the_command_that_lists_it(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered, state="stopped", last_error="ER-0003: no (status 400)"))
    code, words = _shown(run, session, PIC)
    assert code == refusals.REFUSED
    assert "ER-0003: no (status 400)" in " ".join(words.split())
    assert f"python -m issuer esc-router deliveries list {PIC}" in words


def test_a_refusal_is_over_when_the_same_was_delivered_since(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered, state="stopped", last_error=WHY))
    session.flush()
    session.add(_delivery(registered, state="delivered", delivered_at=_ago(10)))
    code, words = _shown(run, session, PIC)
    assert (code, "Refused" in words) == (refusals.OK, False)


def test_a_worker_that_is_not_running_is_missed(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered))
    assert "python -m issuer worker" not in _shown(run, session, PIC)[1]
    worker_rounds.note(session, WorkerJob.DELIVERIES, now=_ago(3600))
    delivered = select(Delivery).where(Delivery.state == "delivered")
    session.exec(delivered).one().delivered_at = _ago(3600)
    assert "\n    python -m issuer worker\n" in _shown(run, session, PIC)[1]


def test_a_router_that_is_down_is_told_with_the_next_probe(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered))
    session.merge(RouterCircuit(id=1, failures=9, opened_at=_ago(600), probe_at=_ago(-60)))
    words = " ".join(_shown(run, session, PIC)[1].split())
    assert "does not answer since" in words
    assert "(10 min)" in words


def test_an_erasure_under_way_is_not_in_step(run: Any, session: Session, registered: Card) -> None:
    session.add(
        Erasure(
            pic=PIC, student_id=registered.student_id, requested_by="cli", requested_at=_ago(5)
        )
    )
    code, words = _shown(run, session, PIC)
    assert (code, "1 under way" in words) == (refusals.REFUSED, True)


def _reconciled(session: Session, *repairs: Repair) -> None:
    run = Reconciliation(
        pic=PIC,
        kind=RunKind.RECONCILE,
        repairs=[],
        requested_by="cli",
        state=RunState.FINISHED,
        phase="end",
        pace=1.0,
        counts={},
        next_attempt_at=_ago(0),
        created_at=_ago(200),
        finished_at=_ago(100),
    )
    session.add(run)
    session.flush()
    for number, repair in enumerate(repairs):
        session.add(
            RouterDifference(
                reconciliation_id=run.id,
                kind="status_differs",
                subject=f"student:{number}",
                repair=repair,
            )
        )


def test_differences_that_nothing_was_done_about_are_not_in_step(
    run: Any, session: Session, registered: Card
) -> None:
    assert registered
    _reconciled(session, Repair.REPORTED, Repair.PLANNED)
    code, words = _shown(run, session, PIC)
    assert code == refusals.REFUSED
    flat = " ".join(words.split())
    assert "2 differences (2 status differs), 1 left" in flat
    assert "esc-router reconcile" in flat


def test_a_reconciliation_that_found_nothing_says_so(
    run: Any, session: Session, registered: Card
) -> None:
    assert registered
    _reconciled(session)
    code, words = _shown(run, session, PIC)
    assert (code, "both sides equal" in words) == (refusals.OK, True)


def test_scripts_get_the_document_of_the_staff_api(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered))
    session.commit()
    code, text = run("esc-router", "status", "--json")
    documents = {one["pic"]: one for one in json.loads(text)}
    assert code == refusals.REFUSED
    assert documents[OTHER_PIC]["is_in_step"] is True
    assert documents[PIC]["cards"]["waiting"] == 1
    assert documents[PIC]["oldest_waiting_at"].endswith("Z")


def test_no_person_is_named(run: Any, session: Session, registered: Card) -> None:
    session.add(_delivery(registered, state="stopped", last_error=WHY))
    text = _shown(run, session, PIC)[1]
    for personal in ("Bērziņa", "esi:", registered.escn):
        assert personal not in text


def test_one_card_is_told_with_since_when_and_why_it_fails(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered, failing_since=_ago(7200), last_error=WHY, attempts=5))
    session.commit()
    words = run("cards", "show", registered.escn)[1]
    assert "failing" in words
    assert WHY in words


def test_cards_are_listed_by_where_they_stand(
    run: Any, session: Session, registered: Card
) -> None:
    session.add(_delivery(registered, failing_since=_ago(7200), last_error=WHY))
    session.commit()
    assert "1 cards" in run("cards", "list", PIC, "--router", "failing")[1]
    assert "0 cards" in run("cards", "list", PIC, "--router", "registered")[1]
