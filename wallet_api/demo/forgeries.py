"""What the provider must refuse: codes that were never signed by who they name.

A rogue signs perfectly well, with a key of its own; an institution's real key signs for a card
number of another. Both are made with the issuer's own encoders: only the trust list tells.
"""

import secrets
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from issuer.clock import seconds_of
from issuer.keys import FileSigner, Signer, load_signer
from verifier.card_claims import CardClaims, HolderKey
from verifier.esc_qr import e1_signing_input, e1_text, encode_e1
from verifier.escn import escn_at, tick_of
from verifier.identifiers import AcademicLevel, Pic
from verifier.trust_document import kid_bytes_of

_DAY = 86_400


def change_one_letter(text: str) -> str:
    """The code with one character of its signed part replaced by another of the alphabet."""
    middle = text.index("#E") + 120
    other = "A" if text[middle] != "A" else "B"
    return text[:middle] + other + text[middle + 1 :]


def card_of_unknown_institution(now: datetime) -> str:
    """A card of an institution that no trust list has, signed by a rogue's key."""
    rogue = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    return _sign(rogue, Pic("123456789"), now)


def card_signed_for_another(
    keys: Path, passphrase: bytes, kid: str, pic: Pic, now: datetime
) -> str:
    """A card that names institution `pic`, signed with the real key of another one."""
    return _sign(load_signer(keys, kid, passphrase), pic, now)


def _sign(signer: Signer, pic: Pic, now: datetime) -> str:
    phone = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    escn = escn_at(tick_of(now), clock_sequence=secrets.randbelow(16384), prefix="001", pic=pic)
    claims = CardClaims(
        issued_at=seconds_of(now) - _DAY,
        expires_at=seconds_of(now) + _DAY,
        name="Mallory",
        level=AcademicLevel.BACHELOR,
        esi=None,
        status_list=1,
        status_index=1,
        holder_key=HolderKey(phone.x.to_bytes(32), bool(phone.y & 1)),
    )
    kid = kid_bytes_of(signer.kid)
    signature = signer.sign(e1_signing_input(claims, escn=escn, kid=kid))
    return e1_text(escn, encode_e1(claims, kid=kid, signature=signature))
