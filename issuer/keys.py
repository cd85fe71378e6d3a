"""Signing: the `Signer` protocol, and keys in encrypted files.

A private key never leaves its signer: whoever issues or publishes asks for 64 bytes over a
message. `FileSigner` is the embedded kind (PKCS#8 PEM, encrypted, one file per key, named by the
key's RFC 7638 thumbprint); another kind is another class with the same three members. Which key
signs for whom is said by the database (`issuer.key_life`), never by a folder.
"""

import os
import re
import stat
import threading
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from issuer.errors import UnusableKey
from verifier.jws import P256_ORDER, public_jwk_of, thumbprint_of

MIN_PASSPHRASE_BYTES = 16

_ES256 = ec.ECDSA(hashes.SHA256())
_HALF_ORDER = P256_ORDER // 2
_KID = re.compile(r"[A-Za-z0-9_-]{43}")


class Signer(Protocol):
    """A key that signs; the algorithm belongs to it (ES256)."""

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of its public half."""
        ...

    @property
    def public_jwk(self) -> dict[str, str]:
        """Its public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes r and s over SHA-256 of the message, s in the lower half."""
        ...


class KeyRing(Protocol):
    """All signers of the deployment, by their key id."""

    def signer(self, kid: str) -> Signer:
        """The signer of a key that the database names.

        Raises:
            UnusableKey: There is none that works here.
        """
        ...


class FileSigner:
    """Signs with a private key held in memory."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        self._public_jwk = public_jwk_of(private_key.public_key())
        self._kid = thumbprint_of(self._public_jwk)

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of its public half."""
        return self._kid

    @property
    def public_jwk(self) -> dict[str, str]:
        """Its public half."""
        return dict(self._public_jwk)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes r and s over SHA-256 of the message, s in the lower half."""
        r, s = decode_dss_signature(self._private_key.sign(message, _ES256))
        if s > _HALF_ORDER:
            s = P256_ORDER - s
        return r.to_bytes(32) + s.to_bytes(32)


class FileKeyRing:
    """Signers of the key files in one folder, each opened when it is first needed."""

    def __init__(self, folder: Path, passphrase: bytes) -> None:
        self._folder = folder
        self._passphrase = _checked(passphrase)
        self._signers: dict[str, FileSigner] = {}
        self._lock = threading.Lock()

    def signer(self, kid: str) -> Signer:
        """The signer of a key that the database names.

        Raises:
            UnusableKey: Its file is missing, readable by others, of another passphrase, or holds
                another key than its name says.
        """
        with self._lock:
            if kid not in self._signers:
                self._signers[kid] = load_signer(self._folder, kid, self._passphrase)
            return self._signers[kid]


def create_key_file(folder: Path, passphrase: bytes) -> FileSigner:
    """Make a new key and keep it in the folder, which must exist; only ever asked for.

    The file is on the disk before this returns, so that no public half is ever published whose
    private half a crash has lost.

    Raises:
        UnusableKey: The passphrase is too short, or the folder cannot be written.
    """
    signer, pem = _new_key(passphrase)
    try:
        _write_new_file(folder / f"{signer.kid}.pem", pem)
    except OSError as error:
        raise UnusableKey(f"the folder of keys cannot be written: {error.strerror}") from error
    return signer


def create_named_key_file(path: Path, passphrase: bytes) -> FileSigner:
    """Make a new key that has a file of its own name, for one purpose that is no credential's.

    Raises:
        UnusableKey: The passphrase is too short, or the file exists or cannot be written.
    """
    signer, pem = _new_key(passphrase)
    try:
        _write_new_file(path, pem)
    except OSError as error:
        raise UnusableKey(f"{path} cannot be written: {error.strerror}") from error
    return signer


def load_named_key_file(path: Path, passphrase: bytes) -> FileSigner:
    """Open the file of a key that has a name of its own.

    Raises:
        UnusableKey: It is missing, readable by others, of another passphrase, or no P-256 key.
    """
    return _open(path, path.name, passphrase)


def load_signer(folder: Path, kid: str, passphrase: bytes) -> FileSigner:
    """Open the key file of one key.

    Raises:
        UnusableKey: It is missing, readable by others, of another passphrase, or holds another
            key than its name says.
    """
    if not _KID.fullmatch(kid):
        raise UnusableKey("a key id is a thumbprint of 43 characters")
    signer = _open(folder / f"{kid}.pem", kid, passphrase)
    if signer.kid != kid:
        raise UnusableKey(f"the file of key {kid} holds another key")
    return signer


def _new_key(passphrase: bytes) -> tuple[FileSigner, bytes]:
    private_key = ec.generate_private_key(ec.SECP256R1())
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(_checked(passphrase)),
    )
    return FileSigner(private_key), pem


def _open(path: Path, name: str, passphrase: bytes) -> FileSigner:
    try:
        pem = _read_private_file(path)
    except OSError as error:
        raise UnusableKey(f"the file of key {name} cannot be read: {error.strerror}") from error
    try:
        private_key = serialization.load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey(f"key {name} does not open: another passphrase, or damaged") from error
    if not isinstance(private_key, ec.EllipticCurvePrivateKey) or private_key.key_size != 256:
        raise UnusableKey(f"key {name} is not a P-256 key")
    return FileSigner(private_key)


def _checked(passphrase: bytes) -> bytes:
    if len(passphrase) < MIN_PASSPHRASE_BYTES:
        raise UnusableKey(f"the passphrase of keys has at least {MIN_PASSPHRASE_BYTES} bytes")
    return passphrase


def _write_new_file(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read_private_file(path: Path) -> bytes:
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnusableKey(f"{path.name} can be read by others: chmod 600 it")
    return path.read_bytes()
