"""The odd corners of the router: keys in two headers, old identifiers, renewals, searches."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.issuer.esc_router.sandbox_bodies import ESCN, ESI, RIGA, card, person

PORTO, VAT = "888878433", "LV40000000000"


def numbers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [found["cardNumber"][:8] for found in answer.json()["content"]]


@pytest.fixture
def five_cards(sandbox: Any) -> Any:
    """Cards 1 to 5 of five persons, whose other fields are in another order."""
    for number in range(1, 6):
        esi = f"{ESI}-{number}"
        assert sandbox.request("POST", "/persons", json=person(esi)).status_code == 201
        body = card(
            cardNumber=f"{number:08x}{ESCN[8:]}",
            personIdentifier=esi,
            issuedAt=f"2026-09-{number * 3 % 5 + 1:02}",
            displayName="even" if number % 2 == 0 else "odd",
        )
        if number == 5:
            body["processorIdentifier"] = VAT
        assert sandbox.request("POST", "/cards", json=body).status_code == 201
    return sandbox


def test_a_key_in_the_documents_header_counts_where_no_authorization_is_sent(
    sandbox: Any,
) -> None:
    def ask(**headers: str) -> int:
        return httpx.get(f"{sandbox.url}/api/v2/persons", headers=headers).status_code

    assert ask(api_key="riga-key") == 200
    assert ask(api_key="nobodys") == 401
    assert ask(api_key="riga-key", Authorization="Bearer nobodys") == 401
    assert ask(api_key="nobodys", Authorization="Bearer riga-key") == 200
    assert ask(Authorization="riga-key") == 401
    assert ask(Authorization="Basic riga-key") == 401


def test_a_revoked_key_is_refused_until_it_is_reinstated(sandbox: Any) -> None:
    organisations = sandbox.app.state.sandbox.organisations
    organisations.revoke(RIGA)
    answer = sandbox.request("GET", "/persons")
    assert (answer.status_code, answer.json()["code"]) == (401, "SE-0000")
    assert sandbox.request("GET", "/persons", key="porto-key").status_code == 200
    organisations.reinstate(RIGA)
    assert sandbox.request("GET", "/persons").status_code == 200


@pytest.mark.parametrize("old", ["LV-99997843-1", "lv-999978433-1", "LV-999978433-", "LV"])
def test_what_only_looks_like_an_old_identifier_is_refused(sandbox: Any, old: str) -> None:
    assert sandbox.request("POST", "/persons", json=person(old)).status_code == 400


def test_identifiers_of_the_old_form_are_taken_and_given_back(sandbox: Any) -> None:
    old = "LV-999978433-Student 7"
    assert sandbox.request("POST", "/persons", json=person(old)).status_code == 201
    created = sandbox.request("POST", "/cards", json=card(personIdentifier=old))
    assert created.json()["person"]["identifier"] == old
    found = sandbox.request("GET", f"/persons/{old}").json()
    assert found["identifier"] == old


def test_one_organisation_stands_once_in_a_person(sandbox: Any) -> None:
    twice = person(ESI, RIGA, RIGA)
    assert sandbox.request("POST", "/persons", json=twice).status_code == 400


def test_an_expired_card_is_renewed_by_a_status_and_a_new_last_day_only(
    sandbox: Any, clock: Any
) -> None:
    sandbox.request("POST", "/persons", json=person())
    sandbox.request("POST", "/cards", json=card())
    clock.advance(timedelta(days=39))  # 2027-01-01, a day after the last one

    def put(**changed: str) -> int:
        body = card(**changed)
        status: int = sandbox.request("PUT", f"/cards/{ESCN}", json=body).status_code
        return status

    assert put() == 400
    assert put(cardStatusType="INACTIVE") == 400
    assert put(expiresAt="2026-12-30") == 400
    assert put(cardStatusType="EXPIRED", expiresAt="2028-12-31") == 400
    assert put(expiresAt="2027-01-01") == 200
    assert put(cardStatusType="INACTIVE", expiresAt="2028-12-31") == 200
    status = sandbox.request("GET", f"/cards/{ESCN}/status", key=None).json()["status"]
    assert status == "INACTIVE"


@pytest.mark.parametrize(
    "params",
    [
        {"sort": "shoeSize"},
        {"direction": "UP"},
        {"page": -1},
        {"page": 2**31},
        {"size": "ten"},
        {"search": "cardNumber"},
        {"search": "shoeSize:43"},
        {"search": "<+>"},
        {"search": "<+>".join(["displayName:a"] * 11)},
    ],
)
def test_a_list_that_cannot_be_made_is_refused(
    five_cards: Any, params: dict[str, str | int]
) -> None:
    for path in ("/cards", "/persons"):
        assert five_cards.request("GET", path, params=params).status_code == 400


@pytest.mark.parametrize(("size", "held"), [(1, 1), (3, 3), (10, 5), (11, 5), (0, 5), (-1, 5)])
def test_a_smaller_size_is_obeyed_and_a_larger_one_ignored(
    five_cards: Any, size: int, held: int
) -> None:
    page = five_cards.request("GET", "/cards", params={"size": size}).json()
    assert len(page["content"]) == held
    assert page["page"]["size"] == (size if 1 <= size <= 10 else 10)
    assert page["page"]["totalPages"] == -(-5 // page["page"]["size"])


def test_a_page_beyond_the_end_is_empty(five_cards: Any) -> None:
    for number in (1, 2**31 - 1):
        page = five_cards.request("GET", "/cards", params={"page": number}).json()
        assert (page["content"], page["empty"], page["page"]["totalElements"]) == ([], True, 5)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "12345"),
        ({"direction": "desc"}, "54321"),
        ({"sort": "cardNumber", "direction": "DESC"}, "54321"),
        ({"sort": "issuedAt"}, "52413"),
        ({"sort": "issuedAt", "direction": "DESC"}, "31425"),
        ({"sort": "displayName", "size": 3}, "241"),
        ({"sort": "displayName", "size": 3, "page": 1}, "35"),
        ({"search": "displayName:odd"}, "135"),
        ({"search": "displayName:odd<+>issuedAt:2026-09-05"}, "3"),
        ({"search": "displayName:odd<+>displayName:even"}, ""),
        ({"search": f"processor.identifier:{VAT}"}, "5"),
        ({"search": f"issuer.identifier:{RIGA}", "size": 2, "page": 2}, "5"),
        ({"search": f"cardNumber:{'00000002' + ESCN[8:].upper()}"}, "2"),
        ({"search": f"person.identifierCode:ESI<+>person.identifier:{ESI.upper()}-4"}, "4"),
        ({"search": f"person.identifierCode:EPPN<+>person.identifier:{ESI}-4"}, ""),
    ],
)
def test_cards_are_searched_and_sorted(
    five_cards: Any, params: dict[str, str], expected: str
) -> None:
    found = numbers(five_cards.request("GET", "/cards", params=params))
    assert "".join(number[-1] for number in found) == expected


def test_persons_are_searched_and_sorted(sandbox: Any) -> None:
    for number, name in enumerate(["Zoë", "Anna", "Zoë"]):
        sandbox.request("POST", "/persons", json=person(f"{ESI}-{number}", fullName=name))

    def found(**params: str) -> str:
        answer = sandbox.request("GET", "/persons", params=params)
        return "".join(one["identifier"][-1] for one in answer.json()["content"])

    assert found(sort="fullName") == "102"
    assert found(search="fullName:Zoë", direction="DESC") == "20"
    assert found(search=f"identifierCode:ESI<+>identifier:{ESI}-1") == "1"
    assert found(search="identifierCode:EPPN") == ""


def test_a_processor_pages_through_all_that_it_serves(sandbox: Any) -> None:
    key = {"key": "centre-key"}
    for number in range(12):
        pic = (RIGA, "777778433")[number % 2]
        esi = f"{ESI}-{number:02}"
        sandbox.request("POST", "/persons", json=person(esi, pic), **key)
        body = card(
            cardNumber=f"{number:08x}-6423-103e-add8-001{pic}",
            issuerIdentifier=pic,
            personIdentifier=esi,
        )
        assert sandbox.request("POST", "/cards", json=body, **key).status_code == 201
    for path, name in (("/cards", "cardNumber"), ("/persons", "identifier")):
        pages = [
            sandbox.request("GET", path, params={"page": page}, **key).json() for page in (0, 1)
        ]
        found = [one[name] for page in pages for one in page["content"]]
        assert len(found) == 12
        assert found == sorted(found)
        assert sandbox.request("GET", path).json()["page"]["totalElements"] == 6


def test_a_method_that_is_not_served_is_refused_with_those_that_are(sandbox: Any) -> None:
    answer = sandbox.request("PATCH", "/cards")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert set(answer.json()) == {"code", "message"}


def test_a_fault_of_the_sandbox_itself_is_answered_in_the_routers_form(sandbox: Any) -> None:
    sandbox.app.state.sandbox.store.close()
    answer = sandbox.request("POST", "/persons", json=person())
    assert (answer.status_code, answer.json()["code"]) == (500, "SB-0500")
