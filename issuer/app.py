"""The application: its parts, its routes, and what surrounds each request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from fastapi import FastAPI
from sqlmodel import Session

from issuer.clock import Clock, seconds_of, utc_now
from issuer.database import POOL_SIZE, check_database_version, make_engine
from issuer.deps import Issuer
from issuer.edge import BodyCap, HeadAsGet, RequestLog, Turns
from issuer.key_life import check_keys
from issuer.keys import MIN_PASSPHRASE_BYTES, FileKeyRing, KeyRing
from issuer.metrics import Metrics, load_token
from issuer.passes.certificate import load_pass_certificate
from issuer.problems import install
from issuer.publishing.cache import PublicationCache
from issuer.routes import (
    adoptions,
    audits,
    card_codes,
    cards,
    deliveries,
    devices,
    erasures,
    imports,
    institutions,
    letters,
    looks,
    metrics,
    photos,
    published,
    reconciliations,
    router,
    students,
)
from issuer.settings import IssuerSettings, load_sealer, read_secret
from issuer.worker import Worker
from issuer.worker_opening import open_worker

# Half of the threads and connections: whoever must commit always finds one (`issuer.edge`).
STAFF_AT_A_TIME = POOL_SIZE // 2
_ROUTERS = (
    institutions,
    router,
    imports,
    students,
    photos,
    looks,
    letters,
    erasures,
    cards,
    devices,
    card_codes,
    deliveries,
    reconciliations,
    adoptions,
    audits,
    published,
)
# Larger bodies than others, by pattern of the path.
_BODY_CAPS = {
    imports.IMPORTS_PATH: imports.MAX_IMPORT_BODY_BYTES,
    photos.PHOTO_PATHS: photos.MAX_PHOTO_BODY_BYTES,
    looks.LOGO_PATH: looks.MAX_LOGO_BODY_BYTES,
}


def create_app(
    settings: IssuerSettings, *, clock: Clock = utc_now, with_worker: bool = False
) -> FastAPI:
    """The issuer with these settings; reads nothing else.

    Args:
        settings: What differs between deployments.
        clock: The time.
        with_worker: Run the worker in a thread of this process.

    Raises:
        DatabaseOutOfDate: The database is of another version.
        NoActiveKey: The trust list has no key that may sign.
        UnusableKey: A key that may sign now cannot be used here.
        UnusableSecret: A file of a secret is missing, or holds none; the certificate of Apple's
            passes does not fit.
    """
    token_file = settings.metrics_token_file
    token = None if token_file is None else load_token(token_file)
    certificate = load_pass_certificate(settings)
    issuer = open_issuer(settings, clock=clock)
    worker = open_worker(settings, clock=clock) if with_worker else None
    app = FastAPI(
        title="European Student Card issuer",
        version="1.0",
        description="Students, cards and deliveries for an institution's staff; keys, trust list, "
        "status lists and offline bundle for everyone.",
        lifespan=_lifespan,
        redirect_slashes=False,
        # Their pages load scripts from elsewhere; `/openapi.json` says the same.
        docs_url=None,
        redoc_url=None,
    )
    app.state.issuer = issuer
    app.state.worker = worker
    for module in _ROUTERS:
        app.include_router(module.router)
    app.include_router(photos.images)
    if token is not None:
        app.state.metrics = Metrics(
            issuer.reading_engine,
            clock,
            token,
            certificate_ends_at=None if certificate is None else certificate.ends_at,
        )
        app.include_router(metrics.router)
    install(app)
    app.add_middleware(Turns, prefix="/api/", at_a_time=STAFF_AT_A_TIME)
    app.add_middleware(BodyCap, exceptions=_BODY_CAPS)
    app.add_middleware(RequestLog)
    app.add_middleware(HeadAsGet)
    return app


def open_issuer(settings: IssuerSettings, *, clock: Clock) -> Issuer:
    """The service's parts, checked before a port opens.

    Raises:
        DatabaseOutOfDate: The database is of another version.
        NoActiveKey: The trust list has no key that may sign.
        UnusableKey: A key that may sign now cannot be used here.
        UnusableSecret: A file of a secret is missing, or holds none.
    """
    url = settings.database_url.get_secret_value()
    engine = make_engine(url)
    with ExitStack() as undone:
        undone.callback(engine.dispose)
        check_database_version(engine)
        keys = open_keys(settings)
        sealer = load_sealer(settings.secret_file)
        issuer = Issuer(settings, engine, keys, clock, PublicationCache(url), sealer)
        with Session(issuer.reading_engine) as session:
            check_keys(session, keys, now=seconds_of(clock()))
        undone.pop_all()
    return issuer


def open_keys(settings: IssuerSettings) -> KeyRing:
    """The key ring of the deployment's key files.

    Raises:
        UnusableKey: The passphrase is too short.
        UnusableSecret: The file of the passphrase is missing, or holds none.
    """
    passphrase = read_secret(settings.key_passphrase_file, at_least=MIN_PASSPHRASE_BYTES)
    return FileKeyRing(settings.keys_dir, passphrase)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    issuer: Issuer = app.state.issuer
    worker: Worker | None = app.state.worker
    await asyncio.to_thread(issuer.publications.start)
    if worker is not None:
        worker.start()
    try:
        yield
    finally:
        if worker is not None:
            await asyncio.to_thread(worker.stop)
        await asyncio.to_thread(issuer.publications.stop)
        issuer.engine.dispose()
