"""The certificate of a pass type: what does not fit is refused in words, before anything runs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from issuer.errors import UnusableSecret
from issuer.passes.certificate import load_pass_certificate
from issuer.settings import IssuerSettings
from tests.pass_files import END, PASS_TYPE, TEAM, make_pass_folder


def settings(**more: Any) -> IssuerSettings:
    return IssuerSettings(
        database_url=SecretStr("sqlite:///x"),
        public_url="https://issuer.example",
        keys_dir=Path("keys"),
        key_passphrase_file=Path("passphrase"),
        secret_file=Path("secret"),
        **more,
    )


def test_without_settings_there_is_no_certificate() -> None:
    assert load_pass_certificate(settings()) is None


@pytest.mark.parametrize("missing", ["apple_team_id", "apple_key_file", "apple_wwdr_file"])
def test_half_of_the_settings_is_refused(tmp_path: Path, missing: str) -> None:
    given = make_pass_folder(tmp_path / "p").apple
    del given[missing]
    with pytest.raises(ValidationError, match=missing.upper()):
        settings(**given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("apple_pass_type_id", "com.example"),
        ("apple_team_id", "a1b2c3d4e5"),
        ("apple_team_id", ""),
    ],
)
def test_a_malformed_identifier_is_refused(tmp_path: Path, name: str, value: str) -> None:
    given = make_pass_folder(tmp_path / "p").apple | {name: value}
    with pytest.raises(ValidationError, match=name):
        settings(**given)


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"pass_type": "pass.example.other"}, "pass type pass.example.other, not pass.example.univ"),
    ({"team": "ZZZZZZZZZZ"}, "team ZZZZZZZZZZ, not A1B2C3D4E5"),
    ({"key_of": "wwdr"}, "not that of their certificate"),
    ({"issued_by": "google"}, "signed by another certificate"),
    ({"passphrase": b"words of a test"}, "its passphrase"),
]


@pytest.mark.parametrize(("misfit", "words"), MISFITS)
def test_what_does_not_belong_together_is_refused_in_words(
    tmp_path: Path, misfit: dict[str, Any], words: str
) -> None:
    folder = make_pass_folder(tmp_path / "p", **misfit)
    with pytest.raises(UnusableSecret, match=words):
        load_pass_certificate(settings(**folder.apple))


def test_files_that_are_missing_damaged_or_open_to_others_are_refused(tmp_path: Path) -> None:
    folder = make_pass_folder(tmp_path / "p")
    (folder.path / "pass.key").chmod(0o644)
    with pytest.raises(UnusableSecret, match="chmod 600"):
        load_pass_certificate(settings(**folder.apple))
    (folder.path / "pass.key").unlink()
    with pytest.raises(UnusableSecret, match="cannot be read"):
        load_pass_certificate(settings(**folder.apple))
    (folder.path / "pass.pem").write_bytes(b"not a certificate")
    with pytest.raises(UnusableSecret, match="no certificate in PEM"):
        load_pass_certificate(settings(**folder.apple))


def test_a_certificate_that_fits_says_until_when(tmp_path: Path) -> None:
    folder = make_pass_folder(tmp_path / "p", passphrase=b"words of a test")
    words = tmp_path / "words"
    words.write_text("words of a test\n")

    found = load_pass_certificate(settings(**folder.apple, apple_key_passphrase_file=words))

    assert found is not None
    assert (found.pass_type_id, found.team_id, found.ends_at) == (PASS_TYPE, TEAM, END)
    assert found.is_valid(datetime(2026, 11, 23, tzinfo=UTC))
    assert not found.is_valid(END)
    assert not found.is_valid(datetime(2025, 12, 31, tzinfo=UTC))
