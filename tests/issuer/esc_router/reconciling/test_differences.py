"""What counts as a difference: nothing between a record and itself, one per changed field."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.esc_router.differences import (
    REPAIRABLE,
    DifferenceKind,
    card_differences,
    person_differences,
    words_of,
)
from issuer.esc_router.views import (
    CardType,
    CardUpdateView,
    CardView,
    PersonOrganisationUpdateView,
    PersonUpdateView,
    PersonView,
)

TODAY = date(2026, 11, 23)
PIC, OTHER_PIC = "999978433", "888878433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:"
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)
LEVELS = st.sampled_from([None, "BACHELOR", "MASTER", "DOCTORATE"])


@st.composite
def wanted_cards(draw: st.DrawFn) -> CardUpdateView:
    first = draw(st.dates(date(2020, 1, 1), date(2027, 1, 1)))
    return CardUpdateView(
        card_number=f"00000000-6423-103e-add8-001{PIC}",
        card_status_type=draw(st.sampled_from(["ACTIVE", "INACTIVE"])),
        card_type=draw(st.sampled_from(CardType)),
        display_name=draw(st.none() | NAMES),
        issued_at=first,
        expires_at=first + timedelta(days=draw(st.integers(1, 3000))),
        issuer_identifier=PIC,
        person_identifier=ESI + draw(st.text("abcXYZ019", min_size=1)),
        processor_identifier=draw(st.none() | st.just("LV40000000000")),
    )


def as_answered(card: CardUpdateView, **changed: Any) -> CardView:
    """What a router answers that holds the card as it was sent, but for what is changed."""
    sent = card.model_copy(update=changed)
    status = "EXPIRED" if sent.expires_at < TODAY else sent.card_status_type
    processor = sent.processor_identifier
    return CardView.model_validate(
        {
            "cardNumber": sent.card_number,
            "cardStatusType": {"key": status},
            "cardType": {"key": sent.card_type},
            "displayName": sent.display_name,
            "issuedAt": sent.issued_at.isoformat(),
            "expiresAt": sent.expires_at.isoformat(),
            "issuer": {"identifier": sent.issuer_identifier},
            "person": {"identifier": sent.person_identifier},
            "processor": {"identifier": processor} if processor else None,
        }
    )


def kinds(wanted: CardUpdateView, there: CardView, *, today: date = TODAY) -> list[str]:
    found = card_differences(wanted, there, state="suspended", today=today)
    return [difference.kind.value for difference in found]


@given(wanted_cards())
def test_a_card_does_not_differ_from_itself(card: CardUpdateView) -> None:
    assert kinds(card, as_answered(card)) == []


CHANGES: dict[str, tuple[str, Any]] = {
    "holder_differs": ("person_identifier", ESI + "somebody-else"),
    "issuer_differs": ("issuer_identifier", OTHER_PIC),
    "processor_differs": ("processor_identifier", "PT500000000"),
    "name_differs": ("display_name", "\N{SNOWMAN} another"),
}


@pytest.mark.parametrize("kind", CHANGES)
@given(wanted_cards())
def test_a_changed_field_is_exactly_its_difference(kind: str, card: CardUpdateView) -> None:
    field, value = CHANGES[kind]
    assert kinds(card, as_answered(card, **{field: value})) == [kind]


@given(wanted_cards(), st.sampled_from(CardType))
def test_another_type_is_exactly_that(card: CardUpdateView, other: CardType) -> None:
    expected = [] if other == card.card_type else ["type_differs"]
    assert kinds(card, as_answered(card, card_type=other)) == expected


@given(wanted_cards())
def test_another_status_of_a_card_that_lives_is_exactly_that(card: CardUpdateView) -> None:
    other = "INACTIVE" if card.card_status_type == "ACTIVE" else "ACTIVE"
    changed = as_answered(card, card_status_type=other)
    if card.expires_at < TODAY:
        assert kinds(card, changed) == []  # the router shows neither
    else:
        assert kinds(card, changed) == ["status_differs" if other == "INACTIVE" else "shown_valid"]


@given(wanted_cards(), st.integers(1, 4000))
def test_another_day_is_that_and_a_card_that_it_revives_is_shown_valid(
    card: CardUpdateView, days: int
) -> None:
    last = card.expires_at + timedelta(days=days)
    found = kinds(card, as_answered(card, expires_at=last))
    is_revived = card.expires_at < TODAY <= last and card.card_status_type == "ACTIVE"
    assert found == (["shown_valid"] if is_revived else []) + ["dates_differ"]


@given(wanted_cards())
def test_another_first_day_is_exactly_that(card: CardUpdateView) -> None:
    earlier = as_answered(card, issued_at=card.issued_at - timedelta(days=1))
    assert kinds(card, earlier) == ["dates_differ"]


def a_card(**changed: Any) -> CardUpdateView:
    values: dict[str, Any] = {
        "card_number": f"00000000-6423-103e-add8-001{PIC}",
        "card_status_type": "ACTIVE",
        "card_type": CardType.SMART_PASSIVE,
        "issued_at": date(2026, 9, 1),
        "expires_at": TODAY,
        "issuer_identifier": PIC,
        "person_identifier": ESI + "1",
    }
    return CardUpdateView(**(values | changed))


def reported(status: str, **changed: Any) -> CardView:
    answer = as_answered(a_card(**changed)).model_dump(by_alias=True)
    return CardView.model_validate(answer | {"cardStatusType": {"key": status}})


def test_around_midnight_neither_side_is_wrong_about_a_card_that_ends() -> None:
    assert kinds(a_card(), reported("EXPIRED")) == []  # its day has begun there already
    assert kinds(a_card(), reported("ACTIVE"), today=TODAY + timedelta(days=1)) == []
    assert kinds(a_card(), reported("ACTIVE"), today=TODAY + timedelta(days=2)) == ["shown_valid"]


def test_an_unknown_status_is_a_difference_and_not_a_failure() -> None:
    assert kinds(a_card(), reported("BLOCKED")) == ["status_differs"]
    assert kinds(a_card(card_status_type="INACTIVE"), reported("BLOCKED")) == ["status_differs"]


def test_an_answer_that_leaves_everything_out_differs_in_everything_we_send() -> None:
    found = kinds(a_card(), CardView())
    assert found == [
        "status_differs",
        "dates_differ",
        "holder_differs",
        "issuer_differs",
        "type_differs",
    ]


def test_case_and_spaces_make_no_difference_where_people_see_none() -> None:
    changed = as_answered(
        a_card(processor_identifier="lv40000000000", display_name=" "),
        person_identifier=(ESI + "1").upper(),
    )
    assert kinds(a_card(processor_identifier="LV40000000000"), changed) == []


@st.composite
def wanted_persons(draw: st.DrawFn) -> PersonUpdateView:
    enrolment = PersonOrganisationUpdateView(
        organisation_identifier=PIC,
        full_name=draw(NAMES),
        email=draw(st.none() | st.just("anna@uni.example")),
        academic_level=draw(LEVELS),
    )
    return PersonUpdateView(identifier=ESI + "1", person_organisation_update_views=(enrolment,))


def person_as_answered(person: PersonUpdateView, **changed: Any) -> PersonView:
    sent = person.person_organisation_update_views[0].model_copy(update=changed)
    level, email = sent.academic_level, sent.email
    ours = {
        "organisation": {"identifier": sent.organisation_identifier},
        "fullName": sent.full_name,
        "academicLevel": {"key": level} if level else None,
        "contactPoint": {"email": email} if email else None,
    }
    others = {"organisation": {"identifier": OTHER_PIC}, "fullName": "As known elsewhere"}
    return PersonView.model_validate(
        {"identifier": person.identifier, "organisations": [others, ours]}
    )


def person_kinds(person: PersonUpdateView, **changed: Any) -> list[str]:
    found = person_differences(person, person_as_answered(person, **changed))
    return [difference.kind.value for difference in found]


@given(wanted_persons())
def test_a_person_does_not_differ_from_itself(person: PersonUpdateView) -> None:
    assert person_kinds(person) == []


@given(wanted_persons(), LEVELS)
def test_a_changed_field_of_a_person_is_exactly_its_difference(
    person: PersonUpdateView, level: str | None
) -> None:
    ours = person.person_organisation_update_views[0]
    assert person_kinds(person, full_name="\N{SNOWMAN} another") == ["name_differs"]
    assert person_kinds(person, email="other@uni.example") == ["email_differs"]
    expected = [] if level == ours.academic_level else ["level_differs"]
    assert person_kinds(person, academic_level=level) == expected
    gone = person_kinds(person, organisation_identifier="777778433")
    assert gone == ["person_missing_there"]


def test_a_name_in_another_normal_form_is_the_same_name() -> None:
    enrolment = PersonOrganisationUpdateView(organisation_identifier=PIC, full_name="L\u012bga")
    person = PersonUpdateView(identifier=ESI, person_organisation_update_views=(enrolment,))
    assert person_kinds(person, full_name="Li\u0304ga ") == []


def test_an_email_address_is_never_repeated() -> None:
    enrolment = PersonOrganisationUpdateView(organisation_identifier=PIC, full_name="Anna")
    person = PersonUpdateView(identifier=ESI, person_organisation_update_views=(enrolment,))
    (found,) = person_differences(person, person_as_answered(person, email="a@uni.example"))
    assert "@" not in repr(found) + words_of(found.kind, found.here, found.there)


@pytest.mark.parametrize("kind", DifferenceKind)
@pytest.mark.parametrize("value", [None, "{here} {0} {", "100 %s"])
def test_every_kind_has_a_sentence_whatever_the_values_are(
    kind: DifferenceKind, value: str | None
) -> None:
    words = words_of(kind, value, value)
    assert words.startswith("The router ")
    assert words.endswith(".")


def test_nothing_that_people_must_decide_can_be_repaired() -> None:
    assert {kind.value for kind in DifferenceKind} - {kind.value for kind in REPAIRABLE} == {
        "without_consent",
        "issuer_differs",
        "missing_here",
        "person_missing_here",
        "unreadable",
    }
