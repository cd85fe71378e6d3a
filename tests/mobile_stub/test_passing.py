"""`pass`: against the real wallet API with and without passes, and against bad answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.issuer_simulator import IssuerSimulator
from tests.mobile_stub.test_against_wallet_api import Service, served
from tests.pass_files import check_signature, make_pass_folder, read_pass


@pytest.fixture
def passing(sqlite_url: str, tmp_path: Path) -> Iterator[Service]:
    """The wallet API with both kinds of pass."""
    folder = make_pass_folder(tmp_path / "apple", end=datetime(2100, 1, 1, tzinfo=UTC))
    with served(sqlite_url, tmp_path, **folder.apple, **folder.google) as service:
        yield service


@pytest.fixture
def own_phone(tmp_path: Path) -> PhoneUser:
    return PhoneUser(tmp_path / "phone.wallet", lambda: datetime.now(UTC))


def take(phone: PhoneUser, service: Service) -> None:
    offer = service.offer()
    assert phone("take", offer["credential_offer"], "--tx-code", offer["tx_code"]).code == 0


def test_only_one_of_the_options_fits(phone: PhoneUser) -> None:
    for options in (["--google", "--apple", "x"], ["--take-back", "samsung"]):
        with pytest.raises(SystemExit) as ended:
            phone("pass", *options)
        assert ended.value.code == 2


def test_an_institution_without_passes_is_told_as_such(
    own_phone: PhoneUser, sqlite_url: str, tmp_path: Path
) -> None:
    with served(sqlite_url, tmp_path) as service:
        take(own_phone, service)
        asked = own_phone("pass")
        wanted = own_phone("pass", "--google")
        taken_back = own_phone("pass", "--take-back", "apple")

    assert asked.out == (
        "Apple: your institution makes no passes for it.\n"
        "Google: your institution makes no passes for it.\n"
    )
    assert (wanted.code, wanted.err) == (
        1,
        "Your institution makes no such passes at present.\n",
    )
    assert (taken_back.code, taken_back.err) == (
        1,
        "This phone has taken no such pass, or took it back already.\n",
    )


def test_a_pass_is_written_linked_and_taken_back(
    own_phone: PhoneUser, passing: Service, tmp_path: Path
) -> None:
    take(own_phone, passing)
    path = tmp_path / "card.pkpass"

    assert own_phone("pass").out == "Apple: a pass can be had.\nGoogle: a pass can be had.\n"
    written = own_phone("pass", "--apple", str(path))
    assert (written.code, written.err) == (0, "")
    assert str(path) in written.out
    held = own_phone("pass").out
    assert held == "Apple: this phone took a pass.\nGoogle: a pass can be had.\n"
    read = read_pass(path.read_bytes())
    check_signature(read, make_pass_folder(tmp_path / "apple2"), tmp_path)
    assert read.values()["Card number"] == passing.escn
    link = own_phone("pass", "--google").out
    assert link.startswith("https://pay.google.com/gp/v/save/")
    own_phone.language = "lv"
    back = own_phone("pass", "--take-back", "apple")
    assert back.out == "Karte citā makā ir atsaukta; Daugava University ir anulējusi tās kodu.\n"
    assert own_phone("pass", "--take-back", "apple").code == 1


BAD_ANSWERS: list[tuple[list[str], str, str, bytes]] = [
    ([], "application/json", "GET", b"[]"),
    ([], "application/json", "GET", b'{"apple": 1, "google": true}'),
    (["--apple", "x.pkpass"], "text/html", "POST", b"PK\x03\x04"),
    (["--apple", "x.pkpass"], "application/vnd.apple.pkpass", "POST", b"<html>"),
    (["--google"], "application/json", "POST", b'{"save_uri": "javascript:alert(1)"}'),
    (["--google"], "application/json", "POST", b'{"save_uri": 5}'),
]


@pytest.mark.parametrize(("options", "kind", "method", "body"), BAD_ANSWERS)
def test_an_answer_that_is_no_pass_is_refused_and_written_nowhere(
    phone: PhoneUser,
    card: IssuerSimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    kind: str,
    method: str,
    body: bytes,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())

    def answer(_: Request) -> Response:
        return Response(body, media_type=kind)

    _add(card.app, method, answer)

    run = phone("pass", *options)

    assert run.code == 1
    assert "could not be understood" in run.err or "cannot be understood" in run.err
    assert set(tmp_path.iterdir()) == before


def _add(app: Any, method: str, answer: Any) -> None:
    for path in ("/device/passes", "/device/passes/{kind}"):
        app.app.router.routes.insert(0, Route(path, answer, methods=[method]))


def test_a_card_that_is_not_active_makes_no_pass(phone: PhoneUser, card: IssuerSimulator) -> None:
    def answer(_: Request) -> Response:
        body = '{"type": "urn:european-student-card:problem:card-state"}'
        return Response(body, 409, media_type="application/problem+json")

    _add(card.app, "POST", answer)

    run = phone("pass", "--google")

    assert (run.code, run.err) == (1, "The card is not active: no pass is made of it.\n")
