"""What the phone checks of a credential before it keeps it, and what it reads from one later.

The phone cannot judge the institution's signature (it knows no trust list), but it can see that
a credential is of a shape it can use and is bound to its own key: anything else would be refused
at the first counter, too late for the student to notice.
"""

from datetime import UTC, datetime
from typing import Any

import jwt
from jwt.utils import base64url_decode

from mobile_stub.cards import Card, Credential
from mobile_stub.device_key import DeviceKey
from mobile_stub.errors import Refused
from mobile_stub.esc_code import PROFILES, StaticCode, parse_static_code
from mobile_stub.issuer_answers import printable
from mobile_stub.network import parse_json

SD_JWT_VC, ESC_QR = "dc+sd-jwt", "esc-qr"
_MAX_CHARS = 256 * 1024
_MAX_SECONDS = 0xFFFFFFFF  # the year 2106


def check_credential(format_name: str, value: object, key: DeviceKey) -> Credential:
    """The credential, when it is one that this phone can use with this key.

    Formats that the phone does not know are kept as they come.

    Raises:
        Refused: Its shape is wrong, or it is bound to another key.
    """
    if format_name == ESC_QR:
        return Credential(format_name, _check_codes(value, key))
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_CHARS:
        raise Refused("bad_credential")
    if not (value.isascii() and value.isprintable()):  # it will be printed one day
        raise Refused("bad_credential")
    if format_name == SD_JWT_VC:
        _check_sd_jwt(value, key)
    return Credential(format_name, value)


def codes_of(card: Card) -> dict[str, StaticCode]:
    """The signed profiles of the ESC QR that the card holds, by name."""
    credential = card.of_format(ESC_QR)
    if credential is None or not isinstance(credential.value, dict):
        return {}
    return {name: parse_static_code(text) for name, text in credential.value.items()}


def escn_of(card: Card) -> str | None:
    """The card's number, as far as a credential tells it."""
    for code in codes_of(card).values():
        return code.escn
    credential = card.of_format(SD_JWT_VC)
    if credential is None or not isinstance(credential.value, str):
        return None
    number = sd_jwt_claims(credential.value).get("esc_number")
    return printable(number) if isinstance(number, str) else None


def end_of(card: Card) -> datetime | None:
    """When the first of the card's known credentials ends."""
    ends = [code.expires_at for code in codes_of(card).values()]
    for credential in card.credentials.values():
        if credential.format == SD_JWT_VC and isinstance(credential.value, str):
            exp = sd_jwt_claims(credential.value).get("exp")
            ends += [exp] if isinstance(exp, int) and 0 <= exp <= _MAX_SECONDS else []
    return datetime.fromtimestamp(min(ends), UTC) if ends else None


def sd_jwt_claims(text: str) -> dict[str, Any]:
    """The claims of an SD-JWT VC with its top-level disclosures, nothing verified.

    Raises:
        Refused: It is not an SD-JWT (RFC 9901, Section 4).
    """
    token, *disclosures = text.split("~")
    if not disclosures or disclosures.pop() != "":
        raise Refused("bad_credential")
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        opened = [parse_json(base64url_decode(one)) for one in disclosures]
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise Refused("bad_credential") from error
    for one in opened:
        if isinstance(one, list) and len(one) == 3 and isinstance(one[1], str):
            claims.setdefault(one[1], one[2])
    return claims


def _check_codes(value: object, key: DeviceKey) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Refused("bad_credential")
    texts = {name: value[name] for name in PROFILES if name in value}
    if not texts or not all(isinstance(text, str) for text in texts.values()):
        raise Refused("bad_credential")
    codes = [parse_static_code(text) for text in texts.values()]
    if any(code.holder_key != key.compressed for code in codes):
        raise Refused("other_key")
    if len({code.escn for code in codes}) != 1:
        raise Refused("bad_credential")
    return texts


def _check_sd_jwt(text: str, key: DeviceKey) -> None:
    cnf = sd_jwt_claims(text).get("cnf")
    bound_to = cnf.get("jwk") if isinstance(cnf, dict) else None
    if not isinstance(bound_to, dict):
        raise Refused("bad_credential")
    if any(bound_to.get(name) != part for name, part in key.public_jwk.items()):
        raise Refused("other_key")
