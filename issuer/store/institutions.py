"""Institutions and the processors that issue for them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, col, select, update

from issuer.tables import Institution, Processor


class InstitutionRow(NamedTuple):
    """What the trust list says of an institution, read without the ORM."""

    pic: str
    name: str
    country: str
    schac_home_organization: str
    esi_scopes: list[str]


# Prepared once: each credential needs it.
_BY_PIC = select(
    *(Institution.__table__.c[name] for name in InstitutionRow._fields)  # type: ignore[attr-defined]
).where(col(Institution.pic) == bindparam("pic"))


def add(session: Session, institution: Institution) -> Institution:
    """Store a new institution; its PIC must be unknown so far."""
    session.add(institution)
    session.flush()
    return institution


def by_pic(session: Session, pic: str) -> Institution | None:
    """The institution, if this deployment issues for it."""
    return session.get(Institution, pic)


def row_of(session: Session, pic: str) -> InstitutionRow | None:
    """The institution, to read only."""
    row = session.connection().execute(_BY_PIC, {"pic": pic}).one_or_none()
    return None if row is None else InstitutionRow(*row)


def lock(session: Session, pic: str) -> Institution | None:
    """The institution, held against whoever else calls `lock` until the transaction ends."""
    statement = select(Institution).where(Institution.pic == pic)
    held = statement.with_for_update(key_share=True)
    return session.exec(held.execution_options(populate_existing=True)).one_or_none()


def every(session: Session) -> Sequence[Institution]:
    """All institutions of the deployment, by PIC."""
    return session.exec(select(Institution).order_by(col(Institution.pic))).all()


def store_router_key(session: Session, pic: str, sealed_key: bytes) -> None:
    """Keep a new router key, sealed; a refusal of the old one is over."""
    session.exec(
        update(Institution)
        .where(col(Institution.pic) == pic)
        .values(sealed_router_key=sealed_key, router_key_refused_at=None)
    )


def mark_router_key_refused(session: Session, pic: str, *, sealed_key: bytes, now: int) -> bool:
    """Remember when the router first refused this key: deliveries wait for a new one.

    Returns:
        False if staff stored another key meanwhile, or it was known already.
    """
    refused = (
        update(Institution)
        .where(
            col(Institution.pic) == pic,
            col(Institution.sealed_router_key) == sealed_key,
            col(Institution.router_key_refused_at).is_(None),
        )
        .values(router_key_refused_at=now)
    )
    return session.exec(refused).rowcount == 1


def pause_router(session: Session, pic: str, *, until: int) -> None:
    """The router asked this institution to wait: nothing is sent for it before this instant."""
    session.exec(
        update(Institution).where(col(Institution.pic) == pic).values(router_paused_until=until)
    )


def add_processor(session: Session, processor: Processor) -> Processor:
    """Store who issues for several institutions."""
    session.add(processor)
    session.flush()
    return processor


def processor_by_vat(session: Session, vat: str) -> Processor | None:
    """The processor with this VAT number."""
    return session.get(Processor, vat)


def processors(session: Session) -> Sequence[Processor]:
    """All processors, by VAT number."""
    return session.exec(select(Processor).order_by(col(Processor.vat))).all()
