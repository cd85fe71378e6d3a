"""What happens at a router behind our back: records change, keys stop to work.

None of the router's rules is asked: a card may say what no institution would write.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal, NoReturn

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from issuer.esc_router.sandbox.records import Card, Enrolment
from issuer.esc_router.sandbox.refusals import (
    UNKNOWN,
    SandboxRefusal,
    refuse_field,
    refuse_unknown_card,
    refuse_unknown_person,
)
from issuer.esc_router.sandbox.state import SandboxDep
from issuer.esc_router.sandbox.views import AcademicLevelKey, Day, Text, WritableStatus

router = APIRouter(prefix="/sandbox")
_RECORDS = "Sandbox: records behind everyone's back"
_KEYS = "Sandbox: keys"


LenientDay = Annotated[Day, Field(strict=False)]  # JSON has no dates
NotBlank = Annotated[Text, Field(min_length=1)]
CardTypeLabelKey = Literal[
    "UNKNOWN",
    "PASSIVE",
    "SMART_NO_CDZ",
    "SMART_CDZ",
    "SMART_MAY_SP",
    "SMART_PASSIVE",
    "SMART_PASSIVE_EMULATION",
]


class _Change(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> Mapping[str, object]:
        """The fields that the body has, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class CardChange(_Change):
    """What becomes of a card; only the display name and the processor can be null."""

    status: WritableStatus = "ACTIVE"
    type: CardTypeLabelKey = "SMART_PASSIVE"
    display_name: Text | None = None
    issued_at: LenientDay = date.min
    expires_at: LenientDay = date.min
    issuer: NotBlank = "-"
    esi: NotBlank = "-"
    processor: Text | None = None


class EnrolmentChange(_Change):
    """What becomes of a person's enrolment."""

    full_name: Text | None = None
    email: Text | None = None
    academic_level: AcademicLevelKey | None = None


class KeyView(BaseModel):
    """An organisation and whether its key is accepted."""

    organisation: str
    name: str
    accepted: bool


@router.put("/records/cards/{escn}", status_code=204, tags=[_RECORDS])
def change_card(sandbox: SandboxDep, escn: str, change: CardChange) -> Response:
    """Change a card; what the body leaves out stays."""
    given = change.given()
    if "esi" in given and not _is_known(sandbox, change.esi):
        refuse_field("esi", "no such person")

    def changed(card: Card) -> Card:
        return replace(card, **given)  # type: ignore[arg-type]

    if not sandbox.store.alter_card(escn, changed):
        refuse_unknown_card()
    return Response(status_code=204)


@router.delete("/records/cards/{escn}", status_code=204, tags=[_RECORDS])
def lose_card(sandbox: SandboxDep, escn: str) -> Response:
    """Lose a card."""
    if not sandbox.store.drop_card(escn):
        refuse_unknown_card()
    return Response(status_code=204)


@router.put("/records/persons/{esi}/enrolments/{organisation}", status_code=204, tags=[_RECORDS])
def change_enrolment(
    sandbox: SandboxDep, esi: str, organisation: str, change: EnrolmentChange
) -> Response:
    """Change an enrolment; what the body leaves out stays."""

    def changed(enrolment: Enrolment) -> Enrolment:
        return replace(enrolment, **change.given())  # type: ignore[arg-type]

    if not sandbox.store.alter_enrolment(esi, organisation, changed):
        refuse_unknown_person()
    return Response(status_code=204)


@router.delete("/records/persons/{esi}", status_code=204, tags=[_RECORDS])
def lose_person(sandbox: SandboxDep, esi: str) -> Response:
    """Lose a person with enrolments, pictures and cards."""
    if not sandbox.store.drop_person(esi):
        refuse_unknown_person()
    return Response(status_code=204)


@router.delete(
    "/records/persons/{esi}/enrolments/{organisation}/picture", status_code=204, tags=[_RECORDS]
)
def lose_picture(sandbox: SandboxDep, esi: str, organisation: str) -> Response:
    """Lose a picture."""
    if not sandbox.store.drop_picture(esi, organisation):
        refuse_unknown_person()
    return Response(status_code=204)


@router.delete("/records", status_code=204, tags=[_RECORDS])
def lose_everything(sandbox: SandboxDep) -> Response:
    """Begin with an empty router."""
    with sandbox.store.transaction() as stored:
        stored.persons.delete_all()
    return Response(status_code=204)


@router.get("/keys", tags=[_KEYS])
def show_keys(sandbox: SandboxDep) -> list[KeyView]:
    """Whose keys there are; the keys themselves are not shown."""
    known = sandbox.organisations.everyone()
    revoked = sandbox.organisations.is_revoked
    return [
        KeyView(organisation=one.identifier, name=one.name, accepted=not revoked(one.identifier))
        for one in known
    ]


@router.delete("/keys/{organisation}", status_code=204, tags=[_KEYS])
def revoke_key(sandbox: SandboxDep, organisation: str) -> Response:
    """From now on the organisation's key is answered with 401."""
    if not sandbox.organisations.revoke(organisation):
        _refuse_unknown_organisation()
    return Response(status_code=204)


@router.put("/keys/{organisation}", status_code=204, tags=[_KEYS])
def give_key_back(sandbox: SandboxDep, organisation: str) -> Response:
    """The organisation's key is accepted again."""
    if sandbox.organisations.name_of(organisation) is None:
        _refuse_unknown_organisation()
    sandbox.organisations.reinstate(organisation)
    return Response(status_code=204)


def _is_known(sandbox: SandboxDep, esi: str) -> bool:
    with sandbox.store.reading() as stored:
        return stored.persons.by_esi(esi) is not None


def _refuse_unknown_organisation() -> NoReturn:
    raise SandboxRefusal(404, UNKNOWN, "The organisation does not exist")
