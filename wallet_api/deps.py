"""What handlers ask for: the service's parts, a body within its cap, a bearer token.

A transaction begins and ends inside the handler, in its thread: so it is committed before the
answer, and nobody who holds a connection ever waits for a thread. (A session as a dependency
commits in a second thread; a hundred requests at once then stood still for twenty seconds, the
threads waiting for connections and the connections for threads.) What must survive a refusal is
a transaction of its own, before the refusal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.bearer import parse_bearer
from issuer.clock import Clock
from issuer.errors import InstitutionNotFound, NotAuthenticated
from issuer.keys import KeyRing
from issuer.sealing import Sealer
from issuer.staff import Role as StaffRole
from issuer.staff import authenticate_staff, require_role
from issuer.store import institutions
from issuer.tables import Institution, StaffKey
from verifier.errors import MalformedJws
from verifier.jws import Json
from verifier.strict_json import parse_json_object
from wallet_api.card_reading import CardReader
from wallet_api.errors import (
    BodyTooLarge,
    NotJson,
    TokenInQuery,
    TokenMissing,
)
from wallet_api.settings import WalletSettings

MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Wallet:
    """The parts of the running service."""

    settings: WalletSettings
    engine: Engine
    keys: KeyRing
    sealer: Sealer
    clock: Clock
    reader: CardReader
    push_key: str | None = None  # by which push services know us; None: no phone is told

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        """A transaction that is committed at the end of the block, or not at all.

        Args:
            durable: False if a power cut may undo it (`issuer.database`).
        """
        with Session(self.engine) as session, session.begin():
            if not durable:
                session.connection(execution_options={"durable": False})
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        reading = self.engine.execution_options(read_only=True)
        with Session(reading) as session:
            yield session


def wallet_of(request: Request) -> Wallet:
    """The service that answers this request."""
    wallet: Wallet = request.app.state.wallet
    return wallet


async def _wallet(request: Request) -> Wallet:
    return wallet_of(request)  # async: a plain function would cost a thread


WalletDep = Annotated[Wallet, Depends(_wallet)]


async def read_body(request: Request) -> bytes:
    """The body.

    Raises:
        BodyTooLarge: It is larger than the cap.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge(f"a body has at most {MAX_BODY_BYTES} bytes")
    return bytes(body)


BodyDep = Annotated[bytes, Depends(read_body)]


def media_type_of(request: Request) -> str:
    """The body's media type, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse_json_body(request: Request, body: bytes) -> Json:
    """The body as a JSON object, strictly.

    Raises:
        NotJson: Another media type, or not a JSON object with each name once.
    """
    if media_type_of(request) != "application/json":
        raise NotJson("the body is not application/json")
    try:
        return parse_json_object(body)
    except MalformedJws as error:
        raise NotJson(f"the body is {error}") from error


async def _json_body(request: Request, body: BodyDep) -> Json:
    return parse_json_body(request, body)


BodyJsonDep = Annotated[Json, Depends(_json_body)]


def bearer_token(request: Request) -> str:
    """The token in the Authorization header (RFC 6750, section 2.1).

    Raises:
        TokenInQuery: There is one in the query (section 2.3), which we never take.
        TokenMissing: There is none.
    """
    if "access_token" in request.query_params:
        raise TokenInQuery("a token belongs in the Authorization header")
    token = parse_bearer(request.headers.get("authorization", ""))
    if token is None:
        raise TokenMissing("a bearer token in the Authorization header is needed")
    return token


async def _bearer(request: Request) -> str:
    return bearer_token(request)


BearerDep = Annotated[str, Depends(_bearer)]
PicPath = Annotated[str, Path(pattern=r"^[0-9]{9}$", examples=["999853608"])]


def institution_of(session: Session, pic: str) -> Institution:
    """The institution of a path.

    Raises:
        InstitutionNotFound: We issue for no such one.
    """
    found = institutions.by_pic(session, pic)
    if found is None:
        raise InstitutionNotFound("no such institution here")
    return found


def staff_of(request: Request, session: Session, role: StaffRole) -> StaffKey:
    """The staff key of a request, which may do what the role may.

    Raises:
        NotAuthenticated: No key, or not one of ours.
        NotPermitted: The key's role is below.
    """
    try:
        text = bearer_token(request)
    except TokenMissing as error:
        raise NotAuthenticated("a staff key in the Authorization header is needed") from error
    key = authenticate_staff(session, text)
    require_role(key, role)
    return key
