"""The commands for consent, erasure and adoption."""

import csv
import json
import os
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from issuer.esc_router.sandbox import Organisation, create_sandbox
from tests.issuer.edges.serving import Served

PIC = "999853608"
ESI = "urn:schac:personalUniqueCode:int:esi:lu.lv:"
LAST_DAY = datetime.now(UTC).date() + timedelta(days=700)  # commands ask the system's clock
ROWS = f"""esi,full_name,expires_on
{ESI}1,Anna Bērziņa,{LAST_DAY}
{ESI}2,Kārlis Ozols,{LAST_DAY}
"""


@pytest.fixture
def ready(run: Any, tmp_path: Path) -> Any:
    """A deployment with one institution and two students with cards."""
    assert run("init")[0] == 0
    assert (
        run(*("institution", "add", PIC, "--name", "LU", "--country", "lv", "--home", "lu.lv"))[0]
        == 0
    )
    assert run("keys", "create", PIC)[0] == 0
    file = tmp_path / "students.csv"
    file.write_text(ROWS, "utf-8")
    assert run("import", str(file), "--institution", PIC)[0] == 0
    return run


def register(environment: dict[str, str]) -> None:
    """What delivering does."""
    path = environment["ESC_ISSUER_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE student SET router_registered_at = 1")
        database.execute("UPDATE card SET router_registered_at = 1")
        database.execute("UPDATE delivery SET state = 'delivered'")
        database.commit()


def test_consent_is_shown_and_set(ready: Any, environment: dict[str, str]) -> None:
    assert "not required" in ready("institution", "show", PIC)[1]
    register(environment)
    code, words = ready("institution", "consent", PIC, "required")
    assert (code, "2 students are registered without consent" in words) == (1, True)
    assert "not required" in ready("institution", "list")[1]

    both = ("--remove-registered", "--consented-already")
    assert ready("institution", "consent", PIC, "required", *both)[0] == 1
    assert ready("institution", "consent", PIC, "perhaps")[0] == 2
    assert ready("institution", "consent", PIC, "not-required", both[0])[0] == 1
    code, words = ready("institution", "consent", PIC, "required", "--consented-already")
    assert (code, words.strip()) == (
        0,
        f"consent required at {PIC}: 2 registered students consented already",
    )
    shown = ready("institution", "show", PIC)[1]
    assert "required" in shown
    assert "not required" not in shown
    code, words = ready("institution", "consent", PIC, "not-required")
    assert (code, words.strip()) == (
        0,
        f"consent not-required at {PIC}: 0 students were waited for",
    )


def test_an_institution_can_ask_from_its_first_day(run: Any) -> None:
    run("init")
    where = ("--name", "LU", "--country", "lv", "--home", "lu.lv")
    assert run("institution", "add", PIC, *where, "--asks-consent")[0] == 0
    assert "not required" not in run("institution", "show", PIC)[1]


def test_a_student_consents_and_takes_it_back(ready: Any) -> None:
    ready("institution", "consent", PIC, "required", "--remove-registered")
    listed = ready("students", "list", PIC, "--search", "anna")[1]
    assert "Anna Bērziņa" in listed
    assert "1 students" in listed
    assert "awaiting_consent" in ready("students", "show", "1")[1]
    assert ready("students", "consent", "1") == (0, "consents  student 1\n")
    assert "present" in ready("students", "show", "1")[1]
    assert ready("students", "withdraw-consent", "1")[0] == 0
    assert ready("students", "consent", "99")[0] == 1


def test_an_erasure_asks_first(ready: Any) -> None:
    assert ready("students", "erase", "1", typed="n\n")[0] == 1
    assert ready("students", "erase")[0] == 1
    assert ready("students", "erase", "1", "--esi", f"{ESI}1")[0] == 1
    assert ready("students", "erase", "--esi", f"{ESI}7", "--yes")[0] == 1
    assert ready("students", "erase", "--esi", "nobody", "--yes")[0] == 1
    assert "0 erasures" in ready("students", "erasures")[1]
    assert "active" in ready("students", "show", "1")[1]


