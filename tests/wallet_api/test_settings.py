"""Settings: what must differ has no default, and an address that is not safe is refused."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from wallet_api.settings import WalletSettings

GOOD: dict[str, Any] = {
    "database_url": "sqlite:///esc.db",
    "public_url": "https://wallet.example",
    "issuer_public_url": "https://issuer.example",
    "keys_dir": Path("keys"),
    "key_passphrase_file": Path("passphrase"),
    "secret_file": Path("secret"),
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_what_must_differ_has_no_default(name: str) -> None:
    with pytest.raises(ValidationError):
        WalletSettings(**{key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize("name", ["public_url", "issuer_public_url", "vct"])
@pytest.mark.parametrize(
    "url", ["http://wallet.example", "wallet.example", "https://x/?a=1", "ftp://x", "https://a@x"]
)
def test_an_address_that_is_not_safe_is_refused(name: str, url: str) -> None:
    with pytest.raises(ValidationError):
        WalletSettings(**(GOOD | {name: url}))


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        WalletSettings(**(GOOD | {"publik_url": "x"}))


@pytest.mark.parametrize("time", ["PT0S", "PT3H", "-PT5S", "long"])
def test_a_silent_connection_is_kept_for_a_second_at_least_and_two_hours_at_most(
    time: str,
) -> None:
    with pytest.raises(ValidationError):
        WalletSettings(**(GOOD | {"keep_alive": time}))


def test_a_silent_connection_is_kept_longer_than_a_proxy_keeps_it() -> None:
    assert WalletSettings(**GOOD).keep_alive > timedelta(minutes=1)


def test_a_slash_at_the_end_makes_no_other_identifier() -> None:
    settings = WalletSettings(**(GOOD | {"public_url": "https://wallet.example/"}))

    assert settings.credential_issuer("999900001") == "https://wallet.example/999900001"


def test_the_database_password_is_not_shown() -> None:
    settings = WalletSettings(**(GOOD | {"database_url": "postgresql+psycopg://u:pw@h/d"}))

    assert "pw@" not in repr(settings)
