"""Issuing, renewing and ending credentials, on both databases."""

from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlmodel import Session, select

from issuer import lifecycle
from issuer.configurations import Configuration
from issuer.credential_life import EndReason
from issuer.credentials import (
    possible_configurations,
    renew_credentials,
)
from issuer.device_life import end_device
from issuer.errors import (
    CardStateConflict,
    CredentialNotPossible,
    CredentialRefused,
    NoActiveKey,
    UnknownDeviceKey,
    UnusableKey,
)
from issuer.issuing import DAY, IssuingPolicy
from issuer.key_life import compromise_key, create_key, signing_key
from issuer.keys import FileKeyRing
from issuer.orders import ReleasedCredential
from issuer.tables import AuditEntry, Card, Credential, Device, StatusEntry, Student
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PASSPHRASE, PIC
from verifier.esc_qr import parse_code
from verifier.jws import public_jwk_of
from verifier.sd_jwt_vc import parse_credential, read_claims
from verifier.status import CardStatus


def _rows(session: Session) -> list[Credential]:
    return list(session.exec(select(Credential)).all())


@pytest.mark.parametrize("state", ["ordered", "suspended", "revoked", "expired"])
def test_nothing_is_issued_for_a_card_that_is_not_active(
    session: Session, card: Card, issue: Any, state: str
) -> None:
    card.state = state
    session.commit()
    with pytest.raises(CardStateConflict):
        issue()


def test_nothing_is_issued_after_the_last_day_even_before_the_worker_has_seen_it(
    issue: Any, card: Card, session: Session
) -> None:
    card.expires_on = date(2026, 11, 22)
    session.commit()
    with pytest.raises(CardStateConflict):
        issue()


def test_an_institution_without_a_key_issues_nothing(session: Session, issue: Any) -> None:
    signing_key(session, PIC, now=int(NOON.timestamp())).valid_until = 1
    session.commit()
    with pytest.raises(NoActiveKey):
        issue()


def test_a_foreign_esi_in_the_database_is_found_before_release(
    session: Session, student: Student, issue: Any
) -> None:
    student.esi = "urn:schac:personalUniqueCode:int:esi:elsewhere.example:1"
    session.commit()
    with pytest.raises(CredentialRefused, match="ForeignScope"):
        issue()
    with pytest.raises(CredentialRefused, match="ForeignScope"):
        issue(Configuration.QR)


def test_a_key_whose_file_is_another_than_was_published_signs_nothing(
    session: Session, issue: Any
) -> None:
    key = signing_key(session, PIC, now=int(NOON.timestamp()))
    foreign = signing_key(session, OTHER_PIC, now=int(NOON.timestamp()))
    key.public_jwk = foreign.public_jwk
    session.commit()
    with pytest.raises(UnusableKey, match="not the one that was published"):
        issue()


def test_a_student_id_needs_what_its_rulebook_demands(issue: Any, student: Student) -> None:
    with pytest.raises(CredentialNotPossible, match="eduPersonPrincipalName"):
        issue(Configuration.STUDENT_ID)
    assert student.given_name is None


def test_what_is_possible_depends_on_what_the_institution_said(
    student: Student, card: Card
) -> None:
    assert possible_configurations(student, card) == [Configuration.CARD, Configuration.QR]
    student.given_name, student.family_name = "Anna", "Bērziņa"
    student.eduperson_principal_name = "anna@daugava.example"
    assert possible_configurations(student, card) == list(Configuration)


def test_the_card_says_what_the_institution_said_and_hides_it_by_default(
    issue: Any, card: Card, student: Student, session: Session, holder_jwk: dict[str, str]
) -> None:
    student.birth_date, student.academic_level = date(2005, 2, 28), "MASTER"
    session.commit()
    credential = parse_credential(issue())
    clear, claims = credential.jws.payload, read_claims(credential).claims
    assert not clear.keys() & {"name", "esc_number", "birthdate", "schac_personal_unique_code"}
    assert clear["pic"] == PIC
    assert clear["cnf"] == {"jwk": holder_jwk}
    assert clear["iat"] == clear["nbf"]
    assert claims["esc_number"] == card.escn
    assert claims["name"] == "Anna Bērziņa"
    assert claims["schac_personal_unique_code"] == [student.esi]
    assert (claims["birthdate"], claims["academic_level"]) == ("2005-02-28", "MASTER")
    assert clear["vct#integrity"].startswith("sha256-")


def test_a_student_id_has_the_names_of_its_rulebook(
    issue: Any, student: Student, session: Session
) -> None:
    student.given_name, student.family_name = "Anna", "Bērziņa"
    student.eduperson_principal_name = "anna@daugava.example"
    session.commit()
    credential = parse_credential(issue(Configuration.STUDENT_ID))
    claims = read_claims(credential).claims
    assert credential.jws.payload["vct"] == "VerifiableStudentID"
    assert credential.jws.payload["attestation_legal_category"] == "non-qualified-EAA"
    assert claims["schacPersonalUniqueCode"] == student.esi
    assert (claims["firstName"], claims["familyName"]) == ("Anna", "Bērziņa")
    assert claims["eduPersonPrimaryAffiliation"] == "student"


def test_a_qr_credential_has_two_profiles_each_with_its_own_status_entry(
    issue: Any, session: Session
) -> None:
    released = issue(Configuration.QR)
    status, identity = (parse_code(released[name]).e1.claims for name in ("status", "identity"))
    assert status.esi is None
    assert identity.esi == "daugava.example:1"
    assert status.status_index != identity.status_index
    rows = _rows(session)
    assert {row.index for row in rows} == {status.status_index, identity.status_index}
    assert {row.profile for row in rows} == {"status", "identity"}


