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

from sqlalchemy import and_, bindparam, exists, func, or_, select, text, update
from sqlmodel import Session, col

from issuer.esc_router import circuit
from issuer.esc_router.pauses import LONGEST_PAUSE, seconds_of_pause
from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery, Institution, Student

LONGEST_LEASE = timedelta(minutes=5)  # that any worker takes; one further ahead is over
_MORE = 8  # students looked at beyond what is asked for: some are busy
_AT_ONCE = 4  # institutions of one claim, by lot: each costs a query
_PROBED = 16  # of so many one is the probe: not always the same record, which may be the fault
_ANY_TIME = 2**62
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
    _plan_by_index(session)
    found = _candidates(session, _Times(now, is_probe), _PROBED if is_probe else limit)
    if is_probe:
        _RANDOM.shuffle(found)
    students = _ids(session, _HOLD_STUDENTS, found)[: 1 if is_probe else limit]
    rows = _waiting_of(session, students, now)
    token, leased_until = token_hex(16), now + seconds_of_pause(lease)
    _lease(session, rows, token, leased_until)
    claims = defaultdict(list)
    for row in rows:
        claims[row.student_id].append(
            Claim(
                delivery_id=row.id,
                lease=token,
                pic=row.pic,
                student_id=row.student_id,
                escn=row.escn,
                attempts=row.attempts + 1,
                start_by=now + (leased_until - now) // 2,
                leased_until=leased_until,
                is_probe=is_probe,
            )
        )
    return [tuple(claims[student]) for student in students if student in claims]


# The statements are made once: making one takes longer than either database needs for it.
_WAITING = DeliveryState.WAITING.value
_DUE = and_(
    col(Delivery.state) == _WAITING,
    col(Delivery.next_attempt_at) <= bindparam("due_by"),
    or_(
        col(Delivery.leased_until) <= bindparam("now"),
        col(Delivery.leased_until) > bindparam("leased_by_nobody"),
    ),
)
_INSTITUTIONS = select(col(Institution.pic)).where(
    col(Institution.sealed_router_key).is_not(None),
    col(Institution.router_key_refused_at).is_(None),
    or_(
        col(Institution.router_paused_until) <= bindparam("now"),
        col(Institution.router_paused_until) > bindparam("paused_by_nobody"),
    ),
    exists().where(col(Delivery.pic) == col(Institution.pic), _DUE),
)
_STUDENTS = (
    select(col(Delivery.student_id))
    .where(col(Delivery.pic) == bindparam("pic"), _DUE)
    .order_by(col(Delivery.next_attempt_at), col(Delivery.id))
    .limit(bindparam("limit"))
)
# Two workers never claim of one student at once. NO KEY, since inserting a card or a delivery of
# the student must not wait.
_HOLD_STUDENTS = (
    select(col(Student.id))
    .where(col(Student.id).in_(bindparam("ids", expanding=True)))
    .with_for_update(skip_locked=True, key_share=True)
)
_COLUMNS = ("id", "pic", "student_id", "escn", "attempts", "leased_until")
_WAITING_OF = select(*(Delivery.__table__.c[name] for name in _COLUMNS)).where(  # type: ignore[attr-defined]
    col(Delivery.student_id).in_(bindparam("ids", expanding=True)),
    # In a form that is no index's: few of a student's wait, and many of all.
    func.coalesce(Delivery.state, "") == _WAITING,
)
# Rows are read anew when they are locked: staff may have discarded one meanwhile.
_HOLD_WAITING = (
    select(col(Delivery.id))
    .where(col(Delivery.id).in_(bindparam("ids", expanding=True)), col(Delivery.state) == _WAITING)
    .with_for_update(skip_locked=True, key_share=True)
)
_LEASE = (
    update(Delivery.__table__)  # type: ignore[attr-defined]
    .where(col(Delivery.id).in_(bindparam("ids", expanding=True)))
    .values(
        lease=bindparam("token"),
        leased_until=bindparam("until"),
        attempts=col(Delivery.attempts) + 1,
    )
)


class _Times(dict[str, int]):
    """The moments that the statements compare with; of a probe, whatever waits is due."""

    def __init__(self, now: int, is_probe: bool) -> None:
        super().__init__(
            now=now,
            due_by=_ANY_TIME if is_probe else now,
            leased_by_nobody=now + seconds_of_pause(LONGEST_LEASE),
            paused_by_nobody=now + seconds_of_pause(LONGEST_PAUSE),
        )


def _plan_by_index(session: Session) -> None:
    """Let PostgreSQL read what is due from the index, in its order.

    Its statistics of an outbox are always behind: what they count as hardly anything may be
    100,000 rows since the import of a minute ago, which it would sort for each claim.
    """
    if session.get_bind().dialect.name != "sqlite":
        off = "set_config('enable_{}', 'off', true)"
        names = ("sort", "bitmapscan", "seqscan")
        session.connection().execute(text(f"SELECT {', '.join(map(off.format, names))}"))


def _candidates(session: Session, times: _Times, limit: int) -> list[int]:
    """Students, the longest due first: of each institution its share, and then some more."""
    found: list[int] = []
    spare: list[int] = []
    connection = session.connection()
    pics = list(connection.execute(_INSTITUTIONS, times).scalars())
    _RANDOM.shuffle(pics)
    chosen = pics[: min(_AT_ONCE, limit)]
    for index, pic in enumerate(chosen):
        share = math.ceil((limit - len(found)) / (len(chosen) - index))
        values = times | {"pic": pic, "limit": share + _MORE}
        students = list(dict.fromkeys(connection.execute(_STUDENTS, values).scalars()))
        found += students[:share]
        spare += students[share:]
    return found + spare


def _ids(session: Session, statement: Any, ids: Sequence[int]) -> list[int]:
    """Those of the numbers that the statement finds, in the order given."""
    if not ids:
        return []
    found = set(session.connection().execute(statement, {"ids": ids}).scalars())
    return [one for one in ids if one in found]


def _waiting_of(session: Session, students: Sequence[int], now: int) -> list[Any]:
    """All that waits of these students, in order, without those whom somebody else is at."""
    if not students:
        return []
    rows = list(session.connection().execute(_WAITING_OF, {"ids": students}))
    rows.sort(key=lambda row: (row.escn is not None, row.id))
    by_nobody = now + seconds_of_pause(LONGEST_LEASE)
    busy = {row.student_id for row in rows if now < row.leased_until <= by_nobody}
    if session.get_bind().dialect.name != "sqlite":
        free = set(_ids(session, _HOLD_WAITING, [row.id for row in rows]))
        busy |= {row.student_id for row in rows if row.id not in free}
    return [row for row in rows if row.student_id not in busy]


def _lease(session: Session, rows: Collection[Any], token: str, until: int) -> None:
    if rows:
        ids = [row.id for row in rows]
        session.connection().execute(_LEASE, {"ids": ids, "token": token, "until": until})
