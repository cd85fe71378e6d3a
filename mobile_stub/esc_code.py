"""The ESC QR code on the phone's side (docs/esc-qr.md): E1 as issued, E2 signed when shown.

The phone trusts its institution for what an E1 says; it reads from it only what it needs to
handle it: the card's number, when it ends, and whose key it is bound to.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

import cbor2

from mobile_stub.device_key import DeviceKey
from mobile_stub.errors import Refused

PROFILES = ("status", "identity")
_TEXT = re.compile(r"https://esc\.gg/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})#E1([A-Z2-7]+)")
_MAX_CHARS = 700
MAX_CHALLENGE_BYTES = 64
_DOMAIN = b"ESC-E2\x00"
_MAX_SECONDS = 0xFFFFFFFF  # section 2.2
# What taking a wrongly built structure apart can raise.
_WRONG_SHAPE = (
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    RecursionError,
)
# CWT claims (RFC 8392, RFC 8747) and COSE_Key parameters (RFC 9053, Section 7.1.1).
_EXP, _CNF, _COSE_KEY = 4, 8, 1
_KTY, _CRV, _X, _Y, _EC2, _P256 = 1, -1, -2, -3, 2, 1


@dataclass(frozen=True, slots=True)
class StaticCode:
    """An E1 taken apart."""

    escn: str
    text: str
    e1: bytes
    expires_at: int  # seconds since 1970, UTC
    holder_key: bytes  # compressed point, 33 bytes


def parse_static_code(text: str) -> StaticCode:
    """The E1 in the text of a static code.

    Raises:
        Refused: It is not in this format.
    """
    found = _TEXT.fullmatch(text) if len(text) <= _MAX_CHARS else None
    if found is None:
        raise Refused("bad_credential")
    escn, encoded = found.groups()
    try:
        e1 = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
        sign1 = cbor2.loads(e1)
        _, _, payload, _ = sign1.value
        claims = cbor2.loads(payload)
        key = claims[_CNF][_COSE_KEY]
        if (key[_KTY], key[_CRV]) != (_EC2, _P256) or not isinstance(key[_Y], bool):
            raise Refused("bad_credential")
        holder_key = bytes([3 if key[_Y] else 2]) + bytes(key[_X])
        expires_at = claims[_EXP]
    except (binascii.Error, cbor2.CBORError, *_WRONG_SHAPE) as error:
        raise Refused("bad_credential") from error
    if not isinstance(expires_at, int) or not 0 <= expires_at <= _MAX_SECONDS:
        raise Refused("bad_credential")
    return StaticCode(escn, text, e1, expires_at, holder_key)


def live_code(code: StaticCode, key: DeviceKey, *, now: datetime, challenge: bytes = b"") -> str:
    """The text of an E2: the E1 with the time and this phone's signature (section 3).

    Args:
        code: The E1 to show.
        key: The key that the E1 is bound to.
        now: Aware UTC; a verifier accepts it for 45 s.
        challenge: At most 64 bytes that the verifier asked for, or none.
    """
    seconds = int(now.timestamp())
    signature = key.sign(
        _DOMAIN
        + hashlib.sha256(code.e1).digest()
        + seconds.to_bytes(8, "big")
        + bytes([len(challenge)])
        + challenge
    )
    e2 = cbor2.dumps([code.e1, seconds, signature], canonical=True)
    encoded = base64.b32encode(e2).decode().rstrip("=")
    return f"https://esc.gg/{code.escn}#E2{encoded}"