def test_an_esi_that_has_no_room_in_a_code_leaves_the_identity_profile_out(
    issue: Any, session: Session, student: Student
) -> None:
    student.esi = "urn:schac:personalUniqueCode:int:esi:daugava.example:" + "x" * 80
    session.commit()
    assert issue(Configuration.QR).keys() == {"status"}
    assert len(_rows(session)) == 1


def test_a_long_name_is_shortened_beside_a_long_esi(
    issue: Any, session: Session, student: Student
) -> None:
    student.esi = "urn:schac:personalUniqueCode:int:esi:daugava.example:" + "x" * 72
    student.full_name = "Marija Magdalēna Annija Zālīte-Kļaviņa-Bērziņa"
    session.commit()
    released = issue(Configuration.QR)
    identity = parse_code(released["identity"]).e1.claims
    assert identity.esi.endswith("x" * 72)
    assert identity.name.startswith("Marija Z")


def test_no_credential_outlives_its_card(issue: Any, session: Session, card: Card) -> None:
    card.expires_on = date(2026, 11, 25)
    session.commit()
    payload = parse_credential(issue()).jws.payload
    assert payload["exp"] == int(NOON.timestamp()) + 2 * DAY + DAY // 2


def test_a_phone_renews_when_a_third_of_its_shortest_credential_is_left(
    issue: Any, session: Session, device: Device
) -> None:
    issue()
    session.refresh(device)
    assert device.renew_at == int(NOON.timestamp()) + 120 * DAY
    issue(Configuration.QR)
    session.refresh(device)
    assert device.renew_at == int(NOON.timestamp()) + 20 * DAY


def _renew(
    session: Session, issue_arguments: dict[str, Any], **changes: Any
) -> dict[Configuration, ReleasedCredential]:
    arguments = {"configurations": None, "now": NOON + timedelta(days=25)}
    return renew_credentials(session, **issue_arguments | arguments | changes)


@pytest.fixture
def renewal(
    card: Card,
    device: Device,
    keys: FileKeyRing,
    policy: IssuingPolicy,
    holder_jwk: dict[str, str],
) -> dict[str, Any]:
    return {
        "card": card,
        "device": device,
        "holder_jwk": holder_jwk,
        "keys": keys,
        "policy": policy,
    }


def test_another_key_than_the_credentials_renews_nothing(
    issue: Any, session: Session, renewal: dict[str, Any]
) -> None:
    issue()
    other = public_jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(UnknownDeviceKey):
        _renew(session, renewal, holder_jwk=other)


def test_what_the_phone_never_held_is_not_renewed(
    issue: Any, session: Session, renewal: dict[str, Any]
) -> None:
    issue()
    with pytest.raises(UnknownDeviceKey):
        _renew(session, renewal, configurations=[Configuration.QR])


def test_a_suspended_card_is_not_renewed(
    issue: Any, session: Session, card: Card, renewal: dict[str, Any]
) -> None:
    issue()
    lifecycle.suspend_card(session, PIC, card.escn, reason="Lost", now=NOON, actor="cli")
    with pytest.raises(CardStateConflict):
        _renew(session, renewal)


def test_renewing_revokes_what_is_replaced(
    issue: Any, session: Session, renewal: dict[str, Any]
) -> None:
    issue()
    issue(Configuration.QR)
    old = {row.index for row in _rows(session)}
    renewed = _renew(session, renewal)
    assert renewed.keys() == {Configuration.CARD, Configuration.QR}
    session.expire_all()
    values = {entry.index: entry.value for entry in session.exec(select(StatusEntry))}
    assert {index for index, value in values.items() if value == CardStatus.REVOKED} == old
    assert len(values) == 6


def test_a_phone_that_was_off_for_long_still_renews_what_has_expired(
    issue: Any, session: Session, renewal: dict[str, Any]
) -> None:
    issue(Configuration.QR)
    assert _renew(session, renewal, now=NOON + timedelta(days=90)).keys() == {Configuration.QR}


def test_ending_a_phone_revokes_what_it_holds_and_says_so_in_the_audit(
    issue: Any, session: Session, device: Device, card: Card
) -> None:
    issue()
    end_device(session, device, reason=EndReason.BY_PHONE, now=NOON, actor=f"device:{device.id}")
    session.expire_all()
    assert {entry.value for entry in session.exec(select(StatusEntry))} == {CardStatus.REVOKED}
    actions = session.exec(select(AuditEntry.action).where(AuditEntry.subject == card.escn)).all()
    assert "device.end" in actions


def test_a_compromised_key_has_every_phone_fetch_again(
    issue: Any, session: Session, device: Device, keys_folder: Any
) -> None:
    issue()
    kid = _rows(session)[0].kid
    with pytest.raises(NoActiveKey):
        compromise_key(session, kid, since=None, now=NOON, actor="cli")
    session.rollback()
    issue()
    create_key(
        session,
        pic=PIC,
        folder=keys_folder,
        passphrase=PASSPHRASE,
        lifetime=timedelta(days=9),
        now=NOON,
        actor="cli",
    )
    compromise_key(session, kid, since=None, now=NOON, actor="cli")
    session.refresh(device)
    assert device.renew_at == int(NOON.timestamp())
    issue()
    assert _rows(session)[-1].kid != kid
