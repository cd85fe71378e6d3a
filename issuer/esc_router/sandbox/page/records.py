"""The pages of persons and cards."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Response

from issuer.esc_router.sandbox.organisations import Organisations
from issuer.esc_router.sandbox.page.layout import (
    code,
    mark,
    page,
    paging,
    search_form,
    table,
)
from issuer.esc_router.sandbox.page.markup import Content, Html, element
from issuer.esc_router.sandbox.page.served import PICTURES_PATH
from issuer.esc_router.sandbox.paging import PAGE_SIZE
from issuer.esc_router.sandbox.records import Card, Enrolment, Person
from issuer.esc_router.sandbox.rendering import status_of
from issuer.esc_router.sandbox.state import Sandbox, SandboxDep

router = APIRouter()
PERSONS_PATH, CARDS_PATH = "/sandbox/page/persons", "/sandbox/page/cards"
_KINDS = {"ACTIVE": "good", "INACTIVE": "bad", "EXPIRED": "plain"}

Number = Annotated[int, Query(alias="page", ge=0, le=10**9)]
Search = Annotated[str, Query(max_length=255)]


@router.get(PERSONS_PATH)
def show_persons(sandbox: SandboxDep, number: Number = 0, search: Search = "") -> Response:
    """Ten persons with their enrolments."""
    search = search.strip()
    with sandbox.store.reading() as stored:
        persons, total = stored.persons.page(None, number, containing=search)
    rows = [_person_row(person, sandbox.organisations) for person in persons]
    return page(
        "Persons",
        PERSONS_PATH,
        search_form(PERSONS_PATH, search, "ESI or name contains"),
        table(("Identifier (ESI)", "Enrolments", "Cards"), rows, empty="No persons here."),
        paging(PERSONS_PATH, number, PAGE_SIZE, total, search=search),
    )


@router.get(CARDS_PATH)
def show_cards(sandbox: SandboxDep, number: Number = 0, search: Search = "") -> Response:
    """Ten cards with their status."""
    search = search.strip()
    with sandbox.store.reading() as stored:
        cards, total = stored.cards.page(None, number, containing=search)
    columns = ("Card number (ESCN)", "Status", "Valid", "Issuer", "Processor", "Type", "Holder")
    return page(
        "Cards",
        CARDS_PATH,
        search_form(CARDS_PATH, search, "Card number or ESI contains"),
        table(columns, [_card_row(card, sandbox) for card in cards], empty="No cards here."),
        paging(CARDS_PATH, number, PAGE_SIZE, total, search=search),
    )


def _person_row(person: Person, organisations: Organisations) -> tuple[Content, ...]:
    enrolments = [_enrolment(person, enrolment, organisations) for enrolment in person.enrolments]
    return code(person.esi), enrolments, _link(CARDS_PATH, person.esi, "Show")


def _enrolment(person: Person, enrolment: Enrolment, organisations: Organisations) -> Html:
    source = f"{PICTURES_PATH}/{quote(enrolment.organisation)}/{quote(person.esi)}"
    picture = element("img", src=source, alt="Picture", width=40, height=60, loading="lazy")
    level = enrolment.academic_level
    return element(
        "div",
        picture if enrolment.has_picture else None,
        element(
            "p",
            element("strong", enrolment.full_name or "(no name)"),
            element("br"),
            _named(enrolment.organisation, organisations),
            [element("br"), level.capitalize()] if level else None,
            [element("br"), enrolment.email] if enrolment.email else None,
        ),
        class_="enrolment",
    )


def _card_row(card: Card, sandbox: Sandbox) -> tuple[Content, ...]:
    status = status_of(card, sandbox.today())
    return (
        [code(card.number), [element("br"), card.display_name] if card.display_name else None],
        mark(status, _KINDS[status]),
        f"{card.issued_at} to {card.expires_at}",
        _named(card.issuer, sandbox.organisations),
        _named(card.processor, sandbox.organisations) if card.processor else "-",
        card.type,
        _link(PERSONS_PATH, card.esi, code(card.esi)),
    )


def _named(identifier: str, organisations: Organisations) -> str:
    name = organisations.name_of(identifier)
    return f"{name} ({identifier})" if name else identifier


def _link(path: str, search: str, text: Content) -> Html:
    return element("a", text, href=f"{path}?{urlencode({'search': search})}")
