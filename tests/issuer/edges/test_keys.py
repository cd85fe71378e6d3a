"""Keys in files: what opens, what signs, what is refused."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from issuer.errors import InstitutionNotFound, KeyStateConflict, NoActiveKey, UnusableKey
from issuer.key_life import check_keys, compromise_key, create_key, retire_key, signing_key
from issuer.keys import FileKeyRing, FileSigner, create_key_file, load_signer
from tests.issuer.edges.conftest import NOON, PASSPHRASE, PIC
from verifier.cose import verify_low_s
from verifier.jws import parse_public_jwk, thumbprint_of

NOW = int(NOON.timestamp())


@given(st.binary(max_size=300))
def test_a_signature_is_the_canonical_one_of_the_two(message: bytes) -> None:
    signature = SIGNER.sign(message)
    assert len(signature) == 64
    verify_low_s(parse_public_jwk(SIGNER.public_jwk), signature, message)


SIGNER = FileSigner(ec.generate_private_key(ec.SECP256R1()))


def test_a_key_file_is_encrypted_for_its_owner_only_and_named_by_its_thumbprint(
    keys_folder: Path,
) -> None:
    signer = create_key_file(keys_folder, PASSPHRASE)
    (file,) = keys_folder.iterdir()
    assert file.name == f"{signer.kid}.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in file.read_bytes()
    assert signer.kid == thumbprint_of(signer.public_jwk)
    assert load_signer(keys_folder, signer.kid, PASSPHRASE).public_jwk == signer.public_jwk


def test_another_passphrase_opens_nothing(keys_folder: Path) -> None:
    kid = create_key_file(keys_folder, PASSPHRASE).kid
    with pytest.raises(UnusableKey, match="another passphrase"):
        load_signer(keys_folder, kid, PASSPHRASE + b"x")


def test_a_passphrase_is_not_short(keys_folder: Path) -> None:
    with pytest.raises(UnusableKey, match="16 bytes"):
        FileKeyRing(keys_folder, b"short")
    with pytest.raises(UnusableKey, match="16 bytes"):
        create_key_file(keys_folder, b"short")


def test_a_key_file_that_others_can_read_is_refused(keys_folder: Path) -> None:
    kid = create_key_file(keys_folder, PASSPHRASE).kid
    (keys_folder / f"{kid}.pem").chmod(0o640)
    with pytest.raises(UnusableKey, match="read by others"):
        load_signer(keys_folder, kid, PASSPHRASE)


@pytest.mark.parametrize("kid", ["", "../../etc/passwd", "a" * 42, "a" * 43, "a" * 42 + "/"])
def test_only_a_thumbprint_names_a_key_file(keys_folder: Path, kid: str) -> None:
    with pytest.raises(UnusableKey):
        load_signer(keys_folder, kid, PASSPHRASE)


def test_a_file_that_holds_another_key_is_refused(keys_folder: Path) -> None:
    one, other = (create_key_file(keys_folder, PASSPHRASE).kid for _ in range(2))
    (keys_folder / f"{one}.pem").rename(keys_folder / f"{other}.pem")
    with pytest.raises(UnusableKey, match="holds another key"):
        load_signer(keys_folder, other, PASSPHRASE)


def test_keys_of_other_kinds_are_refused(keys_folder: Path) -> None:
    kid = "k" * 43
    for key in (
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        ec.generate_private_key(ec.SECP384R1()),
    ):
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE),
        )
        file = keys_folder / f"{kid}.pem"
        file.write_bytes(pem)
        file.chmod(0o600)
        with pytest.raises(UnusableKey, match="not a P-256 key"):
            load_signer(keys_folder, kid, PASSPHRASE)


def test_no_folder_is_made_silently(tmp_path: Path) -> None:
    with pytest.raises(UnusableKey, match="cannot be written"):
        create_key_file(tmp_path / "none", PASSPHRASE)


def test_a_service_does_not_start_with_another_key_than_was_published(
    session: Session, keys: FileKeyRing
) -> None:
    assert check_keys(session, keys, now=NOW) == 3
    row = signing_key(session, PIC, now=NOW)
    row.public_jwk = SIGNER.public_jwk
    session.flush()
    with pytest.raises(UnusableKey, match="not the one that was published"):
        check_keys(session, keys, now=NOW)


def test_the_key_that_began_last_signs(
    session: Session, keys: FileKeyRing, keys_folder: Path
) -> None:
    assert keys
    first = signing_key(session, PIC, now=NOW).kid
    second = _create(session, keys_folder)
    assert signing_key(session, PIC, now=NOW).kid == second
    assert signing_key(session, PIC, now=NOW - 10).kid == first


def test_a_key_is_made_for_a_known_institution_only(session: Session, keys_folder: Path) -> None:
    with pytest.raises(InstitutionNotFound):
        _create(session, keys_folder, pic="123456789")
    assert list(keys_folder.iterdir()) == []


def test_the_last_key_is_not_retired(session: Session, keys: FileKeyRing) -> None:
    assert keys
    kid = signing_key(session, PIC, now=NOW).kid
    with pytest.raises(NoActiveKey):
        retire_key(session, kid, now=NOON, actor="cli")


def test_a_key_is_retired_and_compromised_once(
    session: Session, keys: FileKeyRing, keys_folder: Path
) -> None:
    assert keys
    old = signing_key(session, PIC, now=NOW).kid
    _create(session, keys_folder)
    retire_key(session, old, now=NOON, actor="cli")
    with pytest.raises(KeyStateConflict):
        retire_key(session, old, now=NOON, actor="cli")
    compromised = compromise_key(session, old, since=NOON, now=NOON, actor="cli")
    assert compromised.compromised_since == NOW
    with pytest.raises(KeyStateConflict):
        compromise_key(session, old, since=None, now=NOON, actor="cli")


def test_the_trust_lists_key_is_rotated_not_declared_compromised(
    session: Session, keys: FileKeyRing
) -> None:
    assert keys
    kid = signing_key(session, None, now=NOW).kid
    with pytest.raises(KeyStateConflict):
        compromise_key(session, kid, since=None, now=NOON, actor="cli")


def _create(session: Session, folder: Path, pic: str = PIC) -> str:
    key = create_key(
        session,
        pic=pic,
        folder=folder,
        passphrase=PASSPHRASE,
        lifetime=timedelta(days=9),
        now=NOON,
        actor="cli",
    )
    return key.kid
