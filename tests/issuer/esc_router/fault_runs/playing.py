"""One run: workers, staff, a router's bad days and sudden deaths; at the end both sides."""

from dataclasses import dataclass, field
from random import Random

from pydantic import TypeAdapter
from sqlalchemy.exc import DBAPIError

from issuer.esc_router.sandbox.faults.conditions import AnyCondition
from issuer.sealing import Sealer
from tests.issuer.esc_router.fault_runs import comparing
from tests.issuer.esc_router.fault_runs.staff import Staff
from tests.issuer.esc_router.fault_runs.stage import KEYS, SECRET, Stage
from tests.issuer.esc_router.fault_runs.weather import HANGS_SECONDS, bad_weather

NOON = 1_795_435_200.0  # 2026-11-23T12:00:00Z
_CONDITIONS = TypeAdapter(list[AnyCondition])
_TICKS = (1, 1, 2, 3, 7, 31, 125, 700)  # seconds
_STEPS = (-86400, -3600, 3600, 86400)  # seconds by which a clock is set
_LAST_TICK = 1300  # seconds; the longest pause is an hour
_LAST_TICKS = 100
_TWICE = ("duplicates", "lost_replies")


@dataclass
class Outcome:
    """What became of one run.

    Attributes:
        seed: Play it again with this.
        wrong: Everything that should not be, in words; empty for a good run.
    """

    seed: int
    database: str
    wrong: list[str] = field(default_factory=list)
    kills: int = 0
    database_kills: int = 0
    clock_steps: int = 0
    keys_refused: int = 0
    sent_again: int = 0  # deliveries that the router had refused for good
    staff_changes: int = 0
    requests: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    repeated: int = 0  # requests that had taken effect when they were sent again
    cards: int = 0
    enrolments: int = 0


def rehearse(stage: Stage) -> None:
    """Let the nursery deliver something once, so that no worker has to find out how."""
    stage.begin(NOON)
    keys = dict(list(KEYS.items())[:1])
    staff = Staff(stage.engine, stage.clock, Random(0), Sealer(SECRET.encode()), keys)
    staff.found_institutions()
    stage.warm_up()


class Run:
    """One run on a stage."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        # What staff do follows from what there is: its randomness is its own.
        self._random = Random(f"{seed}: what happens")
        keys = dict(list(KEYS.items())[: self._random.randint(1, len(KEYS))])
        self._staff = Staff(stage.engine, stage.clock, self._random, Sealer(SECRET.encode()), keys)
        self.outcome = Outcome(seed, stage.database.name)
        self._database_kills_before = stage.database.kills
        self._may_overlap = False

    def play(self) -> Outcome:
        """From an empty database to the comparison."""
        self._stage.begin(NOON + self._random.random())
        self._staff.found_institutions()
        try:
            for _ in range(self._random.randint(2, 5)):
                self._act()
            self._calm_down()
        finally:
            self._stage.kill_workers()
        self._compare()
        return self.outcome

    def _act(self) -> None:
        stage, random = self._stage, self._random
        weather = bad_weather(random, stage.clock())
        stage.app.state.conditions.replace(_CONDITIONS.validate_python(weather))
        is_patient = not any(found.get("seconds") == HANGS_SECONDS for found in weather)
        self._may_overlap |= not is_patient
        self._revoke_or_renew_keys()
        started = random.randint(1, stage.database.workers)
        for slot in range(1, started + 1):
            dies_after = random.choice([None, random.randint(1, 25), random.randint(1, 250)])
            stage.start_worker(
                slot,
                threads=random.randint(1, 3),
                dies_after=dies_after,
                is_patient=is_patient,
            )
        for _ in range(random.randint(1, 6)):
            self._staff_may_act(0.6)
            if self._comes_true(0.1):
                self._kill_database()
            if self._comes_true(0.04):
                self._set_clock()
                self._may_overlap = True
            if not stage.wait_for_rest():
                break
            self._staff_may_act(0.2)
            if self._comes_true(0.06):
                self._set_clock()
            stage.clock.advance(random.choice(_TICKS))
        died = started - len(stage.living())
        self.outcome.kills += died + stage.kill_workers()
        stage.clock.advance(random.choice(_TICKS))

    def _calm_down(self) -> None:
        """No more faults; the workers go on until nothing changes."""
        stage = self._stage
        stage.heal()
        for pic in KEYS:
            stage.app.state.sandbox.organisations.reinstate(pic)
        self.outcome.keys_refused += self._staff.renew_refused_keys()
        self.outcome.sent_again += self._staff.send_stopped_again()
        for slot in range(1, stage.database.workers + 1):
            stage.start_worker(slot, threads=2, dies_after=None)
        for _ in range(_LAST_TICKS):
            assert stage.wait_for_rest(), "a worker died by itself"
            if not comparing.unfinished(stage.engine):
                break
            stage.clock.advance(_LAST_TICK)

    def _revoke_or_renew_keys(self) -> None:
        organisations = self._stage.app.state.sandbox.organisations
        for pic in self._staff.keys:
            if self._comes_true(0.1):
                organisations.revoke(pic)
            elif organisations.is_revoked(pic):
                organisations.reinstate(pic)
        if self._random.random() < 0.5:
            self.outcome.keys_refused += self._staff.renew_refused_keys()

    def _staff_may_act(self, probability: float) -> None:
        while self._comes_true(probability):
            try:
                self._staff.something()
            except DBAPIError:
                self._stage.engine.dispose()  # the database died; nobody knows what was committed

    def _set_clock(self) -> None:
        self._stage.clock.advance(self._random.choice(_STEPS))
        self.outcome.clock_steps += 1

    def _kill_database(self) -> None:
        self._stage.database.kill(self._random)
        self._stage.engine.dispose()

    def _comes_true(self, probability: float) -> bool:
        return self._random.random() < probability

    def _compare(self) -> None:
        stage, outcome = self._stage, self.outcome
        ours = comparing.our_side(stage.engine)
        theirs = comparing.router_side(stage.app.state.sandbox.store)
        counts = stage.app.state.journal.counts()
        lost = comparing.missing_cards(stage.engine, self._staff.acknowledged)
        outcome.wrong += [
            *comparing.differences(ours, theirs),
            *comparing.unfinished(stage.engine),
            *(f"card {escn} was committed and is gone" for escn in sorted(lost)),
        ]
        # Leases are times: when the clock is set while one is held, another may begin; and a
        # request that was given up may still be under way when it is made again. That both sides
        # are equal in the end must hold all the same.
        if not self._may_overlap:
            subjects = sorted(counts.overlaps)
            outcome.wrong += [f"{subject} was written to twice at once" for subject in subjects]
        outcome.database_kills = stage.database.kills - self._database_kills_before
        outcome.staff_changes = self._staff.done
        outcome.requests, outcome.faults = counts.requests, dict(counts.faults)
        outcome.repeated = counts.statuses[409] + sum(map(counts.faults.__getitem__, _TWICE))
        outcome.cards, outcome.enrolments = len(theirs.cards), len(theirs.enrolments)
