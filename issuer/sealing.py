"""Secrets at rest: sealed when we must read them again, hashed when we need only know them.

One secret of the deployment (a file, at least 32 bytes) gives every key by HKDF (RFC 5869)
with its purpose, so that no two purposes share one. What is sealed is a Fernet token. Random
tokens of 256 bits are stored as plain SHA-256; a short code needs `Sealer.derive`, since whoever
holds the database could try all values of a plain hash.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from issuer.errors import NotUnsealable

MIN_SECRET_BYTES = 32


class Sealer:
    """The deployment's secret, in use."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret must have at least {MIN_SECRET_BYTES} bytes")
        self._secret = secret
        self._keys: dict[str, bytes] = {}
        self._fernet = Fernet(base64.urlsafe_b64encode(self._key("seal")))

    def seal(self, plain: bytes) -> bytes:
        """Encrypt and authenticate."""
        return self._fernet.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """The inverse of `seal`.

        Raises:
            NotUnsealable: Sealed with another secret, or changed since.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise NotUnsealable("sealed with another secret, or damaged") from error

    def derive(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that only this deployment can make of `message`, different for each purpose."""
        return hmac.digest(self._key(purpose), message, "sha256")

    def _key(self, purpose: str) -> bytes:
        if purpose not in self._keys:
            derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
            self._keys[purpose] = derivation.derive(self._secret)
        return self._keys[purpose]


def hash_token(token: str) -> bytes:
    """SHA-256 of a token that was made of at least 128 random bits."""
    return hashlib.sha256(token.encode()).digest()
