"""Runs that are hindered, killed, moved under, and put off; and what they must leave alone."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from issuer.errors import RepairNotAllowed, RunUnderWay
from issuer.esc_router.differences import DifferenceKind
from issuer.esc_router.phases import Phase
from issuer.esc_router.reconciler import Outcome
from issuer.esc_router.reconciliation_plan import begin_due_runs, begin_run, forget_old_runs
from issuer.esc_router.reconciling import reconcile_due
from issuer.store import reconciliations, run_claims
from issuer.tables import Institution, Reconciliation, ReconciliationSeen, RouterDifference
from tests.issuer.esc_router.reconciling.conftest import (
    ALL_REPAIRS,
    ESI,
    PORTO,
    RIGA,
    THIRD,
    Sides,
)


def number(n: int) -> str:
    return f"{n:08x}-6423-103e-add8-001{RIGA}"


def damage(sides: Sides) -> set[str]:
    """Differences all over the lists; their card numbers."""
    for n in (3, 17, 31):
        sides.there.drop_card(number(n))
    for n in (5, 22, 39):
        sides.alter_card(number(n), type="PASSIVE")
    return {number(n) for n in (3, 5, 17, 22, 31, 39)}


def cards_of(sides: Sides, run_id: int) -> set[str | None]:
    return {difference.card_number for difference in sides.found(run_id)}


def rows(sides: Sides, table: type[Any]) -> list[Any]:
    with Session(sides.deployment.engine.execution_options(read_only=True)) as session:
        return list(session.exec(select(table)))


def test_a_dry_run_writes_nothing_anywhere(sides: Sides) -> None:
    sides.students(40)
    damage(sides)
    sides.put_there("stranger", 99)
    sides.sandbox.request("DELETE", f"/persons/{ESI}8")
    before = sides.dump()
    assert len(sides.reconcile()) == 10
    assert sides.dump() == before


def test_a_run_that_is_stopped_after_any_stretch_goes_on_where_it_was(sides: Sides) -> None:
    sides.students(45)
    damaged = damage(sides)
    run_id = sides.begin()
    for _ in range(40):
        reconciler = sides.new_reconciler()
        stop = reconciler.stop.set
        outcome = sides.go_on(run_id, reconciler, progress=lambda *_, stop=stop: stop())
        if outcome is Outcome.FINISHED:
            break
        assert outcome is Outcome.TURN_OVER
    assert outcome is Outcome.FINISHED
    assert cards_of(sides, run_id) == damaged
    assert sides.run(run_id).counts["calls"] <= 5 + 45 + 5 + 3 + 10


def test_a_process_that_lost_its_lease_records_nothing_more(sides: Sides) -> None:
    sides.students(12)
    run_id = sides.begin()

    def taken_over(_phase: Phase, _counts: dict[str, int]) -> None:
        if not taken:
            taken.append(sides.go_on(run_id))

    taken: list[Outcome] = []
    assert sides.go_on(run_id, progress=taken_over) is Outcome.LOST
    assert taken == [Outcome.FINISHED]
    assert sides.run(run_id).state == "finished"


def test_an_abandoned_run_ends_under_the_hands_of_whoever_works_on_it(sides: Sides) -> None:
    sides.students(12)
    run_id = sides.begin()

    def abandoned(_phase: Phase, _counts: dict[str, int]) -> None:
        if sides.run(run_id).finished_at is None:
            with sides.deployment.writing() as session:
                reconciliations.abandon(session, RIGA, run_id, now=sides.deployment.now)

    assert sides.go_on(run_id, progress=abandoned) is Outcome.LOST
    assert sides.run(run_id).state == "abandoned"
    with sides.deployment.writing() as session:
        forget_old_runs(session, now=sides.deployment.now)
    assert rows(sides, ReconciliationSeen) == []
    assert sides.begin() != run_id


def test_cards_that_move_up_while_the_list_is_paged_are_not_reported_missing(
    sides: Sides,
) -> None:
    sides.students(45)
    run_id = sides.begin()
    gone: list[str] = []

    def move_up(phase: Phase, _counts: dict[str, int]) -> None:
        # Whatever was listed already goes: all that follow move up, over the edge of the page.
        if phase is Phase.CARDS_THERE and len(gone) < 9:
            gone.append(number(len(gone)))
            sides.there.drop_card(gone[-1])

    sides.go_on(run_id, progress=move_up)
    found = sides.found(run_id)
    # They were there when they were compared: the next run will see that they went.
    assert {one.kind for one in found} <= {"missing_there"}
    assert {one.card_number for one in found} <= set(gone)
    assert {one.card_number for one in sides.reconcile()} == set(gone)


def test_an_unknown_card_is_found_although_the_list_moves_up(sides: Sides) -> None:
    sides.students(38)
    unknown = sides.put_there("stranger", 0x30)
    run_id = sides.begin()
    gone: list[int] = []

    def move_up(phase: Phase, counts: dict[str, int]) -> None:
        if phase is Phase.CARDS_THERE and counts.get("cards_there", 0) >= 30 and not gone:
            gone.extend(range(9))
            for n in gone:
                sides.there.drop_card(number(n))

    sides.go_on(run_id, progress=move_up)
    assert len(gone) == 9
    assert [one.card_number for one in sides.found(run_id)] == [unknown, None]


def test_what_changes_here_while_a_run_looks_is_no_difference(sides: Sides) -> None:
    sides.students(12)
    sides.deployment.change(number(3), "suspended")
    with sides.deployment.writing() as session:
        row = session.get_one(Institution, PORTO)
        assert row.router_repairs == []
    run_id = sides.begin()
    sides.go_on(run_id)
    assert sides.found(run_id) == []
    assert sides.run(run_id).counts["in_motion"] == 1
    sides.deliver()
    assert sides.reconcile() == []


def test_what_was_delivered_between_both_looks_is_no_difference(sides: Sides) -> None:
    sides.students(12)
    run_id = sides.begin()
    changed: list[str] = []

    def change(phase: Phase, _counts: dict[str, int]) -> None:
        if phase is Phase.CARDS_THERE and not changed:
            changed.append(number(11))
            sides.deployment.change(number(11), "suspended")
            sides.deliver()

    sides.go_on(run_id, progress=change)
    assert changed
    assert sides.found(run_id) == []


def test_a_new_card_that_was_not_delivered_yet_is_not_missed(sides: Sides) -> None:
    sides.students(3)
    sides.deployment.card(sides.deployment.student("new"), 50)
    assert sides.reconcile() == []


@pytest.mark.parametrize("path", ["/persons", "/cards", f"/cards/{number(7)}"])
def test_a_router_that_fails_in_the_middle_is_asked_again_later(sides: Sides, path: str) -> None:
    sides.students(15)
    damaged = {number(3)}
    sides.there.drop_card(number(3))
    run_id = sides.begin()
    sides.sandbox.fault(path=path, status=500, times=50)
    assert sides.go_on(run_id) is Outcome.PUT_OFF
    row = sides.run(run_id)
    assert row.state == "waiting"
    assert row.last_error == "the router answered with status 500"
    assert sides.deployment.now < row.next_attempt_at <= sides.deployment.now + 2
    sides.sandbox.heal()
    sides.later()
    assert reconcile_due(sides.reconciler) == 1
    assert cards_of(sides, run_id) == damaged
    assert sides.run(run_id).last_error is None


def test_a_run_whose_list_is_refused_fails_and_says_why(sides: Sides) -> None:
    sides.students(2)
    run_id = sides.begin()
    sides.sandbox.fault(path="/cards", status=400, times=9)
    assert sides.go_on(run_id) is Outcome.FAILED
    row = sides.run(run_id)
    assert (row.state, row.finished_at) == ("failed", sides.deployment.now)
    assert row.last_error is not None
    assert "status 400" in row.last_error
    sides.sandbox.heal()
    assert sides.reconcile() == []


def test_pauses_grow_while_the_router_stays_away(sides: Sides) -> None:
    sides.students(1)
    run_id = sides.begin()
    sides.sandbox.fault(status=503, times=1000)
    reconciler = sides.new_reconciler(random=lambda: 1.0)
    pauses = []
    for _ in range(3):
        assert sides.go_on(run_id, reconciler) is Outcome.PUT_OFF
        pauses.append(sides.run(run_id).next_attempt_at - sides.deployment.now)
        sides.later(60)
    assert pauses == [2, 4, 8]


def test_a_single_failed_read_costs_a_repeat_and_no_pause(sides: Sides) -> None:
    sides.students(5)
    sides.sandbox.fault(path="/cards/", status=500, times=1)
    assert sides.reconcile() == []


def test_a_router_that_asks_for_patience_gets_it_from_deliveries_too(sides: Sides) -> None:
    sides.students(30)
    run_id = sides.begin()
    sides.sandbox.fault(
        path="/cards/",
        status=429,
        times=1,
        headers={"content-type": "application/json", "retry-after": "90"},
    )
    assert sides.go_on(run_id) is Outcome.PUT_OFF
    until = sides.deployment.now + 90
    assert sides.run(run_id).next_attempt_at == until
    assert sides.deployment.row(Institution, RIGA).router_paused_until == until
    sides.later(60)
    assert reconcile_due(sides.reconciler) == 0
    sides.later(40)
    assert reconcile_due(sides.reconciler) == 1
    assert sides.found(run_id) == []


def test_a_run_gets_on_however_few_requests_the_router_allows(sides: Sides) -> None:
    sides.students(12)
    sides.there.drop_card(number(3))
    run_id = sides.begin()
    limit = [{"kind": "rate_limit", "per_second": 0.001, "burst": 4}]
    for _ in range(30):
        sides.sandbox_conditions(limit)
        outcome = sides.go_on(run_id, sides.new_reconciler(threads=1))
        if outcome is not Outcome.PUT_OFF:
            break
        sides.later(4000)
    assert outcome is Outcome.FINISHED
    assert cards_of(sides, run_id) == {number(3)}


def test_a_refused_key_stops_one_institution_and_a_new_one_lets_it_go_on(sides: Sides) -> None:
    sides.students(3)
    key = sides.deployment.row(Institution, RIGA).sealed_router_key
    sides.change_institution(sealed_router_key=sides.deployment.sealer.seal(b"another key"))
    mine, others = sides.begin(), sides.begin(pic=PORTO)
    assert reconcile_due(sides.reconciler) == 1
    assert sides.run(others).state == "finished"
    row = sides.run(mine)
    assert row.state == "waiting"
    assert row.last_error is not None
    assert "key" in row.last_error
    assert sides.deployment.row(Institution, RIGA).router_key_refused_at is not None
    assert reconcile_due(sides.reconciler) == 0
    sides.change_institution(sealed_router_key=key, router_key_refused_at=None)
    assert reconcile_due(sides.reconciler) == 1
    assert sides.found(mine) == []


def test_a_key_that_stops_working_mid_run_stops_the_run_politely(sides: Sides) -> None:
    sides.students(25)
    run_id = sides.begin()
    organisations = sides.sandbox.app.state.sandbox.organisations

    def revoke(phase: Phase, _counts: dict[str, int]) -> None:
        if phase is Phase.CARDS_THERE:
            organisations.revoke(RIGA)

    assert sides.go_on(run_id, progress=revoke) is Outcome.PUT_OFF
    organisations.reinstate(RIGA)
    sides.change_institution(router_key_refused_at=None)
    assert sides.go_on(run_id) is Outcome.FINISHED
    assert sides.found(run_id) == []


def test_another_institutions_records_are_neither_reported_nor_touched(sides: Sides) -> None:
    sides.students(3)
    sides.put_there("porto", 60, pic=PORTO)
    assert sides.reconcile() == []
    (card, person) = sides.reconcile(pic=PORTO)
    assert (card.kind, person.kind) == ("missing_here", "person_missing_here")


def test_a_processors_key_lists_others_cards_which_are_left_alone(sides: Sides) -> None:
    sides.change_institution(sealed_router_key=sides.deployment.sealer.seal(b"centre-key"))
    sides.students(12)
    for n in range(12):
        sides.put_there(f"third{n}", 100 + n, pic=THIRD)
    before = sides.dump()
    run_id = sides.begin(repair=ALL_REPAIRS)
    assert sides.go_on(run_id) is Outcome.FINISHED
    assert sides.found(run_id) == []
    assert sides.run(run_id).counts["of_others"] == 24
    assert sides.dump() == before


def test_a_student_at_two_institutions_is_compared_at_each_by_its_own(sides: Sides) -> None:
    sides.students(1)
    sides.put_there("0", pic=PORTO)
    assert sides.reconcile() == []


def test_two_runs_of_one_institution_are_not_begun(sides: Sides) -> None:
    run_id = sides.begin()
    with pytest.raises(RunUnderWay, match=f"number {run_id} "):
        sides.begin()
    sides.begin(pic=PORTO)


@pytest.mark.parametrize("kind", ["status_differs", "missing_here"])
def test_what_the_policy_does_not_allow_is_not_repaired(sides: Sides, kind: str) -> None:
    sides.change_institution(router_repairs=["missing_there"])
    with sides.deployment.writing() as session, pytest.raises(RepairNotAllowed):
        begin_run(
            session,
            session.get_one(Institution, RIGA),
            repairs=[DifferenceKind(kind)],
            now=sides.deployment.now,
            actor="cli",
        )
    assert rows(sides, Reconciliation) == []


def test_the_worker_begins_a_run_when_its_time_has_come(sides: Sides) -> None:
    sides.students(2)
    sides.there.drop_card(number(1))
    engine, deployment = sides.deployment.engine, sides.deployment
    assert begin_due_runs(engine, now=deployment.now) == 0
    sides.change_institution(reconcile_every=86_400, router_repairs=["missing_there"])
    assert begin_due_runs(engine, now=deployment.now) == 1
    assert begin_due_runs(engine, now=deployment.now) == 0
    assert reconcile_due(sides.reconciler) == 1
    (run,) = rows(sides, Reconciliation)
    assert (run.requested_by, run.repairs) == ("worker", ["missing_there"])
    sides.deliver()
    assert begin_due_runs(engine, now=deployment.now) == 0
    sides.later(86_400)
    assert begin_due_runs(engine, now=deployment.now) == 1
    assert reconcile_due(sides.reconciler) == 1
    assert sides.found(run.id + 1) == []


def test_two_workers_begin_one_run(sides: Sides) -> None:
    sides.change_institution(reconcile_every=86_400)
    now, engine = sides.deployment.now, sides.deployment.engine
    threads = [threading.Thread(target=lambda: begin_due_runs(engine, now=now)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(sides, Reconciliation)) == 1


def test_two_workers_never_work_on_one_run(sides: Sides) -> None:
    sides.students(5)
    sides.begin()
    ended = []
    threads = [
        threading.Thread(target=lambda: ended.append(reconcile_due(sides.new_reconciler())))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == [0, 0, 1]
    assert rows(sides, Reconciliation)[0].counts["calls"] == 1 + 1 + 5


def test_a_run_whose_process_died_is_taken_up_when_its_lease_is_over(sides: Sides) -> None:
    sides.students(2)
    run_id = sides.begin()
    with sides.deployment.writing() as session:
        run_claims.claim_due(
            session,
            kind=reconciliations.RunKind.RECONCILE,
            now=sides.deployment.now,
            lease=timedelta(minutes=5),
        )
    assert reconcile_due(sides.reconciler) == 0
    sides.later(301)
    assert reconcile_due(sides.reconciler) == 1
    assert sides.run(run_id).state == "finished"


def test_what_a_run_remembers_is_gone_when_it_ends(sides: Sides) -> None:
    sides.students(5)
    sides.reconcile()
    assert rows(sides, ReconciliationSeen) == []


def test_old_differences_go_after_90_days_and_runs_after_400(sides: Sides) -> None:
    sides.students(2)
    sides.there.drop_card(number(1))
    run_id = sides.begin()
    sides.go_on(run_id)
    for days, differences, runs in ((89, 1, 1), (2, 0, 1), (310, 0, 0)):
        sides.deployment.clock.advance(timedelta(days=days))
        with sides.deployment.writing() as session:
            forget_old_runs(session, now=sides.deployment.now)
        assert len(rows(sides, RouterDifference)) == differences
        assert len(rows(sides, Reconciliation)) == runs


def test_no_run_asks_while_the_router_is_known_to_be_down(sides: Sides) -> None:
    sides.students(3)
    run_id = sides.begin()
    for n in range(5):
        sides.deployment.student(f"late{n}")
    sides.sandbox.fault(status=503, times=1000)
    sides._deliver()
    sides.sandbox.heal()
    assert sides.go_on(run_id) is Outcome.PUT_OFF
    assert sides.run(run_id).counts.get("calls", 0) == 0
    assert sides.run(run_id).last_error == "the router does not answer"
