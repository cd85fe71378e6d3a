"""`cards devices`, `cards end-device`, `institution devices`: phones and how many at once."""

from typing import Annotated

import typer
from sqlmodel import Session

from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import moment, out, show_table
from issuer.credential_life import EndReason
from issuer.device_life import MOST_AT_ONCE, allow_at_once, end_device_of_card
from issuer.errors import CardNotFound
from issuer.store import cards, devices
from verifier.identifiers import Escn, parse_escn, pic_of

EscnArgument = Annotated[str, typer.Argument(help="Card number")]


def list_devices(escn: EscnArgument) -> None:
    """Show the phones that hold a card."""
    number = parse_escn(escn)
    with open_deployment() as deployment, deployment.reading() as session:
        _check_known(session, number)
        living = devices.living_of_card(session, number)
        at_once = institution_of(session, pic_of(number)).devices_at_once
        show_table(
            ("Number", "Name", "Added", "Renewed"),
            [(row.id, row.name, moment(row.created_at), moment(row.renewed_at)) for row in living],
            title=f"{len(living)} phones, at most {at_once}",
        )


def end_device(
    escn: EscnArgument,
    number: Annotated[int, typer.Argument(help="From `cards devices`")],
) -> None:
    """End a phone: what was signed for it is revoked, the card lives on."""
    card = parse_escn(escn)
    with open_deployment() as deployment, deployment.writing() as session:
        end_device_of_card(
            session,
            pic_of(card),
            card,
            number,
            reason=EndReason.BY_STAFF,
            now=deployment.now,
            actor=ACTOR,
        )
    out.print(f"ended  phone {number} of {card}")


def _check_known(session: Session, escn: Escn) -> None:
    if cards.by_escn(session, pic_of(escn), escn) is None:
        raise CardNotFound("no such card in this deployment")


def set_policy(
    pic: Annotated[str, typer.Argument(help="PIC: nine digits")],
    at_once: Annotated[
        int | None, typer.Option(min=1, max=MOST_AT_ONCE, help="So many phones may hold a card")
    ] = None,
) -> None:
    """Say how many phones may hold a card; the next ends the oldest beyond. Alone, show it."""
    with open_deployment() as deployment:
        if at_once is None:
            with deployment.reading() as session:
                at_once = institution_of(session, pic).devices_at_once
        else:
            with deployment.writing() as session:
                allow_at_once(session, pic, at_once, now=deployment.now, actor=ACTOR)
    out.print(f"devices {at_once} at once at {pic}")
