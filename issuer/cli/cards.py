"""`cards`: found and led through their life."""

from collections.abc import Callable
from typing import Annotated

import typer
from sqlmodel import Session

from issuer import lifecycle
from issuer.card_states import CardState
from issuer.cli import devices as cli_devices
from issuer.cli.card_qr import draw_qr
from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import moment, out, show_facts, show_table
from issuer.errors import CardNotFound
from issuer.esc_router.standing import CardStanding, Standing, standings_of
from issuer.esc_router.unsettled import cards_with
from issuer.store import cards, devices
from issuer.store.paging import Paging
from issuer.tables import Card, Student
from verifier.identifiers import Escn, parse_escn, pic_of

app = typer.Typer(help="Cards.", no_args_is_help=True)
app.command("qr")(draw_qr)
app.command("devices")(cli_devices.list_devices)
app.command("end-device")(cli_devices.end_device)

EscnArgument = Annotated[str, typer.Argument(help="Card number")]
ReasonOption = Annotated[str, typer.Option(help="Why; the student sees it")]


@app.command("list")
def list_cards(
    institution: Annotated[str, typer.Argument(help="PIC")],
    search: Annotated[str, typer.Option(help="Part of name, ESI, e-mail or number")] = "",
    state: Annotated[CardState | None, typer.Option(help="Only in this state")] = None,
    router: Annotated[
        Standing | None, typer.Option(help="Only those that stand so with the ESC-Router")
    ] = None,
    page: Annotated[int, typer.Option(min=0, help="From 0")] = 0,
) -> None:
    """Show an institution's cards, by name."""
    with open_deployment() as deployment, deployment.reading() as session:
        row = institution_of(session, institution)
        also = None if router is None else cards_with(row, router)
        found = cards.search(
            session, institution, text=search, state=state, also=also, paging=Paging(page)
        )
        standings = standings_of(session, row, [card.escn for card, _ in found.items])
        show_table(
            ("Card number", "State", "Name", "Level", "Last day", "ESC-Router"),
            [
                (
                    *(c.escn, c.state, s.full_name, s.academic_level, c.expires_on),
                    standings[c.escn].standing.replace("_", " "),
                )
                for c, s in found.items
            ],
            title=f"{found.total} cards, page {page}",
        )


@app.command("show")
def show_card(escn: EscnArgument) -> None:
    """Show one card."""
    number = parse_escn(escn)
    with open_deployment() as deployment, deployment.reading() as session:
        card, student = _found(session, number)
        phones = len(devices.living_of_card(session, number))
        standings = standings_of(session, institution_of(session, card.pic), [number])
        _show(card, student, phones, standings[number])


@app.command("issue")
def issue(escn: EscnArgument) -> None:
    """Let an ordered card begin today."""
    _change(lifecycle.activate_card, escn)


@app.command("suspend")
def suspend(escn: EscnArgument, reason: ReasonOption) -> None:
    """Stop a card for the time being."""
    _change(lifecycle.suspend_card, escn, reason=reason)


@app.command("reinstate")
def reinstate(escn: EscnArgument) -> None:
    """Let a suspended card be valid again."""
    _change(lifecycle.reinstate_card, escn)


@app.command("revoke")
def revoke(escn: EscnArgument, reason: ReasonOption) -> None:
    """End a card for good."""
    _change(lifecycle.revoke_card, escn, reason=reason)


def _change(change: Callable[..., Card], escn: str, **why: str) -> None:
    """Make one of the changes of `issuer.lifecycle`, and say where the card stands now."""
    number = parse_escn(escn)
    with open_deployment() as deployment, deployment.writing() as session:
        card = change(session, pic_of(number), number, now=deployment.now, actor=ACTOR, **why)
        state = card.state
    out.print(f"{state} {number}")


def _found(session: Session, escn: Escn) -> tuple[Card, Student]:
    found = cards.with_student(session, pic_of(escn), escn)
    if found is None:
        raise CardNotFound("no such card in this deployment")
    return found


def _show(card: Card, student: Student, phones: int, router: CardStanding) -> None:
    show_facts(
        [
            ("State", card.state),
            ("Reason", card.reason),
            ("Name", student.full_name),
            ("ESI", student.esi),
            ("Level", student.academic_level),
            ("First day", card.issued_on),
            ("Last day", card.expires_on),
            ("Phones", phones),
            ("ESC-Router", router.standing.replace("_", " ")),
            ("  since", moment(router.since)),
            ("  failing since", moment(router.failing_since)),
            ("  why", router.why),
            ("  attempts", router.attempts or None),
            ("  next attempt", moment(router.next_attempt_at)),
            ("  delivery", router.delivery),
            ("Changed", moment(card.updated_at)),
        ],
        title=f"Card {card.escn}",
    )
