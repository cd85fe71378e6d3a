from datetime import date
from typing import Any

import httpx
import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import (
    RouterAccessDenied,
    RouterConflict,
    RouterKeyRefused,
    RouterRefused,
)
from issuer.esc_router.views import (
    CardStatusType,
    CardType,
    CardUpdateView,
    PersonOrganisationUpdateView,
    PersonUpdateView,
)

RIGA, PORTO = "999978433", "888878433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:280595-12345"
ESCN = "25539be8-6423-103e-add8-001999978433"


def person(esi: str = ESI, pic: str = RIGA, name: str | None = "Zoë Ķirsis") -> PersonUpdateView:
    enrolment = PersonOrganisationUpdateView(
        organisation_identifier=pic, full_name=name, academic_level="MASTER"
    )
    return PersonUpdateView(identifier=esi, person_organisation_update_views=(enrolment,))


def card(escn: str | None = ESCN, **changed: Any) -> CardUpdateView:
    fields: dict[str, Any] = {
        "card_number": escn,
        "card_status_type": CardStatusType.ACTIVE,
        "card_type": CardType.SMART_PASSIVE,
        "issued_at": date(2026, 9, 1),
        "expires_at": date(2027, 8, 31),
        "issuer_identifier": RIGA,
        "person_identifier": ESI,
    }
    return CardUpdateView(**(fields | changed))


@pytest.mark.parametrize("key", [None, "", "two words", "line\nbreak", "ķīlis"])
def test_what_cannot_be_a_key_is_not_sent(
    sandbox: Any, http: httpx.Client, key: str | None
) -> None:
    with pytest.raises(RouterKeyRefused):
        EscRouterClient(sandbox.url, key, http).read_person(ESI)


def test_an_unknown_key_is_refused(sandbox: Any, http: httpx.Client) -> None:
    with pytest.raises(RouterKeyRefused, match="401"):
        EscRouterClient(sandbox.url, "nobodys", http).create_person(person())


def test_another_institutions_key_is_refused(porto: EscRouterClient) -> None:
    with pytest.raises(RouterAccessDenied, match="SE-0000"):
        porto.create_person(person())


def test_a_repeated_person_and_card_conflict(riga: EscRouterClient) -> None:
    riga.create_person(person())
    with pytest.raises(RouterConflict, match="ER-0019"):
        riga.create_person(person())
    riga.create_card(card())
    with pytest.raises(RouterConflict, match="ER-0002"):
        riga.create_card(card())


def test_a_card_without_its_person_is_refused_without_naming_them(riga: EscRouterClient) -> None:
    with pytest.raises(RouterRefused) as raised:
        riga.create_card(card())
    assert raised.value.status == 400
    assert "280595" not in str(raised.value)


def test_a_person_is_written_and_read(riga: EscRouterClient) -> None:
    riga.create_person(person())
    found = riga.read_person(ESI)
    assert found is not None
    assert found.identifier == ESI
    (enrolment,) = found.organisations
    assert enrolment.full_name == "Zoë Ķirsis"
    assert enrolment.organisation is not None
    assert (enrolment.organisation.identifier, enrolment.organisation.name) == (
        RIGA,
        "Rīgas Universitāte",
    )
    assert enrolment.academic_level is not None
    assert enrolment.academic_level.key == "MASTER"


def test_a_blank_name_is_not_sent() -> None:
    blank = person(name="  ").model_dump_json(exclude_none=True)
    assert "fullName" not in blank


@pytest.mark.parametrize(
    "code",
    ["a:b", "a%2Fb", "a%2fb%25", "x(y)+z,-.=@;$_!*'", "..", "%2E%2E"],
)
def test_every_identifier_reaches_the_router_as_it_is(riga: EscRouterClient, code: str) -> None:
    esi = f"urn:schac:personalUniqueCode:int:esi:uni.lv:{code}"
    riga.create_person(person(esi))
    riga.update_person(person(esi, name="Renamed"))
    found = riga.read_person(esi)
    assert found is not None
    assert (found.identifier, found.organisations[0].full_name) == (esi, "Renamed")
    riga.delete_person(esi)
    assert riga.read_person(esi) is None


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_bringing_makes_the_router_right_whatever_it_held(
    riga: EscRouterClient, known: bool, there: bool
) -> None:
    if there:
        riga.create_person(person(name="Old"))
        riga.create_card(card(card_status_type=CardStatusType.INACTIVE))
    riga.bring_person(person(name="New"), known=known)
    riga.bring_card(card(), known=known)
    found, held = riga.read_person(ESI), riga.read_card(ESCN)
    assert found is not None
    assert found.organisations[0].full_name == "New"
    assert held is not None
    assert held.card_status_type is not None
    assert held.card_status_type.key == "ACTIVE"


