"""The public halves of signing keys and their life; an institution of None is the trust list."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from issuer.tables import SigningKey


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


def of_institutions(session: Session) -> Sequence[SigningKey]:
    """All keys of all institutions, by PIC, the newest first."""
    statement = select(SigningKey).where(col(SigningKey.pic).is_not(None))
    order = (col(SigningKey.pic), col(SigningKey.valid_from).desc(), col(SigningKey.kid))
    return session.exec(statement.order_by(*order)).all()
