"""The circuit: when the router is down, nothing is sent but a probe now and then.

It opens after failures in a row of different students' deliveries, since one record that the
router always fails on is not a router that is down. While it is open, one delivery at a time may
try again, at `probe_at`, ever later up to a minute; any real answer of the router, a refusal
too, closes it. All workers share it: it is one row, and there is one router.

A clock that is set back does not keep it open: a `probe_at` further away than the longest pause
has come. The transitions are pure; `issuer.esc_router.outcomes` calls `note`, which locks the
row before anything else of its transaction, so that its holder never waits for a row.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from issuer.tables import RouterCircuit

THRESHOLD = 3  # students whose deliveries failed, one after the other
FIRST_PROBE = timedelta(seconds=5)
LONGEST_PROBE = timedelta(minutes=1)
# A worker that dies while it probes leaves this much time until the next one tries.
PROBE_LASTS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Circuit:
    """The row's content.

    Attributes:
        failed: Students whose deliveries failed since the last answer, while it is closed.
        failures: How many these are; while it is open, with its failed probes.
        opened_at: Seconds; None while it is closed.
        probe_at: Seconds; when the next delivery may try, while it is open.
    """

    failed: frozenset[int] = frozenset()
    failures: int = 0
    opened_at: int | None = None
    probe_at: int = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing but a probe is sent."""
        return self.opened_at is not None


@dataclass(frozen=True, slots=True)
class Heard:
    """What deliveries heard of the router since the last time.

    Attributes:
        answered: There was a real answer among it.
        failed: Students whose deliveries got none.
        probe_failed: One of those was a probe.
    """

    answered: bool = False
    failed: frozenset[int] = frozenset()
    probe_failed: bool = False


def after(circuit: Circuit, heard: Heard, *, now: int, random: float) -> Circuit:
    """The circuit that follows.

    Args:
        circuit: As it was.
        heard: Since then.
        now: Seconds.
        random: From 0 to 1; spreads probes over half of the pause.
    """
    if heard.answered:
        return Circuit()
    if circuit.is_open:
        if not heard.probe_failed:
            return circuit  # stragglers of the time before it opened
        failures = circuit.failures + 1
        return replace(circuit, failures=failures, probe_at=_probe_at(failures, now, random))
    failed = circuit.failed | heard.failed
    if len(failed) < THRESHOLD:
        return replace(circuit, failed=failed, failures=len(failed))
    return Circuit(frozenset(), THRESHOLD, now, _probe_at(THRESHOLD, now, random))


def read(session: Session) -> Circuit:
    """The circuit as it stands."""
    return _circuit(session.exec(select(RouterCircuit)).one())


def note(session: Session, heard: Heard, *, now: int, random: float) -> bool:
    """Record what was heard; returns whether the circuit closed by it.

    It must be the first of its transaction that locks anything.
    """
    known = read(session)
    if after(known, heard, now=now, random=random) == known:
        return False
    row = session.exec(
        select(RouterCircuit).with_for_update().execution_options(populate_existing=True)
    ).one()
    before = _circuit(row)
    following = after(before, heard, now=now, random=random)
    row.failed_students = sorted(following.failed)
    row.failures, row.opened_at = following.failures, following.opened_at
    row.probe_at = following.probe_at
    session.add(row)
    session.flush()
    return before.is_open and not following.is_open


def take_probe(session: Session, *, now: int) -> bool:
    """Whether this worker is the one that may try again now."""
    far = now + int(LONGEST_PROBE.total_seconds())
    taken = (
        update(RouterCircuit)
        .where(
            col(RouterCircuit.opened_at).is_not(None),
            or_(col(RouterCircuit.probe_at) <= now, col(RouterCircuit.probe_at) > far),
        )
        .values(probe_at=now + int(PROBE_LASTS.total_seconds()))
    )
    return session.exec(taken).rowcount == 1


def _probe_at(failures: int, now: int, random: float) -> int:
    doublings = min(failures - THRESHOLD, 16)
    pause = min(FIRST_PROBE * 2.0**doublings, LONGEST_PROBE)
    return now + max(1, int(pause.total_seconds() * (0.5 + random / 2)))


def _circuit(row: RouterCircuit) -> Circuit:
    return Circuit(frozenset(row.failed_students), row.failures, row.opened_at, row.probe_at)
