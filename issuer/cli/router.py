"""`esc-router`: whether both sides are in step, and a sandbox of the router."""

from typing import Annotated

import typer

from issuer.cli import adopting, deliveries, reconciling, router_status

app = typer.Typer(help="The European Student Card Router.", no_args_is_help=True)


app.command("status")(router_status.show_status)
app.command("reconcile")(reconciling.reconcile)
app.command("adopt")(adopting.adopt)
app.add_typer(deliveries.app, name="deliveries")


@app.command(
    "sandbox", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def sandbox(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="To listen at")] = 8003,
) -> None:
    """Run an ESC-Router of your own; see `python -m issuer.esc_router.sandbox --help`."""
    # A web application, which no other command needs: each would wait a quarter longer for it.
    from issuer.esc_router.sandbox.__main__ import main as run_sandbox  # noqa: PLC0415

    run_sandbox(["--port", str(port), *context.args])
