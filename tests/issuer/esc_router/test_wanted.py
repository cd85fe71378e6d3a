"""What the router should hold: one answer for what is sent and what is compared."""

from datetime import date
from typing import Any

import pytest

from issuer.esc_router.views import CardStatusType, CardType
from issuer.esc_router.wanted import Presence, presence_of, wanted_card, wanted_person
from issuer.tables import Card, Institution, Student

PIC = "999978433"


def institution(**more: Any) -> Institution:
    return Institution(
        pic=PIC,
        name="Rīgas Universitāte",
        country="LV",
        schac_home_organization="uni.example",
        esi_scopes=["lv"],
        escn_prefixes=["001"],
        created_at=0,
        **more,
    )


def student(**more: Any) -> Student:
    esi = "urn:schac:personalUniqueCode:int:esi:lv:1"
    return Student(
        id=1,
        pic=PIC,
        esi=esi,
        esi_normal=esi.lower(),
        full_name="Anna Bērziņa",
        email="anna@uni.example",
        academic_level="MASTER",
        search_text="",
        created_at=0,
        updated_at=0,
        **more,
    )


def card(state: str, *, registered: bool) -> Card:
    return Card(
        escn=f"00000001-6423-103e-add8-001{PIC}",
        student_id=1,
        pic=PIC,
        state=state,
        issued_on=date(2026, 9, 1),
        expires_on=date(2028, 8, 31),
        router_registered_at=1 if registered else None,
        created_at=0,
        updated_at=0,
    )


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("consented_at", [None, 5])
@pytest.mark.parametrize("erasure", [{"erasing_since": 7}, {"erased_at": 8}])
def test_whoever_is_being_erased_is_not_wanted_whatever_they_consented_to(
    asks: bool, consented_at: int | None, erasure: dict[str, int]
) -> None:
    erased = student(consented_at=consented_at, router_registered_at=3, **erasure)
    assert presence_of(institution(asks_consent=asks), erased) is Presence.ABSENT


def test_without_the_consent_that_is_asked_for_nobody_is_registered() -> None:
    asking = institution(asks_consent=True)
    assert presence_of(asking, student()) is Presence.AWAITING_CONSENT


def test_consent_that_was_withdrawn_takes_the_student_away() -> None:
    asking = institution(asks_consent=True)
    assert presence_of(asking, student(router_registered_at=3)) is Presence.ABSENT


def test_consent_or_an_institution_that_asks_for_none_is_enough() -> None:
    asking = institution(asks_consent=True)
    assert presence_of(asking, student(consented_at=5)) is Presence.PRESENT
    assert presence_of(institution(), student()) is Presence.PRESENT


@pytest.mark.parametrize("state", ["ordered", "expired"])
def test_a_card_before_and_after_its_days_is_not_registered(state: str) -> None:
    assert wanted_card(card(state, registered=False), student(), institution()) is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("ordered", CardStatusType.INACTIVE),
        ("active", CardStatusType.ACTIVE),
        ("suspended", CardStatusType.INACTIVE),
        ("revoked", CardStatusType.INACTIVE),
        ("expired", CardStatusType.ACTIVE),  # reported as EXPIRED by its date
    ],
)
def test_a_registered_card_is_told_with_its_state(state: str, status: CardStatusType) -> None:
    wanted = wanted_card(card(state, registered=True), student(), institution())
    assert wanted is not None
    assert wanted.card_status_type == status


def test_the_person_comes_without_an_email_address_and_the_card_without_a_name() -> None:
    person = wanted_person(student())
    (enrolment,) = person.person_organisation_update_views
    assert (enrolment.full_name, enrolment.email) == ("Anna Bērziņa", None)
    assert (enrolment.organisation_identifier, enrolment.academic_level) == (PIC, "MASTER")
    held = wanted_card(
        card("active", registered=False), student(), institution(processor_vat="LV40000000000")
    )
    assert held is not None
    assert held.display_name is None
    assert (held.card_type, held.processor_identifier, held.person_identifier) == (
        CardType.SMART_PASSIVE,
        "LV40000000000",
        person.identifier,
    )
