"""The router's views: what we send, and what we read of its answers (OpenAPI document, v2).

What we send is strict and leaves out what is blank. What we read is lenient: every field may be
missing and fields that we do not know are ignored, so that a newer router does not stop us.
Names are the document's, in snake_case; the wire has them in camelCase.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class CardStatusType(StrEnum):
    """A card's status at the router. EXPIRED is only ever reported, never sent."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    EXPIRED = "EXPIRED"


class CardType(StrEnum):
    """What kind of card it is; ours are digital without an electronic component."""

    UNKNOWN = "UNKNOWN"
    PASSIVE = "PASSIVE"
    SMART_NO_CDZ = "SMART_NO_CDZ"
    SMART_CDZ = "SMART_CDZ"
    SMART_MAY_SP = "SMART_MAY_SP"
    SMART_PASSIVE = "SMART_PASSIVE"
    SMART_PASSIVE_EMULATION = "SMART_PASSIVE_EMULATION"


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Optional = Annotated[str | None, BeforeValidator(_none_if_blank)]


class _View(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
        hide_input_in_errors=True,  # the input is a person's data
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: object) -> object:
        if isinstance(data, dict):
            return {name: value for name, value in data.items() if value is not None}
        return data

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"  # the fields are a person's data

    __str__ = __repr__


class PersonOrganisationUpdateView(_View):
    """One enrolment as we send it; the name belongs here, not to the person."""

    organisation_identifier: str
    full_name: Optional = None
    email: Optional = None
    academic_level: Optional = None


class PersonUpdateView(_View):
    """A person as we send it."""

    identifier: str
    identifier_code: Literal["ESI"] = "ESI"
    person_organisation_update_views: tuple[PersonOrganisationUpdateView, ...]


class CardUpdateView(_View):
    """A card as we send it. A card without a number is numbered by the router."""

    card_number: Optional = None
    card_status_type: Literal[CardStatusType.ACTIVE, CardStatusType.INACTIVE]
    card_type: CardType
    display_name: Optional = None
    issued_at: date
    expires_at: date
    issuer_identifier: str
    person_identifier: str
    processor_identifier: Optional = None


class CodeView(_View):
    """A code of a closed set, with its label in English."""

    key: str | None = None
    label: str | None = None


class ContactPointView(_View):
    """How to reach a person."""

    email: str | None = None


class OrganisationLiteView(_View):
    """An institution or a processor."""

    identifier: str | None = None
    name: str | None = None


class PersonOrganisationView(_View):
    """One enrolment as the router holds it."""

    organisation: OrganisationLiteView | None = None
    full_name: str | None = None
    academic_level: CodeView | None = None
    contact_point: ContactPointView | None = None
    has_picture: bool | None = None


class PersonView(_View):
    """A person as the router holds it; lists give the same without the counts."""

    identifier: str
    identifier_code: CodeView | None = None
    organisation_count: int | None = None
    organisations: tuple[PersonOrganisationView, ...] = ()

    def is_enrolled_at(self, pic: str) -> bool:
        """Whether one of the enrolments is this institution's."""
        holders = [enrolment.organisation for enrolment in self.organisations]
        return any(holder is not None and holder.identifier == pic for holder in holders)


class CardView(_View):
    """A card as the router holds it; lists leave out type and status."""

    card_number: str | None = None
    card_status_type: CodeView | None = None
    card_type: CodeView | None = None
    display_name: str | None = None
    issued_at: str | None = None
    expires_at: str | None = None
    issuer: OrganisationLiteView | None = None
    person: PersonView | None = None
    processor: OrganisationLiteView | None = None


class CardStatusView(_View):
    """What anyone may read of a card, without a key."""

    card_number: str | None = None
    status: str | None = None
    display_name: str | None = None
    issued_at: str | None = None
    expires_at: str | None = None
    issuer_identifier: str | None = None
    issuer_name: str | None = None


class VerifiedCardView(_View):
    """The answer of the public verification service."""

    card_number: str | None = None
    card_type: CodeView | None = None
    card_status_type: CodeView | None = None
    expires_at: str | None = None
    issuer: OrganisationLiteView | None = None


class PersonOutcome(StrEnum):
    """What became of a person when our enrolment was taken away."""

    REMOVED = "removed"
    KEPT_FOR_OTHERS = "kept_for_others"
    WAS_NOT_THERE = "was_not_there"


class CsvOperation(StrEnum):
    """What a file of cards is meant to do; it decides which columns must be filled."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class CsvValidationError(_View):
    """A fault that the router finds in a file: where, and its words, which may repeat the row."""

    row_number: int | None = None
    field_name: str | None = None
    error_message: str | None = None
    params: dict[str, str] = {}


class PageMetadata(_View):
    """Where in a list a page is; the router's pages hold 10 whatever size is asked for."""

    number: int = 0
    size: int = 10
    total_elements: int = 0
    total_pages: int = 0


Item = TypeVar("Item")


class Page(_View, Generic[Item]):
    """One page of a list."""

    content: tuple[Item, ...] = ()
    page: PageMetadata = PageMetadata()
