"""The wallet's file: sealed with a passphrase (scrypt, then AES-256-GCM), replaced atomically.

    magic "ESCPHONE" (8) | version (1) | log2 n (1) | r (1) | p (1) | salt (16) | nonce (12)
    | ciphertext with its 16-byte tag

Everything before the ciphertext is authenticated with it. The salt stays while a wallet is
open, so that the slow derivation runs once a command; the nonce is new with every save.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from mobile_stub.errors import Refused
from mobile_stub.files import replace_file

_MAGIC = b"ESCPHONE"
_VERSION = 1
_HEADER = struct.Struct(">8sBBBB16s12s")
_LOG2_N, _R, _P = 15, 8, 1  # 32 MiB and about 0.1 s for each guess
# A file that someone else wrote must not make us spend more than 1 GiB or minutes.
_MAX_LOG2_N, _MAX_R, _MAX_P = 20, 8, 4
MAX_FILE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Cost:
    log2_n: int
    r: int
    p: int


@dataclass(slots=True)
class SealedFile:
    """One open wallet file: the derived key is in memory, the passphrase is not."""

    path: Path
    _salt: bytes
    _key: bytes
    _cost: _Cost

    def save(self, plain: bytes) -> None:
        """Seal `plain` and replace the file; Refused when it cannot be written."""
        nonce = os.urandom(12)
        cost = self._cost
        header = _HEADER.pack(_MAGIC, _VERSION, cost.log2_n, cost.r, cost.p, self._salt, nonce)
        replace_file(self.path, header + AESGCM(self._key).encrypt(nonce, plain, header))


def new_sealed_file(path: Path, passphrase: str) -> SealedFile:
    """Prepare a file that does not exist yet; nothing is written before the first save."""
    salt, cost = os.urandom(16), _Cost(_LOG2_N, _R, _P)
    return SealedFile(path, salt, _derive(passphrase, salt, cost), cost)


def open_sealed_file(path: Path, passphrase: str) -> tuple[SealedFile, bytes]:
    """Read and unseal a file.

    Raises:
        Refused: It is missing, too large, not such a file, or the passphrase does not fit.
    """
    content = _read(path)
    header, sealed = content[: _HEADER.size], content[_HEADER.size :]
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise Refused("not_a_wallet", path=path)
    _, version, log2_n, r, p, salt, nonce = _HEADER.unpack(header)
    if version != _VERSION:
        raise Refused("wallet_version", path=path, version=version)
    if not (1 <= log2_n <= _MAX_LOG2_N and 1 <= r <= _MAX_R and 1 <= p <= _MAX_P):
        raise Refused("not_a_wallet", path=path)
    cost = _Cost(log2_n, r, p)
    key = _derive(passphrase, salt, cost)
    try:
        plain = AESGCM(key).decrypt(nonce, sealed, header)
    except InvalidTag as error:
        raise Refused("wrong_passphrase", path=path) from error
    return SealedFile(path, salt, key, cost), plain


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise Refused("no_wallet", path=path) from error
    except OSError as error:
        raise Refused("file_not_read", path=path, reason=error.strerror) from error
    if len(content) > MAX_FILE_BYTES:
        raise Refused("not_a_wallet", path=path)
    return content


def _derive(passphrase: str, salt: bytes, cost: _Cost) -> bytes:
    scrypt = Scrypt(salt=salt, length=32, n=1 << cost.log2_n, r=cost.r, p=cost.p)
    return scrypt.derive(passphrase.encode())
