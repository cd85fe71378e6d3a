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
        # No address of a request, and with it no identifier; no key that was given.
        assert "esi:" not in written
        assert "riga-key" not in written


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--organisation", "999978433"], "is given as PIC:NAME:KEY"),
        (["--processor", "x"], "is given as VAT:NAME:KEY:PIC,PIC"),
        (["--host", "0.0.0.0", "--port", "0"], "others can reach it there"),
        (["--port", "0", "--database", "/nowhere/router.db"], "cannot be opened"),
    ],
)
def test_a_command_that_cannot_be_served_says_why(arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "issuer.esc_router.sandbox", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_arguments_there_are_examples_with_keys_and_a_page() -> None:
    command = [sys.executable, "-m", "issuer.esc_router.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            greeting = "".join(iter(process.stdout.readline, "\n"))
            url = re.findall(r"http://[0-9.:]+/esc-rest", greeting)[0]
            keys = re.findall(r"^    (\S+-key) ", greeting, re.MULTILINE)
            assert len(keys) == 3
            for key in keys:
                headers = {"Authorization": f"Bearer {key}"}
                assert httpx.get(f"{url}/api/v2/persons", headers=headers).status_code == 200
            page = httpx.get(url.replace("/esc-rest", "/sandbox"))
            assert "Example University" in page.text
        finally:
            process.terminate()


def test_the_page_can_be_left_out(tmp_path: Path) -> None:
    with running("--no-page", "--database", str(tmp_path / "router.db")) as url:
        assert httpx.get(url.replace("/esc-rest", "/sandbox")).status_code == 404


def test_a_processor_is_given_with_those_it_serves() -> None:
    given = parse_processor("LV40000000000:Centre: Riga:key:999978433,888878433")
    assert given.name == "Centre: Riga"
    assert given.writes_for == {"999978433", "888878433"}
    assert "key" not in repr(given).replace("api_key", "")
    assert parse_organisation("999978433:Riga:key").writes_for == {"999978433"}
    with pytest.raises(ValueError, match="VAT:NAME:KEY:PIC"):
        parse_processor("LV40000000000")
