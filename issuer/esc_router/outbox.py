"""The outbox to the ESC-Router: which students' deliveries may be tried now, and by whom.

A worker claims all that waits of a student with a lease, in one short transaction, speaks to the
router outside of any, and records the outcomes in another (`issuer.esc_router.outcomes`). A
worker that dies leaves a lease that runs out; one that is only slow finds its lease over and
records nothing: another worker may have taken it, and a change made since then counts on a
delivery that is still waiting.

Order: of one student the person goes before cards, and the older card first. Nothing of a
student is claimed while another worker has something of them. An institution that must wait (no
usable key, or the router asked it to) is not looked at; the others take turns, so that a large
backlog of one does not keep a single card of another. While the circuit is open only its probe
is claimed: any one student, due or not.

Clocks are set, and the times in the rows are another's clock's at times: a lease or a pause that
lies further ahead than any that is given is over (see `issuer.esc_router.pauses` too).

Whoever claims or records never waits for a row of a student, a card or a delivery: what somebody
else has locked is left for the next time (PostgreSQL, SKIP LOCKED). So no circle of
transactions that wait for each other goes through a worker, whatever order staff's lock them in.

`issuer.store.deliveries.want` writes deliveries; here is what the worker does with them.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import SystemRandom, token_hex
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, update
from sqlmodel import Session, col, select

from issuer.esc_router import circuit
from issuer.esc_router.pauses import LONGEST_PAUSE
from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery, Institution, Student

LONGEST_LEASE = timedelta(minutes=5)  # that any worker takes; one further ahead is over
_MORE = 8  # looked at beyond what is asked for: some students are busy
_PROBED = 16  # of so many one is the probe: not always the same record, which may be the fault
_RANDOM = SystemRandom()


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker alone may try until its lease runs out."""

    delivery_id: int
    lease: str
    pic: str
    student_id: int
    escn: str | None
    attempts: int  # this one included
    start_by: int  # later than this, too little of the lease is left to begin
    leased_until: int
    is_probe: bool = False


def claim_due(
    session: Session, *, now: int, lease: timedelta, limit: int
) -> list[tuple[Claim, ...]]:
    """Take what waits of up to `limit` students of whom something is due.

    Args:
        session: Of a transaction of its own; commit it before the first request.
        now: The present.
        lease: How long each may take, at most LONGEST_LEASE; longer than its requests can last.
        limit: Students, at least 1.

    Returns:
        Each student's deliveries in their order.
    """
    is_probe = circuit.read(session).is_open
    if is_probe and not circuit.take_probe(session, now=now):
        return []
    due_by = None if is_probe else now
    times = _Times(now, due_by, now + _seconds(lease))
    found = _candidates(session, times, _PROBED if is_probe else limit)
    if is_probe:
        _RANDOM.shuffle(found)
    students = _locked_students(session, found)[: 1 if is_probe else limit]
    rows = _waiting_of(session, students, times)
    taken = {row.student_id: None for row in rows}
    token = token_hex(16)
    _lease(session, rows, token, times)
    claims = defaultdict(list)
    for row in rows:
        claims[row.student_id].append(_claim(row, token, times, is_probe=is_probe))
    return [tuple(claims[student]) for student in students if student in taken]


@dataclass(frozen=True, slots=True)
class _Times:
    now: int
    due_by: int | None  # None: whatever waits is due
    leased_until: int

    @property
    def is_free(self) -> ColumnElement[bool]:
        leased_until = col(Delivery.leased_until)
        return or_(leased_until <= self.now, leased_until > self.now + _seconds(LONGEST_LEASE))

    @property
    def is_due(self) -> ColumnElement[bool]:
        waiting = and_(col(Delivery.state) == DeliveryState.WAITING.value, self.is_free)
        if self.due_by is None:
            return waiting
        return and_(waiting, col(Delivery.next_attempt_at) <= self.due_by)

    def is_taken(self, leased_until: int) -> bool:
        return self.now < leased_until <= self.now + _seconds(LONGEST_LEASE)


