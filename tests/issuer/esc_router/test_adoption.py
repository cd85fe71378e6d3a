"""What becomes of one card of the router's: every reason not to adopt it, and the few to do so."""

from datetime import date
from typing import Any

import pytest

from issuer.card_states import CardState
from issuer.esc_router.adoption import (
    WORDS,
    CardThere,
    Held,
    Verdict,
    facts_of_new_student,
    judge,
    read_card,
)
from issuer.esc_router.views import CardView
from issuer.tables import Card, Institution, Student

PIC, OTHER_PIC = "999978433", "888878433"
ESCN = f"00000001-6423-103e-add8-001{PIC}"
ESI = "urn:schac:personalUniqueCode:int:esi:uni.example:AB1"


def institution(**more: Any) -> Institution:
    columns: dict[str, Any] = {
        "pic": PIC,
        "name": "Riga",
        "country": "LV",
        "schac_home_organization": "uni.example",
        "esi_scopes": ["uni.example"],
        "escn_prefixes": ["001"],
        "processor_vat": "LV40000000000",
        "asks_consent": False,
        "created_at": 0,
    }
    return Institution(**(columns | more))


def shown(**changes: Any) -> CardView:
    """A card as the router shows it, with changes."""
    document: dict[str, Any] = {
        "cardNumber": ESCN,
        "cardStatusType": {"key": "ACTIVE"},
        "issuedAt": "2025-09-01",
        "expiresAt": "2027-08-31",
        "issuer": {"identifier": PIC},
        "processor": {"identifier": "lv40000000000"},
        "person": {
            "identifier": ESI,
            "organisations": [
                {
                    "organisation": {"identifier": PIC},
                    "fullName": "Anna Bērziņa",
                    "academicLevel": {"key": "MASTER"},
                }
            ],
        },
    }
    return CardView.model_validate(document | changes)


def student(**more: Any) -> Student:
    columns: dict[str, Any] = {
        "id": 7,
        "pic": PIC,
        "esi": ESI,
        "esi_normal": ESI.lower(),
        "full_name": "Anna",
        "search_text": "",
        "created_at": 0,
        "updated_at": 0,
    }
    return Student(**(columns | more))


def nothing() -> Held:
    return Held({}, {}, set())


def there(**changes: Any) -> CardThere:
    card = read_card(ESCN, shown(**changes), institution())
    assert isinstance(card, CardThere)
    return card


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"issuer": {"identifier": OTHER_PIC}}, Verdict.FOREIGN_ISSUER),
        ({"processor": {"identifier": "LV1"}}, Verdict.OTHER_PROCESSOR),
        ({"person": None}, Verdict.MALFORMED_IDENTIFIER),
        ({"person": {"identifier": "someone@example.org"}}, Verdict.MALFORMED_IDENTIFIER),
        ({"person": {"identifier": f"LV-{PIC}-AB12"}}, Verdict.OLD_IDENTIFIER),
        ({"issuedAt": None}, Verdict.MALFORMED_DATES),
        ({"issuedAt": "01.09.2025"}, Verdict.MALFORMED_DATES),
        ({"issuedAt": "2025-02-30"}, Verdict.MALFORMED_DATES),
        ({"expiresAt": "2025-08-31"}, Verdict.MALFORMED_DATES),
        ({"cardStatusType": {"key": "LOST"}}, Verdict.UNKNOWN_STATUS),
        ({"cardStatusType": None}, Verdict.UNKNOWN_STATUS),
    ],
)
def test_a_card_that_is_not_in_order_is_not_adopted(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    assert read_card(ESCN, shown(**changes), institution()) is verdict


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("", Verdict.MALFORMED_NUMBER),
        ("00000001-6423-403e-add8-001999978433", Verdict.MALFORMED_NUMBER),
        ("00000001-6423-103e-add8-00199997843a", Verdict.MALFORMED_NUMBER),
        (f"00000001-6423-103e-add8-001{OTHER_PIC}", Verdict.FOREIGN_NUMBER),
    ],
)
def test_a_number_that_is_not_the_institutions_is_not_adopted(
    number: str, verdict: Verdict
) -> None:
    assert read_card(number, shown(), institution()) is verdict


def test_a_card_that_is_listed_and_not_shown_is_not_adopted() -> None:
    assert read_card(ESCN, None, institution()) is Verdict.NOT_SHOWN


def test_an_institution_without_a_processor_adopts_no_processors_cards() -> None:
    alone = institution(processor_vat=None)
    assert read_card(ESCN, shown(), alone) is Verdict.OTHER_PROCESSOR
    assert isinstance(read_card(ESCN, shown(processor=None), alone), CardThere)


