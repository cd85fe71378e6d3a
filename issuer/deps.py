"""What handlers ask for: the service's parts, a session, whoever calls and with which role.

The session commits before the answer leaves (`scope="function"`). Who calls is found in a short
reading transaction of its own: nobody who is not known ever waits for, or holds, a lock.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.bearer import parse_bearer
from issuer.clock import Clock
from issuer.errors import NotAuthenticated
from issuer.keys import KeyRing
from issuer.publishing.cache import PublicationCache
from issuer.sealing import Sealer
from issuer.settings import IssuerSettings
from issuer.staff import Role, actor_of, authenticate_staff, require_role
from issuer.store.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Paging


@dataclass(frozen=True, slots=True)
class Issuer:
    """The parts of the running service."""

    settings: IssuerSettings
    engine: Engine
    keys: KeyRing
    clock: Clock
    publications: PublicationCache
    sealer: Sealer
    reading_engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reading_engine", self.engine.execution_options(read_only=True))


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls with a staff key, and for which institution."""

    pic: str
    role: Role
    actor: str  # for the audit


def issuer_of(request: Request) -> Issuer:
    """The service that answers this request."""
    issuer: Issuer = request.app.state.issuer
    return issuer


IssuerDep = Annotated[Issuer, Depends(issuer_of)]


def _now(issuer: IssuerDep) -> datetime:
    return issuer.clock()


def _session(issuer: IssuerDep) -> Iterator[Session]:
    with Session(issuer.engine) as session, session.begin():
        yield session


def _reading_session(issuer: IssuerDep) -> Iterator[Session]:
    with Session(issuer.reading_engine) as session:
        yield session


NowDep = Annotated[datetime, Depends(_now)]
# With the default scope the client hears 201 first, even when the commit then fails.
SessionDep = Annotated[Session, Depends(_session, scope="function")]
ReadingSessionDep = Annotated[Session, Depends(_reading_session, scope="function")]

_STAFF_KEY = HTTPBearer(
    auto_error=False, scheme_name="staffKey", description="A key of the institution's staff"
)


def _caller_with(role: Role) -> Callable[..., Caller]:
    def caller(
        request: Request,
        issuer: IssuerDep,
        _documented: Annotated[HTTPAuthorizationCredentials | None, Security(_STAFF_KEY)],
    ) -> Caller:
        text = parse_bearer(request.headers.get("authorization", ""))
        if text is None:
            raise NotAuthenticated("a staff key in the Authorization header is needed")
        with Session(issuer.reading_engine) as session:
            key = authenticate_staff(session, text)
        require_role(key, role)
        return Caller(key.pic, Role(key.role), actor_of(key))

    return caller


Reader = Annotated[Caller, Depends(_caller_with(Role.READER))]
Officer = Annotated[Caller, Depends(_caller_with(Role.OFFICER))]
Admin = Annotated[Caller, Depends(_caller_with(Role.ADMIN))]


def _paging(
    page: Annotated[int, Query(ge=0, le=1_000_000, description="From 0")] = 0,
    size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE,
) -> Paging:
    return Paging(page, size)


PagingDep = Annotated[Paging, Depends(_paging)]
SearchText = Annotated[
    str,
    Query(max_length=200, description="Any part of a name, ESI, e-mail address or card number"),
]
