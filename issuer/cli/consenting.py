"""`institution consent`: whether registration with the ESC-Router waits for the student's."""

from enum import StrEnum
from typing import Annotated

import typer

from issuer.cli.deployment import ACTOR, open_deployment
from issuer.cli.printing import out
from issuer.cli.refusals import Refused
from issuer.consent import Registered, ask_for_consent, stop_asking_for_consent


class Asked(StrEnum):
    """Whether consent is asked for."""

    REQUIRED = "required"
    NOT_REQUIRED = "not-required"


def set_consent(
    pic: Annotated[str, typer.Argument(help="PIC: nine digits")],
    asked: Annotated[Asked, typer.Argument(help="What the data protection officer decided")],
    remove_registered: Annotated[
        bool, typer.Option("--remove-registered", help="Until they consent")
    ] = False,
    consented_already: Annotated[
        bool, typer.Option("--consented-already", help="On paper, for example")
    ] = False,
) -> None:
    """Have registration wait for the student's consent, or not any more.

    Students who are registered without consent are not removed silently: say what becomes of
    them by one of the two options.
    """
    registered = _registered(asked, remove_registered, consented_already)
    with open_deployment() as deployment, deployment.writing() as session:
        now = deployment.now
        if asked is Asked.REQUIRED:
            count = ask_for_consent(session, pic, registered=registered, now=now, actor=ACTOR)
            words = f"{count} registered students {registered}" if count else "none registered"
        else:
            count = stop_asking_for_consent(session, pic, now=now, actor=ACTOR)
            words = f"{count} students were waited for"
    out.print(f"consent {asked} at {pic}: {words}")


def _registered(asked: Asked, remove: bool, consented: bool) -> Registered | None:
    if asked is Asked.NOT_REQUIRED and (remove or consented):
        raise Refused("the options are for `required` only")
    if remove and consented:
        raise Refused("either --remove-registered or --consented-already")
    if remove:
        return Registered.REMOVED
    return Registered.CONSENTED_ALREADY if consented else None
