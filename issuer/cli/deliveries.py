"""`esc-router deliveries`: what the router has still to learn, and what it refused."""

from typing import Annotated

import typer
from sqlmodel import Session

from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import moment, out, show_table
from issuer.clock import seconds_of
from issuer.errors import DeliveryNotFound
from issuer.esc_router import dead_letters
from issuer.store import deliveries
from issuer.store.deliveries import DeliveryState
from issuer.store.paging import Paging
from issuer.tables import Delivery

app = typer.Typer(help="Deliveries to the ESC-Router.", no_args_is_help=True)

_NumberArgument = Annotated[int, typer.Argument(help="From `deliveries list`")]


@app.command("list")
def list_deliveries(
    institution: Annotated[str, typer.Argument(help="PIC")],
    state: Annotated[DeliveryState | None, typer.Option(help="Only those")] = None,
    page: Annotated[int, typer.Option(min=0, help="From 0")] = 0,
) -> None:
    """Show an institution's deliveries, the newest first."""
    with open_deployment() as deployment, deployment.reading() as session:
        institution_of(session, institution)
        found = deliveries.search(session, institution, state=state, paging=Paging(page))
        show_table(
            ("Number", "Student", "Card", "State", "Attempts", "Next", "Failing since", "Why"),
            [_cells(row) for row in found.items],
            title=f"{found.total} deliveries, page {page}",
        )


@app.command("retry")
def retry(
    number: Annotated[int | None, typer.Argument(help="From `deliveries list`")] = None,
    of: Annotated[str | None, typer.Option(help="PIC: all that were refused of it")] = None,
    code: Annotated[
        str | None, typer.Option(help="With --of: only those refused with it, as ER-0042")
    ] = None,
) -> None:
    """Send one delivery again, or all that the router refused of an institution."""
    _check_choice(number, of, code)
    with open_deployment() as deployment, deployment.writing() as session:
        now = seconds_of(deployment.now)
        if of is not None:
            institution_of(session, of)
            count = dead_letters.retry_all(session, of, code=code, now=now, actor=ACTOR)
            out.print(f"sent again: {count}")
            return
        row = _delivery(session, number or 0)
        row = dead_letters.retry(session, row.pic, row.id or 0, now=now, actor=ACTOR)
        out.print(f"sent again: delivery {row.id}")


@app.command("discard")
def discard(
    number: _NumberArgument,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit")],
) -> None:
    """Let go of a delivery that waits or was refused: the router does not learn of it."""
    with open_deployment() as deployment, deployment.writing() as session:
        row = _delivery(session, number)
        now = seconds_of(deployment.now)
        dead_letters.discard(session, row.pic, number, reason=reason, now=now, actor=ACTOR)
        out.print(f"discarded: delivery {number}")


def _check_choice(number: int | None, of: str | None, code: str | None) -> None:
    if (number is None) == (of is None) or (code is not None and of is None):
        raise typer.BadParameter("give the number of one delivery, or --of PIC")


def _delivery(session: Session, number: int) -> Delivery:
    row = deliveries.by_number(session, number)
    if row is None:
        raise DeliveryNotFound("no such delivery in this deployment")
    return row


def _cells(row: Delivery) -> tuple[object, ...]:
    is_waiting = row.state == DeliveryState.WAITING
    return (
        *(row.id, row.student_id, row.escn, row.state, row.attempts),
        moment(row.next_attempt_at) if is_waiting else None,
        moment(row.failing_since),
        row.last_error,
    )
