"""Links that save a pass in Google's wallet."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import ValidationError
from sqlmodel import Session, select

from issuer.errors import UnusableSecret
from issuer.passes.content import PassContent
from issuer.tables import Card, Credential, Logo, Student
from tests.conftest import sqlite_only
from tests.pass_files import (
    EMAIL,
    GOOGLE_CLASS,
    GOOGLE_ISSUER,
    PassFolder,
    rsa_key,
)
from tests.wallet_api.passes.conftest import PassService
from tests.wallet_api.passes.test_device_routes import refused
from verifier.errors import Revoked
from wallet_api.errors import PassTooLarge
from wallet_api.passes.facts import Look, PassFacts, PassState
from wallet_api.passes.google import (
    MAX_LINK_CHARS,
    SAVE_URL,
    GoogleLinks,
    load_service_account,
)
from wallet_api.settings import WalletSettings


def facts(**changes: Any) -> PassFacts:
    content = PassContent("https://esc.gg/x#E1" + "A" * 300, "Anna Bērziņa", "BACHELOR", 1_800_000)
    given = PassFacts(
        serial="s" * 24,
        pic="999900001",
        institution="Daugava University",
        look=Look("#003399", "#ffffff", "a" * 64),
        state=PassState.ACTIVE,
        expires_on=date(2028, 8, 31),
        updated_at=0,
        escn="25539be8-6423-103e-add8-001999853608",
        content=content,
    )
    return replace(given, **changes)


@pytest.fixture
def links(pass_folder: PassFolder) -> GoogleLinks:
    account = load_service_account(pass_folder.path / "google.json")
    return GoogleLinks(account, GOOGLE_ISSUER, GOOGLE_CLASS, "https://wallet.example")


def read_link(link: str) -> dict[str, Any]:
    """The object in a link, with its signature checked."""
    assert link.startswith(SAVE_URL)
    assert len(link) <= MAX_LINK_CHARS
    token = link.removeprefix(SAVE_URL)
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT"}
    claims = jwt.decode(
        token,
        rsa_key("google").public_key(),
        algorithms=["RS256"],
        audience="google",
        options={"verify_iat": False},
    )
    assert set(claims) == {"iss", "aud", "typ", "iat", "payload"}
    assert claims["iss"] == EMAIL
    assert claims["typ"] == "savetowallet"
    (found,) = claims["payload"]["genericObjects"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "no json",
        '{"client_email": "x", "private_key": "y"}',
        '{"client_email": "a@b", "private_key": "y"}',
    ],
)
def test_a_file_that_is_no_service_account_is_refused_in_words(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "google.json"
    path.write_text(content)
    with pytest.raises(UnusableSecret, match=r"google\.json"):
        load_service_account(path)


def test_a_service_account_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSecret, match="cannot be read"):
        load_service_account(tmp_path / "none.json")


def test_half_of_googles_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="GOOGLE_CLASS_ID"):
        WalletSettings(
            database_url="sqlite:///x",
            public_url="https://wallet.example",
            issuer_public_url="https://issuer.example",
            keys_dir=tmp_path,
            key_passphrase_file=tmp_path / "p",
            secret_file=tmp_path / "s",
            google_issuer_id="1",
        )


def test_a_pass_that_fits_into_no_link_is_refused(links: GoogleLinks) -> None:
    with pytest.raises(PassTooLarge):
        links.save_uri(facts(institution="D" * 1_000), now=1_700_000)


def test_what_a_pass_can_do_without_is_left_out_until_it_fits(links: GoogleLinks) -> None:
    plain = Look("#003399", "#ffffff", None)
    short = PassContent("https://esc.gg/x#E1AAAA", "Anna Bērziņa", "BACHELOR", 1_800_000)
    long_name = "Universitāte " * 12

    whole = read_link(links.save_uri(facts(content=short), now=1_700_000))
    usual = read_link(links.save_uri(facts(look=plain), now=1_700_000))
    cut = read_link(links.save_uri(facts(institution=long_name), now=1_700_000))

    assert {"textModulesData", "logo"} <= set(whole)
    assert whole["subheader"]["translatedValues"][0]["value"] == "Eiropas studenta karte"
    assert set(usual["subheader"]) == {"defaultValue"}
    assert usual["barcode"]["alternateText"] == facts().escn
    assert not {"textModulesData", "logo", "subheader"} & set(cut)
    assert set(cut["barcode"]) == {"type", "value"}
    assert cut["cardTitle"]["defaultValue"]["value"] == long_name


@sqlite_only
def test_a_link_holds_the_whole_pass(passing: PassService) -> None:
    with Session(passing.service.engine) as session, session.begin():
        logo = Logo(
            pic="999900001", media_type="image/png", sha256="b" * 64, body=b"x", updated_at=1
        )
        session.add(logo)
    answer = passing.take("google")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"

    found = read_link(answer.json()["save_uri"])

    assert found["id"].startswith(f"{GOOGLE_ISSUER}.")
    assert found["classId"] == f"{GOOGLE_ISSUER}.{GOOGLE_CLASS}"
    assert found["state"] == "ACTIVE"
    assert found["header"]["defaultValue"]["value"] == "Anna Bērziņa"
    assert found["hexBackgroundColor"] == "#003399"
    assert found["barcode"]["alternateText"] == passing.service.escn
    # The code lives as long as a wallet's credential: nobody renews it on the phone.
    assert found["validTimeInterval"]["end"]["date"] == "2027-05-22T12:00:00Z"
    assert refused(passing, found["barcode"]["value"]) is None


@sqlite_only
def test_the_same_pass_is_given_until_it_says_what_is_not_true_any_more(
    passing: PassService,
) -> None:
    first = read_link(passing.take("google").json()["save_uri"])
    again = read_link(passing.take("google").json()["save_uri"])
    assert (again["id"], again["barcode"]) == (first["id"], first["barcode"])

    with Session(passing.service.engine) as session, session.begin():
        card = session.get_one(Card, passing.service.escn)
        session.get_one(Student, card.student_id).full_name = "Anna Ozola"
    renamed = read_link(passing.take("google").json()["save_uri"])
    assert renamed["id"] != first["id"]
    assert refused(passing, first["barcode"]["value"]) is Revoked

    passing.service.clock.advance(timedelta(days=121))
    late = read_link(passing.take("google").json()["save_uri"])
    assert late["id"] != renamed["id"]


def test_both_kinds_of_pass_stand_side_by_side(passing: PassService) -> None:
    code = passing.take_apple().code
    found = read_link(passing.take("google").json()["save_uri"])
    url = f"{passing.service.url}/device/passes"
    answer = passing.service.http.get(url, headers=passing.bearer).json()
    assert answer == {"apple": True, "google": True, "held": ["apple", "google"]}

    assert passing.service.http.delete(f"{url}/google", headers=passing.bearer).status_code == 204

    assert code is not None
    assert refused(passing, found["barcode"]["value"]) is Revoked
    assert refused(passing, code) is None
    with Session(passing.service.engine) as session:
        rows = session.exec(select(Credential.configuration)).all()
    assert rows.count("pass-google") == 1


def test_the_service_accounts_key_is_read_from_googles_file(pass_folder: PassFolder) -> None:
    account = load_service_account(pass_folder.path / "google.json")
    document = json.loads((pass_folder.path / "google.json").read_text())
    assert account.email == document["client_email"] == EMAIL
