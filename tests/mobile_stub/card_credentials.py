"""Credentials as an institution signs them, built from the documents with stock libraries."""

import base64
import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

import cbor2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Key = ec.EllipticCurvePrivateKey


def sd_jwt(
    key: Key, *, iss: str, vct: str, escn: str, holder: dict[str, str], now: datetime
) -> str:
    disclosures = [
        _b64url(json.dumps([secrets.token_urlsafe(16), name, value]).encode())
        for name, value in (("esc_number", escn), ("given_name", "Anna"))
    ]
    payload = {
        "iss": iss,
        "vct": vct,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(days=180)).timestamp()),
        "cnf": {"jwk": holder},
        "_sd": sorted(_b64url(hashlib.sha256(d.encode()).digest()) for d in disclosures),
    }
    token = jwt.encode(payload, key, "ES256", headers={"typ": "dc+sd-jwt"})
    return "~".join([token, *disclosures, ""])


def e1(
    key: Key,
    claims: dict[str, Any],
    *,
    escn: str,
    holder: dict[str, str],
    now: datetime,
    lifetime: timedelta,
) -> str:
    x, y = (base64.urlsafe_b64decode(holder[part] + "=") for part in ("x", "y"))
    payload = cbor2.dumps(
        {
            4: int((now + lifetime).timestamp()),
            6: int(now.timestamp()),
            8: {1: {1: 2, -1: 1, -2: x, -3: bool(y[-1] & 1)}},
            "s": [1, secrets.randbelow(131072)],
        }
        | claims,
        canonical=True,
    )
    protected = cbor2.dumps({1: -7, 4: secrets.token_bytes(8)}, canonical=True)
    number = bytes.fromhex(escn.replace("-", ""))
    message = cbor2.dumps(["Signature1", protected, number, payload], canonical=True)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    e1 = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]), canonical=True)
    return f"https://esc.gg/{escn}#E1{base64.b32encode(e1).decode().rstrip('=')}"


def _b64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
