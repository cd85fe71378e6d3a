"""The published views of the operations served here, with their limits and required fields.

Written from the OpenAPI document and not shared with our client: a mistake in one of them must
not hide behind the same mistake in the other.
"""

from datetime import date
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

Text = Annotated[str, Field(max_length=255)]


def _only_iso(value: object) -> object:
    # pydantic would also take numbers and instants.
    if isinstance(value, str) and len(value) == len("yyyy-MM-dd"):
        return value
    raise ValueError("a date is yyyy-MM-dd")


Day = Annotated[date, BeforeValidator(_only_iso)]
AcademicLevelKey = Literal["BACHELOR", "MASTER", "DOCTORATE"]
WritableStatus = Literal["ACTIVE", "INACTIVE"]
CsvOperation = Literal["CREATE", "UPDATE", "DELETE"]


class CardTypeLabel(Enum):
    """The card types and how the document describes them."""

    UNKNOWN = "Unknown / None"
    PASSIVE = "Physical passive card, with no electronic component"
    SMART_NO_CDZ = "Physical smart card, without ESC data zone"
    SMART_CDZ = "Physical smart card, with ESC data zone"
    SMART_MAY_SP = "Physical smart card, with custom data by service providers"
    SMART_PASSIVE = "Digital passive card, with no electronic component"
    SMART_PASSIVE_EMULATION = "Digital smart card, with physical card emulation"


class View(BaseModel):
    """Base of all views: camelCase on the wire, unknown fields ignored as the router does."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )


class ApiErrorMessage(View):
    """The body of every refusal."""

    code: str
    message: str


class PersonOrganisationUpdateView(View):
    """An enrolment to write."""

    organisation_identifier: Text
    full_name: Text | None = None
    email: Text | None = None
    academic_level: AcademicLevelKey | None = None


class PersonUpdateView(View):
    """A person to write."""

    identifier: Text
    identifier_code: Literal["ESI"] | None = None
    full_name: Text | None = None
    person_organisation_update_views: Annotated[
        list[PersonOrganisationUpdateView], Field(min_length=1)
    ]


class CardUpdateView(View):
    """A card to write; without a number on POST the router mints one."""

    card_number: Text | None = None
    card_status_type: WritableStatus
    card_type: str
    display_name: Text | None = None
    issued_at: Day
    expires_at: Day
    issuer_identifier: Text
    person_identifier: Text
    processor_identifier: Text | None = None


class CodeView(View):
    """A key with its label."""

    key: str
    label: str


class ContactPointView(View):
    """An e-mail address."""

    email: str


class OrganisationLiteView(View):
    """An organisation, with as much as the sandbox knows of it."""

    identifier: str
    name: str | None = None
    full_label: str | None = None
    identifier_code: CodeView | None = None


class PersonOrganisationView(View):
    """An enrolment."""

    organisation: OrganisationLiteView
    full_name: str | None = None
    academic_level: CodeView | None = None
    contact_point: ContactPointView | None = None
    has_picture: bool = False


class PersonLiteView(View):
    """A person in a list, or on a card."""

    identifier: str
    full_name: str | None = None
    organisations: list[PersonOrganisationView]


class PersonView(PersonLiteView):
    """A person."""

    identifier_code: CodeView
    organisation_count: int


class CardLiteView(View):
    """A card in a list: without status and type."""

    card_number: str
    display_name: str | None = None
    issued_at: date
    expires_at: date
    has_owner_authorization: bool
    issuer: OrganisationLiteView
    person: PersonLiteView
    processor: OrganisationLiteView | None = None


class CardView(CardLiteView):
    """A card."""

    card_status_type: CodeView
    card_type: CodeView


class CardStatusView(View):
    """What anyone may read of a card."""

    card_number: str
    status: str
    display_name: str | None = None
    issued_at: date
    expires_at: date
    issuer_identifier: str
    issuer_name: str | None = None


class VerifiedIssuer(View):
    """The issuer as the verification service names it."""

    identifier: str
    name: str | None = None


class VerifiedCardView(View):
    """The answer of the public verification service."""

    card_number: str
    card_type: CodeView
    card_status_type: CodeView
    expires_at: date
    issuer: VerifiedIssuer


class CsvValidationError(View):
    """What is wrong in one row of a file."""

    row_number: int
    field_name: str
    error_message: str
    params: dict[str, str]


class PageMetadata(View):
    """Where a page is in its list."""

    number: int
    size: int
    total_elements: int
    total_pages: int


class PagedResourcesPersonLiteView(View):
    """A page of persons."""

    content: list[PersonLiteView]
    empty: bool
    links: list[str] = []
    page: PageMetadata


class PagedResourcesCardLiteView(View):
    """A page of cards."""

    content: list[CardLiteView]
    empty: bool
    links: list[str] = []
    page: PageMetadata
