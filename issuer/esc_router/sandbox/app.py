"""The sandbox as a web application."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI

from issuer.esc_router.sandbox import cards, numbers, persons, verification
from issuer.esc_router.sandbox.capping import CappedBody
from issuer.esc_router.sandbox.faults import attach_faults
from issuer.esc_router.sandbox.journal import Journal, JournaledApp
from issuer.esc_router.sandbox.organisations import Organisation, Organisations
from issuer.esc_router.sandbox.refusals import answer_refusals
from issuer.esc_router.sandbox.state import Sandbox
from issuer.esc_router.sandbox.store import Store
from issuer.esc_router.sandbox.views import ApiErrorMessage

API_PATH = "/esc-rest/api/v2"
VERIFIER_PATH = "/esc-verifier-service/api/v1"

# Fixed paths before those with a number in their place.
_OPERATIONS: tuple[APIRouter, ...] = (persons.router, numbers.router, cards.router)
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ApiErrorMessage} for status in (400, 401, 403, 404, 409, 500)
}


def create_sandbox(
    *,
    organisations: Iterable[Organisation],
    database: Path | str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    with_faults: bool = False,
) -> FastAPI:
    """A router of our own.

    Serve it without an access log: a student's identifier stands in the path.

    Args:
        organisations: Who may use it, with their keys.
        database: A SQLite file, made if missing; None keeps everything in memory.
        clock: The time, by which cards expire.
        with_faults: Serve the control of faults under `/sandbox/` to whoever reaches the port.
    """
    store = Store(database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(title="ESC-Router sandbox", version="1.0", lifespan=lifespan)
    app.state.sandbox = Sandbox(store, Organisations(organisations, store), clock)
    for operations in _OPERATIONS:
        app.include_router(operations, prefix=API_PATH, responses=_REFUSALS)
    app.include_router(verification.router, prefix=VERIFIER_PATH, responses=_REFUSALS)
    answer_refusals(app)
    app.add_middleware(CappedBody)
    if with_faults:
        attach_faults(app)
        app.state.journal = Journal()
        app.add_middleware(JournaledApp, journal=app.state.journal, clock=clock)
    return app