def _candidates(session: Session, times: _Times, limit: int) -> list[int]:
    """Students, the longest due first: of each institution its share, and then some more."""
    found: list[int] = []
    spare: list[int] = []
    pics = _institutions(session, times)
    _RANDOM.shuffle(pics)
    for index, pic in enumerate(pics):
        share = math.ceil((limit - len(found)) / (len(pics) - index))
        due = (
            select(col(Delivery.student_id))
            .where(col(Delivery.pic) == pic, times.is_due)
            .order_by(col(Delivery.next_attempt_at), col(Delivery.id))
            .limit(share + _MORE)
        )
        students = list(dict.fromkeys(session.exec(due)))
        found += students[:share]
        spare += students[share:]
    return found + spare


def _institutions(session: Session, times: _Times) -> list[str]:
    paused_until = col(Institution.router_paused_until)
    far = times.now + _seconds(LONGEST_PAUSE)
    has_work = select(1).where(col(Delivery.pic) == col(Institution.pic), times.is_due).exists()
    usable = select(col(Institution.pic)).where(
        col(Institution.sealed_router_key).is_not(None),
        col(Institution.router_key_refused_at).is_(None),
        or_(paused_until <= times.now, paused_until > far),
        has_work,
    )
    return list(session.exec(usable))


def _locked_students(session: Session, students: Sequence[int]) -> list[int]:
    # Two workers never claim of one student at once. NO KEY, since inserting a card or a delivery
    # of the student must not wait.
    if not students:
        return []
    lock = (
        select(col(Student.id))
        .where(col(Student.id).in_(students))
        .with_for_update(skip_locked=True, key_share=True)
    )
    locked = set(session.exec(lock))
    return [student for student in students if student in locked]


def _waiting_of(session: Session, students: Sequence[int], times: _Times) -> list[Row[Any]]:
    """All that waits of these students, in order, without those whom somebody else is at."""
    if not students:
        return []
    columns = ("id", "pic", "student_id", "escn", "attempts", "leased_until")
    waiting = (
        select(*(Delivery.__table__.c[name] for name in columns))  # type: ignore[attr-defined]
        .where(
            col(Delivery.student_id).in_(students),
            col(Delivery.state) == DeliveryState.WAITING.value,
        )
        .order_by(col(Delivery.escn).is_not(None), col(Delivery.id))
    )
    rows = session.connection().execute(waiting).all()
    busy = {row.student_id for row in rows if times.is_taken(row.leased_until)}
    busy |= _changing(session, rows)
    return [row for row in rows if row.student_id not in busy]


def _changing(session: Session, rows: Sequence[Row[Any]]) -> set[int]:
    """Students of whom somebody holds a delivery at this moment (PostgreSQL)."""
    if session.get_bind().dialect.name == "sqlite":
        return set()
    lock = (
        select(col(Delivery.id))
        .where(
            col(Delivery.id).in_([row.id for row in rows]),
            # Rows are read anew when they are locked: staff may have discarded one meanwhile.
            col(Delivery.state) == DeliveryState.WAITING.value,
        )
        .with_for_update(skip_locked=True, key_share=True)
    )
    locked = set(session.exec(lock))
    return {row.student_id for row in rows if row.id not in locked}


def _lease(session: Session, rows: Collection[Row[Any]], token: str, times: _Times) -> None:
    if rows:
        session.exec(
            update(Delivery)
            .where(col(Delivery.id).in_([row.id for row in rows]))
            .values(
                lease=token,
                leased_until=times.leased_until,
                attempts=col(Delivery.attempts) + 1,
            )
        )


def _claim(row: Row[Any], token: str, times: _Times, *, is_probe: bool) -> Claim:
    return Claim(
        delivery_id=row.id,
        lease=token,
        pic=row.pic,
        student_id=row.student_id,
        escn=row.escn,
        attempts=row.attempts + 1,
        start_by=times.now + (times.leased_until - times.now) // 2,
        leased_until=times.leased_until,
        is_probe=is_probe,
    )


def _seconds(time: timedelta) -> int:
    return math.ceil(time.total_seconds())
