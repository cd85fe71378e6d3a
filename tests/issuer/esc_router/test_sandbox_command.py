"""The sandbox as a program."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from issuer.esc_router.sandbox.organisations import parse_organisation, parse_processor

RIGA = "999978433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:1"


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    command = [sys.executable, "-m", "issuer.esc_router.sandbox", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://[0-9.:]+/esc-rest", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()
            written = process.stdout.read()
        assert written == ""  # no address, and with it no identifier


def test_it_keeps_what_it_was_told_over_a_restart(tmp_path: Path) -> None:
    given = [
        "--database",
        str(tmp_path / "router.db"),
        "--organisation",
        f"{RIGA}:University: of Riga:riga-key",
    ]
    headers = {"Authorization": "Bearer riga-key"}
    enrolment = {"organisationIdentifier": RIGA, "fullName": "Zoë"}
    with running(*given) as url:
        body = {"identifier": ESI, "personOrganisationUpdateViews": [enrolment]}
        created = httpx.post(f"{url}/api/v2/persons", json=body, headers=headers)
        assert created.status_code == 201
        # It serves no faults unless told to.
        assert httpx.get(url.replace("/esc-rest", "/sandbox/faults")).status_code == 404
    with running(*given, "--faults") as url:
        found = httpx.get(f"{url}/api/v2/persons/{ESI}", headers=headers).json()
        assert found["organisations"][0]["fullName"] == "Zoë"
        assert found["organisations"][0]["organisation"]["name"] == "University: of Riga"
        assert httpx.get(url.replace("/esc-rest", "/sandbox/faults")).json() == []


@pytest.mark.parametrize("arguments", [[], ["--organisation", "999978433"], ["--processor", "x"]])
def test_a_command_without_organisations_says_what_is_missing(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "issuer.esc_router.sandbox", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is given as" in done.stderr or "must be given" in done.stderr


def test_a_processor_is_given_with_those_it_serves() -> None:
    given = parse_processor("LV40000000000:Centre: Riga:key:999978433,888878433")
    assert given.name == "Centre: Riga"
    assert given.writes_for == {"999978433", "888878433"}
    assert "key" not in repr(given).replace("api_key", "")
    assert parse_organisation("999978433:Riga:key").writes_for == {"999978433"}
    with pytest.raises(ValueError, match="VAT:NAME:KEY:PIC"):
        parse_processor("LV40000000000")