@pytest.mark.parametrize(
    ("key", "state", "reason"),
    [
        ("ACTIVE", CardState.ACTIVE, None),
        ("INACTIVE", CardState.SUSPENDED, "inactive at the ESC-Router when adopted"),
        ("EXPIRED", CardState.EXPIRED, None),
    ],
)
def test_the_status_there_is_the_state_here(
    key: str, state: CardState, reason: str | None
) -> None:
    card = there(cardStatusType={"key": key})
    assert (card.state, card.reason) == (state, reason)
    assert (card.issued_on, card.expires_on) == (date(2025, 9, 1), date(2027, 8, 31))


def test_a_prefix_that_is_not_the_institutions_is_kept() -> None:
    number = f"00000001-6423-103e-add8-777{PIC}"
    card = read_card(number, shown(), institution())
    assert isinstance(card, CardThere)
    assert card.escn == number


def test_the_holder_is_found_in_any_case() -> None:
    held = Held({}, {ESI.lower(): student()}, set())
    card = there(person={"identifier": ESI.upper()})
    assert judge(card, institution(), held, with_students=False) is Verdict.ADOPTED


@pytest.mark.parametrize("owner", [7, 8])
def test_a_number_that_is_here_is_not_adopted_again(owner: int) -> None:
    here = Card(
        escn=ESCN,
        student_id=owner,
        pic=PIC,
        state="active",
        issued_on=date(2025, 9, 1),
        expires_on=date(2027, 8, 31),
        created_at=0,
        updated_at=0,
    )
    held = Held({ESCN: here}, {ESI.lower(): student()}, set())
    verdict = judge(there(), institution(), held, with_students=True)
    assert verdict is (Verdict.HERE_ALREADY if owner == 7 else Verdict.HERE_OF_ANOTHER)
    nobody = Held({ESCN: here}, {}, set())
    assert judge(there(), institution(), nobody, with_students=True) is Verdict.HERE_OF_ANOTHER


@pytest.mark.parametrize("column", ["erasing_since", "erased_at"])
def test_nothing_is_adopted_for_who_is_erased(column: str) -> None:
    held = Held({}, {ESI.lower(): student(**{column: 1})}, set())
    assert judge(there(), institution(), held, with_students=True) is Verdict.BEING_ERASED


def test_where_consent_is_asked_it_comes_first() -> None:
    asking = institution(asks_consent=True)
    held = Held({}, {ESI.lower(): student()}, set())
    assert judge(there(), asking, held, with_students=True) is Verdict.NO_CONSENT
    assert judge(there(), asking, nothing(), with_students=True) is Verdict.NO_CONSENT
    agreed = Held({}, {ESI.lower(): student(consented_at=5)}, set())
    assert judge(there(), asking, agreed, with_students=True) is Verdict.ADOPTED


def test_a_student_who_is_not_here_is_made_only_when_asked_for() -> None:
    assert judge(there(), institution(), nothing(), with_students=False) is Verdict.NO_STUDENT
    made = judge(there(), institution(), nothing(), with_students=True)
    assert made is Verdict.ADOPTED_WITH_STUDENT
    facts = facts_of_new_student(there())
    assert facts is not None
    assert (facts.full_name, facts.academic_level) == ("Anna Bērziņa", "MASTER")


def test_a_student_of_another_scope_or_without_a_name_is_not_made() -> None:
    elsewhere = institution(esi_scopes=["other.example"])
    assert judge(there(), elsewhere, nothing(), with_students=True) is Verdict.FOREIGN_SCOPE
    for name in (None, "", "=cmd()", "\u0007bell"):
        person = {
            "identifier": ESI,
            "organisations": [{"organisation": {"identifier": PIC}, "fullName": name}],
        }
        card = there(person=person)
        assert judge(card, institution(), nothing(), with_students=True) is Verdict.NO_NAME
    theirs = {"identifier": ESI, "organisations": [{"organisation": {"identifier": OTHER_PIC}}]}
    card = there(person=theirs)
    assert judge(card, institution(), nothing(), with_students=True) is Verdict.NO_NAME


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("ACTIVE", Verdict.ADOPTED_BESIDE),
        ("INACTIVE", Verdict.ADOPTED_BESIDE),
        ("EXPIRED", Verdict.ADOPTED),
    ],
)
def test_two_living_cards_of_a_student_are_both_kept_and_told(key: str, verdict: Verdict) -> None:
    held = Held({}, {ESI.lower(): student()}, {ESI.lower()})
    card = there(cardStatusType={"key": key})
    assert judge(card, institution(), held, with_students=False) is verdict


def test_every_verdict_has_its_words() -> None:
    assert set(WORDS) == set(Verdict)
