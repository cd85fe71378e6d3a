"""`esc-router`: what the ESC-Router has still to learn, and a sandbox of it."""

from typing import Annotated

import typer

from issuer.cli.deployment import open_deployment
from issuer.cli.printing import moment, show_table
from issuer.esc_router import inspection
from issuer.esc_router.sandbox.__main__ import main as run_sandbox
from issuer.store import deliveries, institutions
from issuer.store.deliveries import DeliveryState

app = typer.Typer(help="The European Student Card Router.", no_args_is_help=True)


@app.command("status")
def show_status() -> None:
    """Show deliveries by institution and state, and those that were refused."""
    with open_deployment() as deployment, deployment.reading() as session:
        rows = institutions.every(session)
        counts = {row.pic: inspection.count_by_state(session, pic=row.pic) for row in rows}
        show_table(
            ("PIC", "Name", *DeliveryState, "Key"),
            [
                (
                    row.pic,
                    row.name,
                    *(counts[row.pic].get(state, 0) for state in DeliveryState),
                    "refused" if row.router_key_refused_at else None,
                )
                for row in rows
            ],
            title="Deliveries",
        )
        for row in rows:
            stopped = deliveries.search(session, row.pic, state=DeliveryState.STOPPED).items
            if stopped:
                show_table(
                    ("Number", "Card", "Attempts", "Last error", "Since"),
                    [
                        (d.id, d.escn, d.attempts, d.last_error, moment(d.created_at))
                        for d in stopped
                    ],
                    title=f"Refused, of {row.pic}",
                )


@app.command(
    "sandbox", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def sandbox(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="To listen at")] = 8003,
) -> None:
    """Run an ESC-Router of your own; see `python -m issuer.esc_router.sandbox --help`."""
    run_sandbox(["--port", str(port), *context.args])
