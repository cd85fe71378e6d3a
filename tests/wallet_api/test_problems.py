"""Refusals on the wire: every reason has its place, and no reason says too much."""

import inspect
import logging
import re
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wallet_api.conftest import PIC, Service
from wallet_api import errors
from wallet_api.problems import describe
from wallet_api.wire import WIRE

DOCS = Path(__file__).parents[2] / "docs"
GROUPS = {
    errors.WalletError,
    errors.TokenRefused,
    errors.BearerRefused,
    errors.RequestRefused,
}
REASONS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.WalletError) and kind not in GROUPS
]


@pytest.mark.parametrize("reason", REASONS, ids=lambda kind: kind.__name__)
def test_every_reason_has_its_place_on_the_wire(reason: type[Exception]) -> None:
    assert reason in WIRE
    assert 400 <= WIRE[reason].status < 500


@pytest.mark.parametrize("path", [f"/{PIC}/token", "/device/card/renewal"])
def test_a_phone_that_goes_away_while_it_sends_is_no_fault_of_ours(
    service: Service, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.INFO)
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port)) as phone:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n"
        kind = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\n"
        phone.sendall((head + kind + "grant_type=").encode())
    limit = time.monotonic() + 60
    while not any("ClientDisconnect" in record.getMessage() for record in caplog.records):
        assert time.monotonic() < limit
        time.sleep(0.01)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_every_type_of_a_problem_is_described_in_the_documents() -> None:
    text = "".join((DOCS / name).read_text("utf-8") for name in ("wallet-api.md", "problems.md"))
    described = set(re.findall(r"^### ([a-z-]+)$", text, re.MULTILINE))

    assert {wire.slug for wire in WIRE.values()} - described == set()


def test_the_document_of_this_api_describes_nothing_else() -> None:
    text = (DOCS / "wallet-api.md").read_text("utf-8")
    said = dict(re.findall(r"^### ([a-z-]+)\n(\d{3})", text, re.MULTILINE))

    known = {wire.slug: str(wire.status) for wire in WIRE.values()}
    assert {slug: known.get(slug) for slug in said} == said


def test_reasons_are_drawn_in_the_tree() -> None:
    drawn = set(re.findall(r"[A-Z]\w+", errors.__doc__ or ""))

    assert {kind.__name__ for kind in REASONS} <= drawn


@given(st.text())
def test_a_description_has_the_characters_that_oauth_allows(text: str) -> None:
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*", describe(text))


def test_no_such_path_and_no_such_method_are_problems(service: Service) -> None:
    for answer in (
        service.http.get(f"{service.url}/nothing"),
        service.http.put(f"{service.url}/device/card"),
        service.http.get(f"{service.url}/api/v1/cards/{service.escn}/offers"),
    ):
        assert answer.status_code in (404, 405)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def test_a_wrong_method_at_an_oauth_route_is_oauth(service: Service) -> None:
    answer = service.http.get(f"{service.issuer}/token")

    assert (answer.status_code, answer.json()["error"]) == (405, "invalid_request")
    assert answer.headers["allow"] == "POST"


def test_an_unexpected_failure_says_nothing_and_can_be_found_in_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    wallet = service.app.state.wallet
    made = service.offer().json()
    address = made["offer"]["credential_issuer"]
    wallet.sealer._fernet = None  # a fault that no reason of ours describes

    with caplog.at_level(logging.ERROR, logger="wallet_api.problems"):
        answer = service.offer()

    assert address == service.issuer
    assert answer.status_code == 500
    body = answer.json()
    assert set(body) == {"type", "title", "status", "instance"}
    assert body["instance"].rpartition(":")[2] in caplog.text
    assert len(answer.headers["x-request-id"]) == 16
    assert "AttributeError" in caplog.text
    assert made["tx_code"] not in caplog.text


def test_no_secret_of_a_request_is_in_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = service.offer().json()
        service.token("c0de-that-is-secret", "271828")
        service.credential("t0ken-that-is-secret")
        service.card("device-t0ken-that-is-secret")
        service.http.get(f"{service.issuer}/offers/{'S' * 43}")

    # pytest listens to uvicorn's access log too, which nobody else does (test_main).
    ours = [record for record in caplog.records if record.name.startswith("wallet_api")]
    logged = "\n".join(record.getMessage() for record in ours)
    assert "refused give_token: InvalidGrant" in logged
    for secret in ("that-is-secret", "271828", "S" * 43, made["tx_code"], "Anna"):
        assert secret not in logged


def test_every_route_answers_with_the_documented_headers_of_no_sniffing(
    service: Service,
) -> None:
    for path in (f"/.well-known/openid-credential-issuer/{PIC}", "/device/card", "/nothing"):
        answer = service.http.get(service.url + path)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_interface_is_described_completely(service: Service) -> None:
    description = service.http.get(f"{service.url}/openapi.json").json()

    assert set(description["paths"]) == {
        "/.well-known/openid-credential-issuer/{pic}",
        "/.well-known/oauth-authorization-server/{pic}",
        "/api/v1/cards/{escn}/offers",
        "/{pic}/offers/{reference}",
        "/{pic}/token",
        "/{pic}/nonce",
        "/{pic}/credential",
        "/device/card",
        "/device/card/renewal",
        "/device",
        "/device/devices",
        "/device/devices/{device_id}",
        "/device/consent",
        "/device/push",
        "/device/photo",
        "/device/photo/preview",
        "/{pic}/logo/{sha256}",
        "/device/passes",
        "/device/passes/apple",
        "/device/passes/google",
        "/device/passes/{kind}",
        "/passes/v1/devices/{device}/registrations/{pass_type}/{serial}",
        "/passes/v1/devices/{device}/registrations/{pass_type}",
        "/passes/v1/passes/{pass_type}/{serial}",
        "/passes/v1/log",
    }
    for path in description["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert "Raises" not in operation.get("description", "")