def test_a_reply_lost_after_it_took_effect_is_made_up_for(
    sandbox: Any, riga: EscRouterClient
) -> None:
    riga.create_person(person())
    sandbox.fault(method="POST", path="/cards", effect=True, cut=True)
    with pytest.raises(Exception, match="no answer"):
        riga.bring_card(card(), known=False)
    riga.bring_card(card(), known=False)
    assert riga.list_cards().page.total_elements == 1


def test_a_card_number_of_another_institution_is_refused_for_good(
    sandbox: Any, riga: EscRouterClient
) -> None:
    riga.create_person(person())
    sandbox.fault(
        status=409, method="POST", path="/cards", body='{"code": "ER-0002", "message": ""}'
    )
    body = '{"code": "SE-0000", "message": ""}'
    faults = [
        {"status": 409, "method": "POST", "body": '{"code": "ER-0002", "message": ""}'},
        {"status": 403, "method": "PUT", "body": body},
    ]
    httpx.put(f"{sandbox.host}/sandbox/faults", json=faults).raise_for_status()
    with pytest.raises(RouterRefused, match="another organisation"):
        riga.bring_card(card(), known=False)


def test_a_conflict_of_another_kind_is_not_taken_for_a_repeat(
    sandbox: Any, riga: EscRouterClient
) -> None:
    sandbox.fault(status=409, method="POST", body='{"code": "ER-0777", "message": ""}')
    with pytest.raises(RouterConflict, match="ER-0777"):
        riga.bring_person(person(), known=False)


def test_two_institutions_share_a_person_and_nothing_else(
    riga: EscRouterClient, porto: EscRouterClient
) -> None:
    riga.create_person(person())
    assert porto.read_person(ESI) is None
    porto.create_person(person(pic=PORTO, name="Zoe Kirsis"))
    riga.create_card(card())
    assert porto.read_card(ESCN) is None
    assert porto.list_cards().content == ()
    with pytest.raises(RouterAccessDenied):
        porto.delete_card(ESCN)
    porto.delete_person(ESI)
    assert riga.read_person(ESI) is not None
    assert riga.read_card(ESCN) is not None


def test_deleting_what_is_gone_is_done(riga: EscRouterClient) -> None:
    riga.create_person(person())
    riga.create_card(card())
    for _ in range(2):
        riga.delete_card(ESCN)
        riga.delete_person(ESI)
    assert riga.read_card(ESCN) is None


def test_anyone_reads_a_status_without_a_key(
    sandbox: Any, riga: EscRouterClient, http: httpx.Client
) -> None:
    anyone = EscRouterClient(sandbox.url, None, http)
    assert anyone.card_status(ESCN) is None
    assert anyone.verify_card_publicly(ESCN) is None
    riga.create_person(person())
    riga.create_card(card())
    status, verified = anyone.card_status(ESCN), anyone.verify_card_publicly(ESCN)
    assert status is not None
    assert verified is not None
    assert (status.status, status.issuer_identifier) == ("ACTIVE", RIGA)
    assert verified.card_status_type is not None
    assert (verified.card_number, verified.card_status_type.key) == (ESCN, "ACTIVE")


def test_lists_are_read_page_by_page(riga: EscRouterClient) -> None:
    for number in range(23):
        riga.create_person(person(f"urn:schac:personalUniqueCode:int:esi:lv:{number:03}"))
    pages = [riga.list_persons(page=number) for number in range(4)]
    assert [len(page.content) for page in pages] == [10, 10, 3, 0]
    assert pages[0].page.total_elements == 23
    found = riga.list_persons(
        search="person.identifierCode:ESI<+>"
        "person.identifier:urn:schac:personalUniqueCode:int:esi:lv:007"
    )
    assert [item.identifier[-3:] for item in found.content] == ["007"]


def test_the_router_mints_numbers(riga: EscRouterClient) -> None:
    numbers = riga.generate_escn(prefix="007", pic=RIGA, count=100)
    assert len(set(numbers)) == 100
    assert all(number.endswith("007999978433") for number in numbers)
    with pytest.raises(ValueError, match="1 to 100"):
        riga.generate_escn(prefix="007", pic=RIGA, count=101)
