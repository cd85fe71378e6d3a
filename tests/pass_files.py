"""Certificates as Apple's and a service account as Google's, for tests; a strict reader of passes.

The certificates are of this file's making: a phone of Apple's takes none of them.
"""

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
)
from PIL import Image

PASS_TYPE = "pass.example.university.card"
TEAM = "A1B2C3D4E5"
GOOGLE_ISSUER = "3388000000012345678"
GOOGLE_CLASS = "student-card"
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
EMAIL = "passes@project.iam.gserviceaccount.example"

_PICTURES = {
    f"{name}{suffix}.png": (side[0] * scale, side[1] * scale)
    for name, side in {"icon": (29, 29), "logo": (160, 50)}.items()
    for scale, suffix in ((1, ""), (2, "@2x"), (3, "@3x"))
}
_LANGUAGES = ("en", "lv")
_MEMBERS = {
    "formatVersion", "passTypeIdentifier", "teamIdentifier", "serialNumber", "organizationName",
    "description", "backgroundColor", "foregroundColor", "labelColor", "sharingProhibited",
    "webServiceURL", "authenticationToken", "generic",
}  # fmt: skip
_OPTIONAL_MEMBERS = {"logoText", "voided", "expirationDate", "barcodes"}
_FIELDS = {
    "headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields",
}  # fmt: skip
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)" = "((?:[^"\\]|\\.)*)";')


@lru_cache(maxsize=4)
def rsa_key(_purpose: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class PassFolder:
    """A folder with what an operator would have of Apple and Google."""

    path: Path

    @property
    def apple(self) -> dict[str, Any]:
        """Settings of Apple's passes."""
        return {
            "apple_pass_type_id": PASS_TYPE,
            "apple_team_id": TEAM,
            "apple_certificate_file": self.path / "pass.pem",
            "apple_key_file": self.path / "pass.key",
            "apple_wwdr_file": self.path / "wwdr.pem",
        }

    @property
    def google(self) -> dict[str, Any]:
        """Settings of Google's."""
        return {
            "google_issuer_id": GOOGLE_ISSUER,
            "google_class_id": GOOGLE_CLASS,
            "google_service_account_file": self.path / "google.json",
        }


def make_pass_folder(
    path: Path,
    *,
    pass_type: str = PASS_TYPE,
    team: str = TEAM,
    end: datetime = END,
    passphrase: bytes | None = None,
    issued_by: str = "wwdr",
    key_of: str = "pass",
) -> PassFolder:
    """Make the files; each argument can be what does not fit."""
    path.mkdir(exist_ok=True)
    wwdr_name = _name(x509.NameOID.COMMON_NAME, "A test's own developer relations")
    wwdr = _certificate(wwdr_name, "wwdr", wwdr_name, "wwdr", is_ca=True, end=max(end, END))
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.USER_ID, pass_type),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Pass Type ID: {pass_type}"),
            x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, team),
        ]
    )
    certificate = _certificate(subject, "pass", wwdr_name, issued_by, end=end)
    (path / "wwdr.pem").write_bytes(wwdr.public_bytes(Encoding.PEM))
    (path / "pass.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    _write_key(path / "pass.key", key_of, passphrase)
    pem = rsa_key("google").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    account = {"type": "service_account", "client_email": EMAIL, "private_key": pem.decode()}
    (path / "google.json").write_text(json.dumps(account))
    return PassFolder(path)


def _name(oid: x509.ObjectIdentifier, value: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value)])


def _certificate(
    subject: x509.Name,
    key: str,
    issuer: x509.Name,
    issuer_key: str,
    *,
    is_ca: bool = False,
    end: datetime = END,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(rsa_key(key).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(rsa_key(issuer_key), hashes.SHA256())
    )


def _write_key(path: Path, purpose: str, passphrase: bytes | None) -> None:
    sealing = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    path.touch(mode=0o600)
    path.write_bytes(rsa_key(purpose).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))


@dataclass(frozen=True)
class ReadPass:
    """A pass that was read back: all of it, and nothing that a phone would not know."""

    document: dict[str, Any]
    files: dict[str, bytes]
    latvian: dict[str, str]

    @property
    def code(self) -> str | None:
        codes = self.document.get("barcodes")
        return None if codes is None else str(codes[0]["message"])

    @property
    def is_voided(self) -> bool:
        return bool(self.document.get("voided", False))

    @property
    def serial(self) -> str:
        return str(self.document["serialNumber"])

    @property
    def token(self) -> dict[str, str]:
        """The header with which a phone asks about this pass."""
        return {"authorization": f"ApplePass {self.document['authenticationToken']}"}

    def values(self) -> dict[str, str]:
        """The fields of all sides, by their labels."""
        return {field["label"]: field["value"] for field in _fields(self.document)}


