"""The public halves of signing keys and their life; an institution of None is the trust list."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, case, col, select, update

from issuer.tables import Credential, Device, Pass, SigningKey, StatusListRow


class KeyRow(NamedTuple):
    """A key's row, read without the ORM."""

    kid: str
    public_jwk: dict[str, str]
    state: str
    valid_from: int
    valid_until: int
    compromised_since: int | None


# Prepared once: each credential asks which key may sign it.
_OF_INSTITUTION = (
    select(*(SigningKey.__table__.c[name] for name in KeyRow._fields))  # type: ignore[attr-defined]
    .where(col(SigningKey.pic) == bindparam("pic"))
    .order_by(col(SigningKey.valid_from).desc(), col(SigningKey.kid))
)


def add(session: Session, key: SigningKey) -> SigningKey:
    """Store a new key's public half."""
    session.add(key)
    session.flush()
    return key


def by_kid(session: Session, kid: str) -> SigningKey | None:
    """The key with this RFC 7638 thumbprint."""
    return session.get(SigningKey, kid)


def of_institution(session: Session, pic: str | None) -> Sequence[SigningKey]:
    """All keys of the institution (or of the trust list), the newest first."""
    statement = select(SigningKey).where(col(SigningKey.pic) == pic)
    order = (col(SigningKey.valid_from).desc(), col(SigningKey.kid))
    return session.exec(statement.order_by(*order)).all()


def rows_of_institution(session: Session, pic: str) -> list[KeyRow]:
    """All keys of the institution, the newest first, to read only."""
    return [KeyRow(*row) for row in session.connection().execute(_OF_INSTITUTION, {"pic": pic})]


def of_institutions(session: Session) -> Sequence[SigningKey]:
    """All keys of all institutions, by PIC, the newest first."""
    statement = select(SigningKey).where(col(SigningKey.pic).is_not(None))
    order = (col(SigningKey.pic), col(SigningKey.valid_from).desc(), col(SigningKey.kid))
    return session.exec(statement.order_by(*order)).all()


def sign_status_lists_anew(session: Session, pic: str, *, now: int) -> None:
    """The institution's key changed: all of its status lists are behind."""
    later = col(StatusListRow.changed_at) + 1
    session.exec(
        update(StatusListRow)
        .where(col(StatusListRow.pic) == pic)
        .values(changed_at=case((later > now, later), else_=now))
    )


def renew_what_it_signed(session: Session, kid: str, *, now: int) -> None:
    """Have all devices that hold a credential signed by this key fetch new ones.

    The codes of their passes are signed anew without them.
    """
    signed_for = select(Credential.device_id).where(
        Credential.kid == kid, col(Credential.ended_at).is_(None)
    )
    session.exec(
        update(Device)
        .where(col(Device.id).in_(signed_for), col(Device.ended_at).is_(None))
        .values(renew_at=now, version=col(Device.version) + 1)
        .execution_options(synchronize_session=False)
    )
    session.exec(
        update(Pass)
        .where(col(Pass.device_id).in_(signed_for), col(Pass.ended_at).is_(None))
        .values(renew_at=now)
        .execution_options(synchronize_session=False)
    )
