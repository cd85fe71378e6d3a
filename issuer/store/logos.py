"""The logos of institutions, by the hash that is part of their address."""

from sqlmodel import Session, col, delete, select

from issuer.tables import Logo


def of_institution(session: Session, pic: str) -> Logo | None:
    """The institution's logo."""
    return session.get(Logo, pic)


def body_of(session: Session, pic: str, sha256: str) -> bytes | None:
    """The pixels of the institution's logo, if this is still the one that it has."""
    statement = select(Logo.body).where(Logo.pic == pic, Logo.sha256 == sha256)
    return session.exec(statement).one_or_none()


def store(session: Session, logo: Logo) -> None:
    """Keep it, in place of an earlier one."""
    session.merge(logo)
    session.flush()


def remove(session: Session, pic: str) -> None:
    """Show the institution without a logo."""
    session.exec(delete(Logo).where(col(Logo.pic) == pic))
