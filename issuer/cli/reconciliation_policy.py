"""`institution reconciliation`: how often both sides are compared, and what may be repaired."""

from datetime import timedelta
from typing import Annotated

import typer

from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import out
from issuer.cli.refusals import Refused
from issuer.clock import seconds_of
from issuer.esc_router.reconciliation_plan import KINDS, SHORTEST_INTERVAL, parse_repairs
from issuer.store import audit
from issuer.tables import Institution


def set_policy(
    pic: Annotated[str, typer.Argument(help="PIC: nine digits")],
    every: Annotated[
        str | None, typer.Option(help="Compare by itself every 12h, 1d, 7d; never to stop that")
    ] = None,
    allow: Annotated[
        str | None,
        typer.Option(help="Kinds of difference that may be repaired: kind,kind or all or none"),
    ] = None,
) -> None:
    """Say how often the worker compares both sides, and what may be repaired; show it."""
    interval = None if every is None else _parse_interval(every)
    allowed = None if allow is None else parse_repairs(allow)
    with open_deployment() as deployment, deployment.writing() as session:
        row = institution_of(session, pic)
        if every is not None:
            row.reconcile_every = interval
        if allowed is not None:
            row.router_repairs = [kind.value for kind in KINDS if kind in allowed]
        session.add(row)
        told = _policy_words(row)
        if every is not None or allow is not None:
            audit.add(
                session,
                now=seconds_of(deployment.now),
                pic=pic,
                actor=ACTOR,
                action="institution.reconciliation",
                detail=told,
            )
    out.print(f"reconciliation of {pic}: {told}", markup=False)


def _policy_words(row: Institution) -> str:
    every = "never by itself"
    if row.reconcile_every is not None:
        every = f"every {row.reconcile_every / 3600:g} hours"
    return f"{every}; may repair {', '.join(row.router_repairs) or 'nothing'}"


def _parse_interval(text: str) -> int | None:
    if text == "never":
        return None
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in ("h", "d") or len(number) > 4:
        raise Refused("an interval is hours or days, for example 12h or 1d, or never")
    interval = timedelta(hours=int(number) * (24 if unit == "d" else 1))
    if interval < SHORTEST_INTERVAL:
        raise Refused("the shortest interval is 1h")
    return int(interval.total_seconds())
