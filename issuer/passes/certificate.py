"""Apple's certificate of a pass type: opened and checked before anything is signed with it.

The same certificate signs passes (PKCS #7) and proves to the push service who may tell phones of
them. It is for one pass type of one team, which its subject names (UID and OU), and ends after a
year; a certificate that has ended stops passes and nothing else.
"""

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from issuer.errors import UnusableSecret
from issuer.passes.settings import ApplePassSettings
from issuer.settings import read_secret


@dataclass(frozen=True, slots=True)
class PassCertificate:
    """What signs passes of one type.

    Attributes:
        pass_type_id: Which.
        team_id: Whose.
        certificate: Of the pass type.
        key: Its private key.
        wwdr: Apple's intermediate certificate, sent along with each signature.
    """

    pass_type_id: str
    team_id: str
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    wwdr: x509.Certificate

    @property
    def ends_at(self) -> datetime:
        """The end of the certificate or of Apple's above it, whichever comes first."""
        return min(self.certificate.not_valid_after_utc, self.wwdr.not_valid_after_utc)

    def is_valid(self, now: datetime) -> bool:
        """Whether a pass that is signed now is taken by a phone."""
        begin = max(self.certificate.not_valid_before_utc, self.wwdr.not_valid_before_utc)
        return begin <= now < self.ends_at


def load_pass_certificate(settings: ApplePassSettings) -> PassCertificate | None:
    """The certificate of the settings, or None if they name none.

    Raises:
        UnusableSecret: A file is missing or damaged, or they do not belong together.
    """
    if (
        settings.apple_pass_type_id is None
        or settings.apple_team_id is None
        or settings.apple_certificate_file is None
        or settings.apple_key_file is None
        or settings.apple_wwdr_file is None
    ):
        return None
    found = PassCertificate(
        settings.apple_pass_type_id,
        settings.apple_team_id,
        _certificate(settings.apple_certificate_file),
        _key(settings.apple_key_file, settings.apple_key_passphrase_file),
        _certificate(settings.apple_wwdr_file),
    )
    _check(found)
    return found


def passphrase_of(path: Path | None) -> bytes | None:
    """The key's passphrase, if it has one.

    Raises:
        UnusableSecret: The file is missing or empty.
    """
    return None if path is None else read_secret(path, at_least=1)


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_content(path))
    except ValueError as error:
        raise UnusableSecret(f"{path} holds no certificate in PEM") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableSecret(f"{path} cannot be read: {error.strerror}") from error


def _key(path: Path, passphrase_file: Path | None) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(_content(path), passphrase_of(passphrase_file))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableSecret(f"the key in {path} does not open: its passphrase?") from error
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnusableSecret(f"{path} can be read by others: chmod 600 it")
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableSecret(f"the key in {path} is not RSA, as Apple's are")
    return key


def _check(found: PassCertificate) -> None:
    public = found.certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey) or (
        public.public_numbers() != found.key.public_key().public_numbers()
    ):
        raise UnusableSecret("the key of passes is not that of their certificate")
    names = {
        "pass type": (x509.NameOID.USER_ID, found.pass_type_id),
        "team": (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, found.team_id),
    }
    for what, (oid, expected) in names.items():
        values = [str(one.value) for one in found.certificate.subject.get_attributes_for_oid(oid)]
        if values != [expected]:
            said = ", ".join(values) or "none"
            raise UnusableSecret(
                f"the certificate of passes is for the {what} {said}, not {expected}"
            )
    try:
        found.certificate.verify_directly_issued_by(found.wwdr)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise UnusableSecret(
            "the certificate of passes was signed by another certificate than the WWDR's"
        ) from error
