"""The institution that a staff key belongs to."""

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session

from issuer.deps import Reader, ReadingSessionDep
from issuer.errors import InstitutionNotFound
from issuer.esc_router import inspection
from issuer.routes.answers import Answer, Instant, StaffRoute, refusals
from issuer.store import cards, institutions
from issuer.tables import Institution

router = APIRouter(prefix="/api/v1", tags=["institution"], route_class=StaffRoute)


class InstitutionAnswer(Answer):
    """An institution, and where its cards and deliveries stand."""

    pic: str = Field(examples=["999853608"])
    name: str = Field(examples=["University of Latvia"])
    country: str = Field(examples=["LV"])
    schac_home_organization: str = Field(examples=["lu.lv"])
    esi_scopes: list[str] = Field(examples=[["lu.lv"]])
    escn_prefixes: list[str] = Field(examples=[["001", "002"]])
    processor: str | None = Field(description="Who issues for it", examples=[None])
    router_key_stored: bool = Field(description="Whether it has a key of the ESC-Router")
    router_key_refused_at: Instant | None = Field(
        description="Set when the ESC-Router refused the key: deliveries wait for a new one",
        examples=[None],
    )
    cards: dict[str, int] = Field(description="By state", examples=[{"active": 1200}])
    deliveries: dict[str, int] = Field(description="By state", examples=[{"delivered": 2400}])


@router.get("/institution", summary="Your institution", responses=refusals())
def show_institution(caller: Reader, session: ReadingSessionDep) -> InstitutionAnswer:
    """The institution of the staff key, with the number of its cards and deliveries."""
    row = institution_of(session, caller.pic)
    processor = institutions.processor_by_vat(session, row.processor_vat or "")
    return InstitutionAnswer(
        pic=row.pic,
        name=row.name,
        country=row.country,
        schac_home_organization=row.schac_home_organization,
        esi_scopes=row.esi_scopes,
        escn_prefixes=row.escn_prefixes,
        processor=processor.name if processor else None,
        router_key_stored=row.sealed_router_key is not None,
        router_key_refused_at=row.router_key_refused_at,
        cards=dict(cards.count_by_state(session, caller.pic)),
        deliveries=inspection.count_by_state(session, pic=caller.pic),
    )


def institution_of(session: Session, pic: str) -> Institution:
    """The caller's institution.

    Raises:
        InstitutionNotFound: This deployment has none with that PIC.
    """
    row = institutions.by_pic(session, pic)
    if row is None:
        raise InstitutionNotFound("no such institution in this deployment")
    return row