def test_a_student_is_erased_by_number_or_esi(ready: Any) -> None:
    code, words = ready("students", "erase", "1", typed="y\n")
    assert (code, "erasing  student 1, erasure 1" in words) == (0, True)
    assert ready("students", "erase", "--esi", f"{ESI}2".upper(), "--yes")[0] == 0
    assert re.findall(r"router|worker", ready("students", "erasures", PIC)[1].lower())
    code, words = ready("worker", "--once")
    assert code == 0, words
    told = ready("students", "erasures")[1]
    assert "2 erasures" in told
    assert "0 students" in ready("students", "list", PIC)[1]
    shown = ready("students", "show", "1")[1]
    assert "Anna" not in shown
    assert "revoked" in shown
    assert "Kārlis" not in ready("cards", "list", PIC)[1]


@pytest.fixture
def router(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A sandbox that has three cards of the institution's, and is the deployment's router."""
    assert environment
    app = create_sandbox(organisations=[Organisation(PIC, "LU", "lu-key")])
    with Served(app) as address:
        monkeypatch.setenv("ESC_ISSUER_ESC_ROUTER_URL", f"{address}/esc-rest")
        headers = {"authorization": "Bearer lu-key"}
        with httpx.Client(base_url=f"{address}/esc-rest/api/v2", headers=headers) as http:
            for number, name in ((1, "Anna Bērziņa"), (2, "Kārlis Ozols"), (3, "=Liene")):
                person = {
                    "identifier": f"{ESI}{number}",
                    "personOrganisationUpdateViews": [
                        {"organisationIdentifier": PIC, "fullName": name}
                    ],
                }
                http.post("/persons", json=person).raise_for_status()
                card = {
                    "cardNumber": f"0000000{number}-6423-103e-add8-001{PIC}",
                    "cardStatusType": "ACTIVE",
                    "cardType": "SMART_PASSIVE",
                    "issuedAt": "2026-01-01",
                    "expiresAt": str(LAST_DAY),
                    "issuerIdentifier": PIC,
                    "personIdentifier": f"{ESI}{number}",
                }
                http.post("/cards", json=card).raise_for_status()
            yield http
    app.state.sandbox.store.close()


@pytest.mark.usefixtures("router")
def test_an_adoption_reports_before_it_writes(run: Any, tmp_path: Path) -> None:
    run("init")
    run("institution", "add", PIC, "--name", "LU", "--country", "lv", "--home", "lu.lv")
    pace = ("--pace", "1000")
    code, words = run("esc-router", "adopt", PIC, *pace)
    assert (code, "no router key" in words) == (3, True)
    assert run("router-key", "set", PIC, typed="lu-key\n")[0] == 0
    file = tmp_path / "report.json"
    code, words = run("esc-router", "adopt", PIC, "--resume", "1", "--report", str(file), *pace)
    assert (code, "a dry run" in words) == (0, True), words
    assert run("esc-router", "adopt", PIC, "--resume", "1")[0] == 3
    assert run("esc-router", "adopt", PIC, "--report", "report.pdf")[0] == 1
    told = json.loads(file.read_text("utf-8"))["cards"]
    assert {card["becomes"] for card in told} == {"no_student"}
    assert told[0]["esi"].startswith(ESI)
    assert "0 cards" in run("cards", "list", PIC)[1]

    sheet = tmp_path / "report.csv"
    options = ("--with-students", "--apply", "--report", str(sheet), *pace)
    code, words = run("esc-router", "adopt", PIC, *options)
    assert code == 0, words
    assert "adopted_with_student" in words
    rows = list(csv.DictReader(sheet.read_text("utf-8-sig").splitlines()))
    assert [row["becomes"] for row in sorted(rows, key=lambda row: row["card_number"])] == [
        "adopted_with_student",
        "adopted_with_student",
        "no_name",
    ]
    listed = run("cards", "list", PIC)[1]
    assert "2 cards" in listed
    assert "Kārlis Ozols" in listed
    assert os.environ["ESC_ISSUER_ESC_ROUTER_URL"].startswith("http://127.0.0.1")
