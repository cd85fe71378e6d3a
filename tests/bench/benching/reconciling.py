"""Reconciling an institution's cards with the sandbox, in a process whose memory is measured."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benching.deployment import ROOT, Deployment, running
from benching.measuring import Effort, Figure, Kind
from benching.world import PIC
from sqlalchemy import update
from sqlmodel import Session, select

from issuer.clock import seconds_of
from issuer.esc_router.sandbox.records import Card as CardThere
from issuer.esc_router.sandbox.records import Enrolment
from issuer.esc_router.sandbox.store import Store
from issuer.esc_router.wanted import wanted_card, wanted_person
from issuer.settings import load_sealer
from issuer.store import institutions
from issuer.tables import Card, Delivery, Institution, Student

KEY = "a-key-for-a-benchmark"
THREADS = 4
MOST_MEMORY = 200_000_000  # bytes
HERE = Path(__file__).parent


def measure(effort: Effort) -> Iterator[Figure]:
    """Calls a second against bare httpx, turn by turn; and the memory of a whole run's process."""
    count = effort.of(2_000, 30)
    floors, ours = [], []
    with _equal_sides(count) as (url, folder):
        for _ in range(effort.of(3, 1)):
            floors.append(_asked("bare_reads.py", url, KEY, str(THREADS)))
            ours.append(_asked("reconcile_once.py", url, folder, str(THREADS)))
    floor = max(floors, key=lambda one: one["rate"])
    best = max(ours, key=lambda one: one["rate"])
    if best["differences"] or best["calls"] != floor["calls"]:
        raise RuntimeError(f"expected two equal sides, got {best} against {floor}")
    what = f"reconciliation of {count:,} cards, calls of the router"
    floor_is = f"bare httpx, the same reads, {THREADS} at once"
    note = f"{best['calls']:,} calls: ten persons or cards a page, and one read for each card"
    yield Figure(what, floor_is, 0.5, floor["rate"], best["rate"], Kind.RATE, note)
    count = effort.of(count, count, full=100_000)
    if effort.full:
        with _equal_sides(count) as (url, folder):
            ours = [_asked("reconcile_once.py", url, folder, str(THREADS))]
    memory = max(one["memory"] for one in ours)
    what = f"… the most memory of its process, {count:,} cards"
    note = f"{ours[-1]['calls']:,} calls in {ours[-1]['seconds']:.0f} s"
    yield Figure(what, "200 MB", MOST_MEMORY, None, memory, Kind.SIZE, note)


@contextmanager
def _equal_sides(count: int) -> Iterator[tuple[str, str]]:
    """A router's address and our folder, which hold the same students with a card each."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        deployment.import_cards(count)
        there = Path(folder) / "router.db"
        _make_equal(deployment, there)
        deployment.engine.dispose()
        words = ("--port", "0", "--database", str(there), "--no-page")
        known = ("--organisation", f"{PIC}:Daugava University:{KEY}")
        with running("-m", "issuer.esc_router.sandbox", *words, *known) as port:
            yield f"http://127.0.0.1:{port}/esc-rest", folder


def _make_equal(deployment: Deployment, there: Path) -> None:
    """The router's file holds what ours does, as if all had been delivered."""
    store = Store(there)
    at = seconds_of(deployment.now) - 60
    with Session(deployment.engine) as session, session.begin():
        sealed = load_sealer(deployment.folder / "secret").seal(KEY.encode())
        institutions.store_router_key(session, PIC, sealed)
        institution = session.get_one(Institution, PIC)
        rows = session.exec(select(Card, Student).where(Card.student_id == Student.id))
        with store.transaction() as stored:
            for card, student in rows.yield_per(1_000):
                person, wanted = wanted_person(student), wanted_card(card, student, institution)
                assert wanted is not None
                (ours,) = person.person_organisation_update_views
                level = ours.academic_level
                stored.persons.save(person.identifier, None)
                enrolment = Enrolment(PIC, ours.full_name, ours.email, level)
                stored.persons.save_enrolment(person.identifier, enrolment)
                stored.cards.save(
                    CardThere(
                        card.escn,
                        wanted.card_status_type.value,
                        wanted.card_type.value,
                        None,
                        wanted.issued_at,
                        wanted.expires_at,
                        PIC,
                        person.identifier,
                        None,
                    )
                )
        session.exec(update(Delivery).values(state="delivered", delivered_at=at))
        for table in (Student, Card):
            session.exec(update(table).values(router_registered_at=at, updated_at=at))
    store.close()


def _asked(script: str, *words: str) -> dict[str, Any]:
    command = [sys.executable, str(HERE / script), *words]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE.parent}"}
    answer = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env=environment, timeout=7_200
    )
    return json.loads(answer.stdout)