def read_pass(package: bytes) -> ReadPass:
    """Read a `.pkpass` strictly; an assertion says what is wrong with it."""
    with zipfile.ZipFile(BytesIO(package)) as archive:
        entries = archive.infolist()
        files = {entry.filename: archive.read(entry) for entry in entries}
    assert len(files) == len(entries), "a file is there twice"
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    strings = {f"{language}.lproj/pass.strings" for language in _LANGUAGES}
    expected = {"pass.json", "manifest.json", "signature", *_PICTURES, *strings}
    assert set(files) == expected
    _check_manifest(files)
    _check_pictures(files)
    document = _json(files["pass.json"])
    translations = {language: _strings(files, language) for language in _LANGUAGES}
    _check_document(document)
    _check_words(document, translations)
    return ReadPass(document, files, translations["lv"])


def check_signature(read: ReadPass, folder: PassFolder, tmp_path: Path) -> None:
    """The detached signature over the manifest, by OpenSSL."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to check the signature with")
    (tmp_path / "signature").write_bytes(read.files["signature"])
    (tmp_path / "manifest").write_bytes(read.files["manifest.json"])
    command = [
        openssl, "smime", "-verify", "-no_check_time", "-inform", "DER",
        "-in", str(tmp_path / "signature"),
        "-content", str(tmp_path / "manifest"), "-binary", "-purpose", "any",
        "-CAfile", str(folder.path / "wwdr.pem"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == read.files["manifest.json"]
    held = {cert.subject for cert in pkcs7.load_der_pkcs7_certificates(read.files["signature"])}
    for name in ("pass.pem", "wwdr.pem"):
        certificate = x509.load_pem_x509_certificate((folder.path / name).read_bytes())
        assert certificate.subject in held


def _check_manifest(files: dict[str, bytes]) -> None:
    manifest = _json(files["manifest.json"])
    named = {
        name: hashlib.sha1(body).hexdigest()
        for name, body in files.items()
        if name not in ("manifest.json", "signature")
    }
    assert manifest == named


def _check_pictures(files: dict[str, bytes]) -> None:
    for name, (width, height) in _PICTURES.items():
        with Image.open(BytesIO(files[name])) as image:
            assert image.format == "PNG"
            assert image.width <= width
            assert image.height <= height
            assert name.startswith("logo") or image.size == (width, height)


def _check_document(document: dict[str, Any]) -> None:
    assert _MEMBERS <= set(document) <= _MEMBERS | _OPTIONAL_MEMBERS
    assert document["formatVersion"] == 1
    assert document["sharingProhibited"] is True
    assert set(document["generic"]) == _FIELDS
    assert len(document["authenticationToken"]) >= 16
    for name in ("backgroundColor", "foregroundColor", "labelColor"):
        parts = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", document[name])
        assert parts is not None
        assert all(int(part) <= 255 for part in parts.groups())
    if "expirationDate" in document:
        datetime.strptime(document["expirationDate"], "%Y-%m-%dT%H:%M:%S%z")
    keys = [field["key"] for field in _fields(document)]
    assert len(keys) == len(set(keys)), "a key of a field is there twice"
    for code in document.get("barcodes", []):
        assert set(code) == {"format", "message", "messageEncoding", "altText"}
        assert code["format"] == "PKBarcodeFormatQR"
        assert code["messageEncoding"] == "iso-8859-1"
        code["message"].encode("ascii")


def _check_words(document: dict[str, Any], translations: dict[str, dict[str, str]]) -> None:
    assert translations["en"] == {key: key for key in translations["en"]}
    assert set(translations["en"]) == set(translations["lv"])
    labels = {field["label"] for field in _fields(document)}
    assert labels | {document["description"]} <= set(translations["lv"])


def _fields(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [field for fields in document["generic"].values() for field in fields]


def _strings(files: dict[str, bytes], language: str) -> dict[str, str]:
    lines = files[f"{language}.lproj/pass.strings"].decode().splitlines()
    found = [_STRING.fullmatch(line) for line in lines]
    assert all(found), "a line is no string of a property list"
    pairs = [(one[1], one[2]) for one in found if one is not None]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def _json(body: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), "a member is there twice"
        return dict(pairs)

    document = json.loads(body, object_pairs_hook=once)
    assert isinstance(document, dict)
    return document
