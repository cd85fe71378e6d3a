"""The sandbox as a web application."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, FastAPI

from issuer.esc_router.sandbox import (
    bulk,
    cards,
    persons,
    pictures,
    public_cards,
    verification,
)
from issuer.esc_router.sandbox.capping import CappedBody
from issuer.esc_router.sandbox.documented import DescribedApp
from issuer.esc_router.sandbox.faults import attach_faults
from issuer.esc_router.sandbox.journal import Journal, JournaledApp
from issuer.esc_router.sandbox.organisations import Organisation, Organisations
from issuer.esc_router.sandbox.page import attach_page
from issuer.esc_router.sandbox.refusals import answer_refusals
from issuer.esc_router.sandbox.state import Sandbox
from issuer.esc_router.sandbox.store import Store

API_PATH = "/esc-rest/api/v2"
VERIFIER_PATH = "/esc-verifier-service/api/v1"

# Fixed paths before those with a number in their place, and what is asked most before the rest.
_OPERATIONS: tuple[APIRouter, ...] = (
    persons.router,
    bulk.router,
    public_cards.router,
    cards.router,
    pictures.router,
)


def create_sandbox(
    *,
    organisations: Iterable[Organisation],
    database: Path | str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    with_faults: bool = False,
    with_page: bool = False,
) -> FastAPI:
    """A router of our own.

    Serve it without an access log: a student's identifier stands in the path.

    Args:
        organisations: Who may use it, with their keys.
        database: A SQLite file, made if missing; None keeps everything in memory.
        clock: The time, by which cards expire.
        with_faults: Serve the control of faults under `/sandbox/` to whoever reaches the port.
        with_page: Serve `/sandbox`, which shows everything to whoever reaches the port.
    """
    store = Store(database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = DescribedApp(
        title="ESC-Router sandbox",
        version="1.0",
        lifespan=lifespan,
        # The pages that FastAPI would serve load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    app.state.sandbox = Sandbox(store, Organisations(organisations, store), clock)
    for operations in _OPERATIONS:
        app.include_router(operations, prefix=API_PATH)
    app.include_router(verification.router, prefix=VERIFIER_PATH)
    answer_refusals(app)
    app.add_middleware(CappedBody)
    if with_faults:
        attach_faults(app)
    if with_page:
        attach_page(app)
    if with_faults or with_page:
        app.state.journal = Journal()
        app.add_middleware(JournaledApp, journal=app.state.journal, clock=clock)
    return app
