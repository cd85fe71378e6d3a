"""Persons: `/persons`, with the names on the enrolments.

The old identifiers `CN-PIC-STUDENTCODE` are taken as they are, as the document says. Our guesses:
PUT adds or replaces the enrolments it names and leaves others alone; DELETE removes
the caller's enrolments with their cards, and the person when no enrolment is left; a person who
is enrolled elsewhere only is answered with SE-0000.
"""

from fastapi import APIRouter, Response

from issuer.esc_router.sandbox import stored_persons
from issuer.esc_router.sandbox.documented import WITH_AUTHORIZATION, refusals
from issuer.esc_router.sandbox.organisations import Organisation
from issuer.esc_router.sandbox.records import Enrolment, Person
from issuer.esc_router.sandbox.refusals import (
    refuse_access,
    refuse_existing_person,
    refuse_field,
    refuse_unknown_person,
)
from issuer.esc_router.sandbox.rendering import page_metadata, person_lite_view, person_view
from issuer.esc_router.sandbox.searching import Listed, parse_search
from issuer.esc_router.sandbox.state import Caller, SandboxDep
from issuer.esc_router.sandbox.store import Stored
from issuer.esc_router.sandbox.views import (
    PagedResourcesPersonLiteView,
    PersonUpdateView,
    PersonView,
)
from verifier.errors import MalformedIdentifier
from verifier.identifiers import parse_esi, parse_legacy_identifier

router = APIRouter(tags=["V2/person"])
_SORTED = frozenset(stored_persons.COLUMNS)
_SEARCHED = _SORTED | {"identifierCode"}
_OF_CARDS = "person."  # what a search of cards writes before these names; read here too


@router.get(
    "/persons",
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def list_persons(
    sandbox: SandboxDep, caller: Caller, listed: Listed
) -> PagedResourcesPersonLiteView:
    """A page of the caller's persons."""
    wanted = parse_search(listed.search, _SEARCHED, prefix=_OF_CARDS)
    descending, sort = listed.descending, listed.sorted_by(_SORTED, "identifier")
    persons: list[Person] = []
    total = 0
    if wanted is not None and wanted.pop("identifierCode", "ESI") == "ESI":
        with sandbox.store.reading() as stored:
            persons, total = stored.persons.page(
                caller.writes_for,
                listed.page,
                size=listed.page_size,
                wanted=wanted,
                sort=sort,
                descending=descending,
            )
    return PagedResourcesPersonLiteView(
        content=[person_lite_view(person, sandbox.organisations) for person in persons],
        empty=not persons,
        page=page_metadata(listed.page, listed.page_size, total),
    )


@router.post(
    "/persons",
    status_code=201,
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 409, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def create_person(sandbox: SandboxDep, caller: Caller, body: PersonUpdateView) -> PersonView:
    """Add a person, or a further enrolment of one."""
    esi = _checked(body, caller)
    with sandbox.store.transaction() as stored:
        person = stored.persons.by_esi(esi)
        present = {enrolment.organisation for enrolment in person.enrolments} if person else set()
        for view in body.person_organisation_update_views:
            if view.organisation_identifier in present:
                refuse_existing_person()
        return person_view(_saved(stored, esi, body), sandbox.organisations)


@router.get(
    "/persons/{esi}",
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 404, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def read_person(sandbox: SandboxDep, caller: Caller, esi: str) -> PersonView:
    """One person."""
    with sandbox.store.reading() as stored:
        person = _callers(stored, esi, caller)
    return person_view(person, sandbox.organisations)


@router.put(
    "/persons/{esi}",
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 404, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def update_person(
    sandbox: SandboxDep, caller: Caller, esi: str, body: PersonUpdateView
) -> PersonView:
    """Replace what is held of enrolments."""
    if _checked(body, caller).lower() != esi.lower():
        refuse_field("identifier", "it cannot be changed")
    with sandbox.store.transaction() as stored:
        _callers(stored, esi, caller)
        return person_view(_saved(stored, esi, body), sandbox.organisations)


@router.delete(
    "/persons/{esi}",
    status_code=204,
    responses=refusals(401, 403, 404, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def delete_person(sandbox: SandboxDep, caller: Caller, esi: str) -> Response:
    """Remove the caller's enrolments."""
    with sandbox.store.transaction() as stored:
        _callers(stored, esi, caller)
        stored.persons.delete_enrolments(esi, caller.writes_for)
    return Response(status_code=204)


def _checked(body: PersonUpdateView, caller: Organisation) -> str:
    esi = _identifier(body.identifier)
    organisations = [
        view.organisation_identifier for view in body.person_organisation_update_views
    ]
    if not caller.writes_for.issuperset(organisations):
        refuse_access("the key is not for this organisation")
    if len(set(organisations)) < len(organisations):
        refuse_field("personOrganisationUpdateViews", "one organisation stands in it twice")
    return esi


def _identifier(text: str) -> str:
    try:
        return parse_esi(text).text
    except MalformedIdentifier as error:
        try:
            parse_legacy_identifier(text)
        except MalformedIdentifier:
            refuse_field("identifier", str(error))
        return text


def _callers(stored: Stored, esi: str, caller: Organisation) -> Person:
    person = stored.persons.by_esi(esi)
    if person is None:
        refuse_unknown_person()
    if not any(enrolment.organisation in caller.writes_for for enrolment in person.enrolments):
        refuse_access("the person is not of this organisation")
    return person


def _saved(stored: Stored, esi: str, body: PersonUpdateView) -> Person:
    stored.persons.save(esi, body.full_name)
    for view in body.person_organisation_update_views:
        enrolment = Enrolment(
            organisation=view.organisation_identifier,
            full_name=view.full_name,
            email=view.email,
            academic_level=view.academic_level,
        )
        stored.persons.save_enrolment(esi, enrolment)
    person = stored.persons.by_esi(esi)
    if person is None:
        refuse_unknown_person()
    return person
