"""What the standing conditions do to a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from hashlib import sha256
from math import ceil
from random import Random
from threading import Lock
from zlib import crc32

from starlette.types import Scope

from issuer.esc_router.sandbox.faults.answering import (
    CLOSED,
    STRANGE,
    Answer,
    refusal,
)
from issuer.esc_router.sandbox.faults.conditions import (
    AnyCondition,
    Condition,
    Downtime,
    Duplicates,
    Errors,
    Latency,
    LostReplies,
    RateLimit,
    StrangeAnswers,
)
from issuer.esc_router.sandbox.faults.once import authorization_of, fits

_COUNTERS = 65536  # requests are counted by a hash of method and path: memory stays the same


@dataclass(slots=True)
class Treatment:
    """How one request is served.

    Attributes:
        kind: Of the condition or fault that hit it; None for an ordinary one.
        delay: Seconds before it is processed.
        effect: It is processed, although `answer` is sent.
        answer: Sent instead of the router's.
        twice: It is processed twice, and this one of both answers is sent.
    """

    kind: str | None = None
    delay: float = 0.0
    effect: bool = True
    answer: Answer | None = None
    twice: str | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """One condition and one request."""

    random: Random
    now: datetime
    bucket: "_Bucket"


class _Bucket:
    """What one key may still ask for, by one condition."""

    def __init__(self) -> None:
        self.left: float | None = None
        self.at: datetime | None = None

    def take(self, limit: RateLimit, now: datetime) -> int | None:
        """Use one request up; returns seconds to wait if there is none left."""
        passed = max(0.0, (now - self.at).total_seconds()) if self.at else 0.0
        before = limit.burst if self.left is None else self.left
        self.left, self.at = min(limit.burst, before + passed * limit.per_second), now
        if self.left < 1:
            return max(1, ceil((1 - self.left) / limit.per_second))
        self.left -= 1
        return None


class Conditions:
    """The conditions that stand; used by many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._standing: list[AnyCondition] = []
        self._asked = [0] * _COUNTERS
        self._buckets: dict[tuple[int, bytes], _Bucket] = {}

    def replace(self, conditions: Sequence[AnyCondition]) -> None:
        """Forget the old ones and what was counted for them."""
        with self._lock:
            self._standing = list(conditions)
            self._asked = [0] * _COUNTERS
            self._buckets = {}

    def standing(self) -> list[AnyCondition]:
        """All, in their order."""
        with self._lock:
            return list(self._standing)

    def treat(self, scope: Scope, now: datetime) -> Treatment:
        """How this request is served: all that wait add up, the first other one decides."""
        treatment = Treatment()
        with self._lock:
            if not self._standing:
                return treatment
            request = f"{scope['method']} {scope['path']}"
            place = crc32(request.encode()) % _COUNTERS
            self._asked[place] += 1
            for number, condition in enumerate(self._standing):
                if not fits(condition, scope):
                    continue
                key = sha256(authorization_of(scope)).digest()
                bucket = self._buckets.setdefault((number, key), _Bucket())
                # Not the order in which requests arrive: their own history.
                seed = f"{condition.seed}:{number}:{request}:{self._asked[place]}"
                case = _Case(Random(seed), now, bucket)  # noqa: S311 - to be repeatable
                _merge(treatment, _treat(condition, case))
        return treatment


def _merge(treatment: Treatment, found: Treatment | None) -> None:
    if found is None:
        return
    treatment.delay += found.delay
    if treatment.kind in (None, "latency"):
        treatment.kind, treatment.effect = found.kind, found.effect
        treatment.answer, treatment.twice = found.answer, found.twice


@singledispatch
def _treat(_condition: Condition, _case: _Case) -> Treatment | None:
    """What a condition does to a request: nothing, or a treatment."""
    return None


@_treat.register
def _wait(condition: Latency, case: _Case) -> Treatment | None:
    if case.random.random() >= condition.share:
        return None
    delay = condition.seconds + case.random.random() * condition.spread_seconds
    return Treatment(condition.kind, delay=delay)


@_treat.register
def _fail(condition: Errors, case: _Case) -> Treatment | None:
    if case.random.random() >= condition.share:
        return None
    answer = refusal(case.random.choice(condition.statuses))
    return Treatment(condition.kind, effect=condition.effect, answer=answer)


@_treat.register
def _lose(condition: LostReplies, case: _Case) -> Treatment | None:
    if case.random.random() >= condition.share:
        return None
    return Treatment(condition.kind, answer=CLOSED)


@_treat.register
def _duplicate(condition: Duplicates, case: _Case) -> Treatment | None:
    if case.random.random() >= condition.share:
        return None
    return Treatment(condition.kind, twice=condition.answer)


@_treat.register
def _babble(condition: StrangeAnswers, case: _Case) -> Treatment | None:
    if case.random.random() >= condition.share:
        return None
    answer = STRANGE[case.random.choice(condition.manners)]
    return Treatment(condition.kind, effect=condition.effect, answer=answer)


@_treat.register
def _limit(condition: RateLimit, case: _Case) -> Treatment | None:
    wait = case.bucket.take(condition, case.now)
    if wait is None:
        return None
    return Treatment(condition.kind, effect=False, answer=refusal(429, retry_after=wait))


@_treat.register
def _be_down(condition: Downtime, case: _Case) -> Treatment | None:
    if not condition.start <= case.now < condition.until:
        return None
    left = ceil((condition.until - case.now).total_seconds())
    answers = {
        "unavailable": refusal(503, retry_after=left if condition.announced else None),
        "closed": CLOSED,
        "maintenance_page": STRANGE["html"],
    }
    return Treatment(condition.kind, effect=False, answer=answers[condition.manner])
