"""`serve` and `worker`: the processes of a deployment."""

import signal
import sys
from typing import Annotated

import typer
from sqlmodel import Session

from issuer.cli.deployment import load_settings
from issuer.cli.printing import out
from issuer.cli.refusals import OK, REFUSED
from issuer.clock import seconds_of, utc_now
from issuer.database import check_database_version
from issuer.edge import start_log
from issuer.key_life import check_keys
from issuer.rounds import Round
from issuer.worker import Worker
from issuer.worker_opening import open_worker

app = typer.Typer()


@app.command()
def serve(
    with_worker: Annotated[
        bool, typer.Option("--with-worker", help="Run the worker in this process as well")
    ] = False,
    port: Annotated[
        int | None, typer.Option(help="In place of ESC_ISSUER_LISTEN_PORT; 0 for a free one")
    ] = None,
) -> None:
    """Serve staff and the public until interrupted."""
    # A web application, which no other command needs: each would wait a sixth longer for it.
    import uvicorn  # noqa: PLC0415

    from issuer.app import create_app  # noqa: PLC0415

    settings = load_settings()
    start_log(settings.log_level)
    application = create_app(settings, with_worker=with_worker)
    uvicorn.run(
        application,
        host=settings.listen_host,
        port=settings.listen_port if port is None else port,
        loop="auto",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=int(settings.keep_alive.total_seconds()),
    )


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="One round, then end")] = False,
) -> None:
    """Deliver to the ESC-Router, publish, begin and expire cards, until interrupted."""
    settings = load_settings()
    start_log(settings.log_level)
    working = open_worker(settings, clock=utc_now)
    try:
        _check(working)
        if not once:
            _run_until_asked(working)
            return
        done = working.run_once()
    finally:
        working.stop()
    _show(done)
    sys.exit(REFUSED if done.failures else OK)


def _check(working: Worker) -> None:
    check_database_version(working.engine)
    with Session(working.engine.execution_options(read_only=True)) as session:
        check_keys(session, working.keys, now=seconds_of(working.clock()))


def _run_until_asked(working: Worker) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: working.ask_to_stop())
    working.start()
    working.wait()


def _show(done: Round) -> None:
    out.print(
        f"{done.begun} cards begun, {done.expired} expired, {done.delivered} delivered, "
        f"{done.told} phones told, {len(done.published)} documents published"
    )
    rare = {
        "students erased": done.erased,
        "passes renewed": done.passes_renewed,
        "passes told": done.passes_told,
        "reconciliations ended": done.reconciled,
        "adoptions ended": done.adopted,
    }
    if any(rare.values()):
        out.print(", ".join(f"{number} {what}" for what, number in rare.items() if number))
    for failure in done.failures:
        out.print(f"not done: {failure}", markup=False)
