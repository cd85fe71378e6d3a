"""Deliveries that were refused for good: sent again, let go, or settled by a later change."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from issuer.errors import DeliveryNotFound, DeliveryStateConflict, ReasonRequired
from issuer.esc_router import dead_letters
from issuer.esc_router.outcomes import Result
from issuer.tables import AuditEntry, Delivery

RIGA, PORTO = "999978433", "888878433"
ACTOR = "staff:7"
Deliver = Callable[..., int]


def refuse(deployment: Any, why: str = "ER-0042: the record was not accepted") -> Delivery:
    (claim,) = deployment.claim()
    deployment.record(claim, Result.STOPPED, why=why)
    row: Delivery = deployment.row(Delivery, claim.delivery_id)
    return row


def discard(deployment: Any, id_: int | None, *, pic: str = RIGA, reason: str = "left") -> None:
    with deployment.writing() as session:
        dead_letters.discard(
            session, pic, id_ or 0, reason=reason, now=deployment.now, actor=ACTOR
        )


def retry_all(deployment: Any, pic: str = RIGA, code: str | None = None) -> int:
    with deployment.writing() as session:
        return dead_letters.retry_all(session, pic, code=code, now=deployment.now, actor=ACTOR)


def audited(deployment: Any) -> list[tuple[str, str, str | None]]:
    with Session(deployment.engine) as session:
        rows = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
    return [(row.actor, row.action, row.detail) for row in rows]


def test_another_institutions_delivery_is_not_there(deployment: Any) -> None:
    deployment.student()
    row = refuse(deployment)
    with pytest.raises(DeliveryNotFound):
        discard(deployment, row.id, pic=PORTO)
    with pytest.raises(DeliveryNotFound), deployment.writing() as session:
        dead_letters.retry(session, PORTO, row.id, now=deployment.now, actor=ACTOR)
    assert retry_all(deployment, PORTO) == 0
    assert deployment.states() == ["stopped"]


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "x" * 201])
def test_a_discard_needs_a_reason(deployment: Any, reason: str) -> None:
    deployment.student()
    row = refuse(deployment)
    with pytest.raises(ReasonRequired):
        discard(deployment, row.id, reason=reason)
    assert deployment.states() == ["stopped"]


def test_what_has_ended_cannot_be_discarded(deployment: Any) -> None:
    deployment.student()
    (claim,) = deployment.claim()
    with pytest.raises(DeliveryStateConflict, match="at this moment"):
        discard(deployment, claim.delivery_id)
    deployment.record(claim, Result.DELIVERED)
    with pytest.raises(DeliveryStateConflict, match="delivered"):
        discard(deployment, claim.delivery_id)


def test_a_discarded_delivery_is_never_sent_and_the_reason_is_in_the_audit(
    deployment: Any, deliver: Deliver
) -> None:
    deployment.student()
    row = refuse(deployment)
    discard(deployment, row.id, reason=" the student has left ")
    assert deployment.states() == ["discarded"]
    assert deployment.row(Delivery, row.id).failing_since is None
    assert deliver() == 0
    assert audited(deployment) == [
        (ACTOR, "delivery.discard", f"delivery {row.id}: the student has left")
    ]


def test_what_waits_can_be_let_go(deployment: Any, deliver: Deliver) -> None:
    deployment.student()
    (row,) = deployment.deliveries()
    discard(deployment, row.id)
    assert deliver() == 0


def test_one_is_sent_again(deployment: Any, deliver: Deliver) -> None:
    deployment.student()
    row = refuse(deployment)
    with deployment.writing() as session:
        dead_letters.retry(session, RIGA, row.id, now=deployment.now, actor=ACTOR)
    assert deliver() == 1
    assert audited(deployment) == [(ACTOR, "delivery.retry", f"delivery {row.id}")]


def test_all_of_an_institution_are_sent_again_or_those_of_one_code(
    deployment: Any, deliver: Deliver
) -> None:
    for number, why in enumerate(("ER-0042: no", "ER-0042: no", "ER-00421: no", "no code: no")):
        deployment.student(f"{number}")
        refuse(deployment, why)
    deployment.student("1", pic=PORTO)
    refuse(deployment)
    assert retry_all(deployment, code="ER-0042") == 2
    assert deployment.states() == ["waiting", "waiting", "stopped", "stopped", "stopped"]
    assert deliver() == 2
    assert retry_all(deployment) == 2
    assert deliver() == 2
    assert deployment.states()[-1] == "stopped"
    assert [action for _, action, _ in audited(deployment)] == ["delivery.retry-all"] * 2
    assert audited(deployment)[0][2] == "2 deliveries, ER-0042"


def test_a_later_change_settles_what_was_refused_before(deployment: Any, deliver: Deliver) -> None:
    escn = deployment.card(deployment.student(wanted=False))
    refuse(deployment)
    deployment.change(escn, "suspended")
    assert deployment.states() == ["discarded", "waiting"]
    assert deliver() == 1
    assert retry_all(deployment) == 0
