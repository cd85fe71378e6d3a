"""The application: routes, refusals, CORS, and the parts that live as long as it does."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from issuer.clock import Clock, seconds_of, utc_now
from issuer.database import check_database_version, is_sqlite, make_engine
from issuer.edge import RequestLog
from issuer.key_life import may_sign
from issuer.keys import MIN_PASSPHRASE_BYTES, FileKeyRing, load_named_key_file
from issuer.letters import SELF_SERVICE_PATH
from issuer.push import application_server_key
from issuer.settings import load_sealer, read_secret
from issuer.store import keys as stored_keys
from issuer.store import wallet_sessions
from wallet_api import (
    consent,
    credential,
    device_list,
    logos,
    metadata,
    nonce,
    offers,
    photos,
    problems,
    push,
    refresh,
    renewal,
    token,
)
from wallet_api.batches import Batches
from wallet_api.card_reading import make_reader
from wallet_api.darkroom import Darkroom, Senders
from wallet_api.deps import Wallet
from wallet_api.issuance import Issued, TokenOrder, issue_for_tokens
from wallet_api.not_modified import NotModified
from wallet_api.passes import device_routes, web_service
from wallet_api.passes.complaints import Complaints
from wallet_api.passes.exporters import open_exporters
from wallet_api.self_service import routes as self_service
from wallet_api.self_service.attempts import Attempts
from wallet_api.settings import WalletSettings

# Staff's routes and the self-service page, which no other page may call.
_OWN_PATHS = ("/api/", SELF_SERVICE_PATH)
_OPEN = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"etag, www-authenticate, retry-after, date, x-request-id",
    ),
)
_PURGE_EVERY = 600  # seconds
_KEEP_EXPIRED = 3600  # seconds
# Credentials that wait to be signed. One process signs these in some ten seconds, on a busy
# machine in thirty: who came later would have hung up, and its credential be signed for nobody.
_MOST_WAITING = 1024

logger = logging.getLogger(__name__)


class PublicCors:
    """Lets wallets in browsers call what phones call, and staff's routes by nobody else.

    Every answer allows it, whoever asks: so caches need not tell them apart.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._preflight = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["authorization", "content-type", "if-none-match", "idempotency-key"],
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["path"].startswith(_OWN_PATHS):
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await self._preflight(scope, receive, send)
        else:
            await self._app(scope, receive, partial(_send_open, send))


async def _send_open(send: Send, message: Message) -> None:
    """Send an answer that pages of every origin may read."""
    if message["type"] == "http.response.start":
        message["headers"] = [*message.get("headers", ()), *_OPEN]
    await send(message)


def create_app(settings: WalletSettings, *, clock: Clock = utc_now) -> FastAPI:
    """The wallet API with these settings; reads nothing else.

    Raises:
        DatabaseOutOfDate: The database is of another version.
        UnusableSecret: A file of a secret is missing, or holds none; a certificate of passes
            does not fit.
        UnusableKey: An institution's key that may sign now, or that of push services, cannot be
            used here.
    """
    url = settings.database_url.get_secret_value()
    engine = make_engine(url)
    check_database_version(engine)
    passphrase = read_secret(settings.key_passphrase_file, at_least=MIN_PASSPHRASE_BYTES)
    wallet = Wallet(
        settings=settings,
        engine=engine,
        keys=FileKeyRing(settings.keys_dir, passphrase),
        sealer=load_sealer(settings.secret_file),
        clock=clock,
        reader=make_reader(url),
        push_key=_push_key(settings, passphrase),
    )
    _check_keys(wallet)
    exporters = open_exporters(wallet)
    app = FastAPI(
        title="European Student Card wallet API",
        description="OpenID4VCI 1.0 for phones, offers for staff, and the refresh of cards.",
        lifespan=_lifespan,
        redirect_slashes=False,
        # Their pages load scripts from elsewhere; `/openapi.json` says the same.
        docs_url=None,
        redoc_url=None,
        # Nothing here collects it, and asking whether something does costs every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.wallet = wallet
    app.state.attempts = Attempts()
    app.state.issuing = _issuing(wallet)
    app.state.documents = metadata.Documents()
    app.state.logos = logos.Logos()
    app.state.darkroom, app.state.senders = Darkroom(), Senders()
    app.state.exporters, app.state.complaints = exporters, Complaints()
    # The most work comes first: a route is looked for one by one.
    for module in (credential, nonce, token, metadata, refresh, offers, renewal, device_list):
        app.include_router(module.router)
    for also in (consent, push, self_service):
        app.include_router(also.router)
    for passes in (device_routes, web_service):
        app.include_router(passes.router)
    for look in (photos, logos):
        app.include_router(look.router)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    problems.install(app)
    app.add_middleware(NotModified, wallet=wallet)
    app.add_middleware(PublicCors)
    app.add_middleware(RequestLog)
    return app


def _push_key(settings: WalletSettings, passphrase: bytes) -> str | None:
    if settings.vapid_key_file is None:
        return None
    return application_server_key(load_named_key_file(settings.vapid_key_file, passphrase))


def _issuing(wallet: Wallet) -> Batches[TokenOrder, Issued]:
    # SQLite has one writer, and a second thread only takes the interpreter from the first (with
    # eight connections 320 requests a second with one thread, 205 with two). In a rush it waits
    # for its turn among all that write: the more it then takes along, the sooner all are served.
    # On PostgreSQL an institution's phones take turns from their status entries to the commit;
    # with two threads others need not wait for those who wait. With four, those of one
    # institution wait for each other for longer, and take the interpreter from all.
    work = partial(issue_for_tokens, wallet)
    if is_sqlite(wallet.engine):
        return Batches(work, threads=1, at_once=32, most_waiting=_MOST_WAITING)
    return Batches(work, threads=2, at_once=32, most_waiting=_MOST_WAITING)


def _check_keys(wallet: Wallet) -> None:
    """Open every institution's key before the first phone asks for it."""
    now = seconds_of(wallet.clock())
    with wallet.reading() as session:
        for key in stored_keys.of_institutions(session):
            if may_sign(key, now):
                wallet.keys.signer(key.kid)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    wallet: Wallet = app.state.wallet
    purging = asyncio.create_task(_purge_now_and_then(wallet))
    try:
        yield
    finally:
        purging.cancel()
        await wallet.reader.close()
        app.state.issuing.close()
        app.state.darkroom.close()
        wallet.engine.dispose()


async def _purge_now_and_then(wallet: Wallet) -> None:
    while True:
        await asyncio.sleep(_PURGE_EVERY)
        try:
            await run_in_threadpool(purge, wallet)
        except SQLAlchemyError as error:
            logger.warning("purging expired sessions failed: %s", type(error).__name__)


def purge(wallet: Wallet) -> None:
    """Delete nonces, access tokens and offers that expired an hour ago."""
    with wallet.transaction() as session:
        now = seconds_of(wallet.clock())
        wallet_sessions.purge_expired(session, now=now, keep=_KEEP_EXPIRED)


async def _healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")
