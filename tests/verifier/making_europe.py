"""All of Europe in a bundle: 4,000 institutions, 40 million cards; its anchor, and a code of it.

    python tests/verifier/making_europe.py FOLDER NOW [COUNT [ADDRESS]]

Writes europe.escbundle, anchor.json and code.txt. Keys are made anew: never trust one. With an
address, which the trust list then names, also later.escbundle: the next, in which the code's card
is revoked.
"""

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from verifier.bundle import pack_bundle
from verifier.card_claims import CardClaims, HolderKey
from verifier.esc_qr import e1_signing_input, e1_text, encode_e1
from verifier.escn import escn_at
from verifier.identifiers import Pic
from verifier.jws import (
    P256_ORDER,
    assemble_jws,
    jws_signing_input,
    public_jwk_of,
    thumbprint_of,
)
from verifier.status import STATUS_LIST_TYP, pack_entries, status_list_payload
from verifier.trust import TRUST_LIST_TYP
from verifier.trust_document import (
    KeyState,
    TrustedInstitution,
    TrustedKey,
    TrustList,
    kid_bytes_of,
    trust_list_payload,
)

DAY, CARDS, REVOKED = 86_400, 10_000, 100  # of each institution


def sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + min(s, P256_ORDER - s).to_bytes(32)


def signed(key: ec.EllipticCurvePrivateKey, typ: str, payload: dict[str, Any]) -> str:
    kid = thumbprint_of(public_jwk_of(key.public_key()))
    message = jws_signing_input({"typ": typ, "alg": "ES256", "kid": kid}, payload)
    return assemble_jws(message, sign(key, message))


def institution_of(number: int, key: ec.EllipticCurvePrivateKey, now: int) -> TrustedInstitution:
    kid, pic = thumbprint_of(public_jwk_of(key.public_key())), Pic(f"{900_000_000 + number}")
    trusted = TrustedKey(kid, key.public_key(), KeyState.ACTIVE, now - 90 * DAY, now + 900 * DAY)
    uri = f"https://cards.example/status-lists/{pic}/1"
    return TrustedInstitution(
        pic=pic,
        name=f"University {number}",
        country="LV",
        schac_home_organization=f"university-{number}.example",
        issuer=f"https://cards.example/{pic}",
        esi_scopes=frozenset({f"university-{number}.example"}),
        keys=(trusted,),
        status_lists={1: uri},
    )


def status_list_of(
    institution: TrustedInstitution,
    key: ec.EllipticCurvePrivateKey,
    issued_at: int,
    revoked: Iterable[int],
) -> str:
    payload = status_list_payload(
        pack_entries(dict.fromkeys(revoked, 1), width=2, size=CARDS),
        uri=institution.status_lists[1],
        issued_at=issued_at,
        expires_at=issued_at + 7 * DAY,
        ttl=3_600,
        aggregation_uri="https://cards.example/status-lists",
    )
    return signed(key, STATUS_LIST_TYP, payload)


def code_of(key: ec.EllipticCurvePrivateKey, pic: Pic, now: int) -> str:
    holder = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    claims = CardClaims(
        issued_at=now - DAY,
        expires_at=now + DAY,
        name="Līga Bērziņa",
        level=None,
        esi=None,
        status_list=1,
        status_index=0,
        holder_key=HolderKey(holder.x.to_bytes(32), bool(holder.y & 1)),
    )
    escn = escn_at(1 << 58, clock_sequence=1, prefix="001", pic=pic)
    kid = kid_bytes_of(thumbprint_of(public_jwk_of(key.public_key())))
    message = e1_signing_input(claims, kid=kid, escn=escn)
    return e1_text(escn, encode_e1(claims, kid=kid, signature=sign(key, message)))


def main(folder: Path, now: int, count: int, address: str | None) -> None:
    chance = random.Random(4)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(count)]
    institutions = [institution_of(n, key, now) for n, key in enumerate(keys)]
    revoked = [chance.sample(range(1, CARDS), REVOKED) for _ in keys]
    anchor = ec.generate_private_key(ec.SECP256R1())

    def write(name: str, sequence: int, issued_at: int) -> None:
        trust = TrustList(
            sequence=sequence,
            issued_at=now - DAY,
            expires_at=now + 29 * DAY,
            institutions={institution.pic: institution for institution in institutions},
            anchors=(anchor.public_key(),),
            type_integrity={},
            token="",
            bundle=address,
        )
        token = signed(anchor, TRUST_LIST_TYP, trust_list_payload(trust))
        signers = zip(institutions, keys, revoked, strict=True)
        lists = [status_list_of(one, key, issued_at, cards) for one, key, cards in signers]
        (folder / name).write_bytes(pack_bundle(token, lists, {}))

    write("europe.escbundle", 1, now - 3_600)
    if address is not None:
        revoked[-1].append(0)
        write("later.escbundle", 2, now - 60)
    (folder / "anchor.json").write_text(json.dumps(public_jwk_of(anchor.public_key())))
    (folder / "code.txt").write_text(code_of(keys[-1], institutions[-1].pic, now), "utf-8")


if __name__ == "__main__":
    made_in, now, *further = sys.argv[1:]
    count, address = (*further, None, None)[:2]
    main(Path(made_in), int(now), int(count or 4_000), address)
