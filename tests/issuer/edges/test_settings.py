"""Settings and secrets: what is refused before anything starts."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from issuer.errors import UnusableSecret
from issuer.settings import IssuerSettings, load_sealer, read_secret

GIVEN = {
    "DATABASE_URL": "postgresql+psycopg://user:hidden@db/esc",
    "PUBLIC_URL": "https://issuer.example/",
    "KEYS_DIR": "/keys",
    "KEY_PASSPHRASE_FILE": "/passphrase",
    "SECRET_FILE": "/secret",
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(**changes: str | None) -> IssuerSettings:
        for name, value in (GIVEN | changes).items():
            if value is None:
                monkeypatch.delenv(f"ESC_ISSUER_{name}", raising=False)
            else:
                monkeypatch.setenv(f"ESC_ISSUER_{name}", value)
        return IssuerSettings()

    return give


@pytest.mark.parametrize("missing", GIVEN)
def test_what_differs_between_deployments_has_no_default(given: Any, missing: str) -> None:
    with pytest.raises(ValidationError, match=missing.lower()):
        given(**{missing: None})


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://",
        "issuer.example",
        "https://user@issuer.example",
        "https://issuer.example?x=1",
        "https://issuer.example/#x",
        "http://localhost.example",
    ],
)
def test_an_address_for_everyone_is_https(given: Any, url: str) -> None:
    with pytest.raises(ValidationError):
        given(PUBLIC_URL=url)


@pytest.mark.parametrize(
    "url", ["https://a.example/esc", "http://127.0.0.1:8001", "http://[::1]:1", "http://localhost"]
)
def test_an_address_is_https_or_on_this_machine(given: Any, url: str) -> None:
    assert given(PUBLIC_URL=url + "/").public_url == url


def test_the_production_router_is_asked_only_when_it_is_named(given: Any) -> None:
    named = "https://router.europeanstudentcard.eu/esc-rest"
    assert given(ESC_ROUTER_URL=None).esc_router_url == (
        "https://sandbox.europeanstudentcard.eu/esc-rest"
    )
    assert given(ESC_ROUTER_URL=named).esc_router_url == named
    with pytest.raises(ValidationError):
        given(ESC_ROUTER_URL=named.replace("https", "http"))


def test_a_password_in_the_database_url_is_not_shown(given: Any) -> None:
    assert "hidden" not in repr(given())


def test_settings_do_not_change(given: Any) -> None:
    with pytest.raises(ValidationError):
        given().public_url = "https://other.example"


def test_lifetimes_are_iso_8601_durations(given: Any) -> None:
    policy = given(QR_LIFETIME="P7D", CREDENTIAL_LIFETIME="P10D").issuing_policy
    assert (policy.qr_lifetime, policy.credential_lifetime) == (7 * 86400, 864000)
    with pytest.raises(ValidationError):
        given(QR_LIFETIME="PT1M")


@pytest.mark.parametrize(
    "content", [b"", b"short", b"x" * 5000, b"changeme" * 8, b"\n" * 40], ids=len
)
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(UnusableSecret):
        load_sealer(file)


def test_a_secret_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSecret, match="No such file"):
        read_secret(tmp_path / "none", at_least=16)


def test_a_line_end_is_not_part_of_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"a" * 32 + b"\r\n")
    assert read_secret(file, at_least=32) == b"a" * 32
