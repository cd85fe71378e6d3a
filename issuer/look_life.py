"""An institution changes how its cards look, also as passes in other wallets."""

from datetime import datetime

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.errors import InstitutionNotFound
from issuer.looks import LOGO_MEDIA_TYPE, Colours, DrawnLogo
from issuer.store import audit, institutions, logos, passes
from issuer.tables import Institution, Logo


def set_colours(
    session: Session, pic: str, colours: Colours | None, *, now: datetime, actor: str
) -> Institution:
    """Cards have these colours from now on; with None, ours.

    Raises:
        InstitutionNotFound: No such institution.
    """
    institution = _hold(session, pic)
    institution.background_color = None if colours is None else colours.background
    institution.text_color = None if colours is None else colours.text
    session.add(institution)
    detail = "no colours" if colours is None else f"{colours.text} on {colours.background}"
    _note(session, pic, detail, now=now, actor=actor)
    return institution


def set_logo(
    session: Session, pic: str, logo: DrawnLogo | None, *, now: datetime, actor: str
) -> Institution:
    """Cards have this logo from now on; with None, none.

    Raises:
        InstitutionNotFound: No such institution.
    """
    institution = _hold(session, pic)
    if logo is None:
        logos.remove(session, pic)
    else:
        row = Logo(
            pic=pic,
            media_type=LOGO_MEDIA_TYPE,
            sha256=logo.sha256,
            body=logo.body,
            updated_at=seconds_of(now),
        )
        logos.store(session, row)
    detail = "no logo" if logo is None else f"logo {logo.sha256}"
    _note(session, pic, detail, now=now, actor=actor)
    return institution


def _hold(session: Session, pic: str) -> Institution:
    institution = institutions.lock(session, pic)
    if institution is None:
        raise InstitutionNotFound("no such institution in this deployment")
    return institution


def _note(session: Session, pic: str, detail: str, *, now: datetime, actor: str) -> None:
    passes.tell_of_institution(session, pic, now=seconds_of(now))
    audit.add(
        session,
        now=seconds_of(now),
        pic=pic,
        actor=actor,
        action="institution.look",
        detail=detail,
    )
