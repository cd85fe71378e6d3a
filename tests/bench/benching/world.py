"""An institution, its key, and phones with cards, made by the issuer's own code."""

from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from issuer.addresses import issuer_of, status_list_uri
from issuer.configurations import Configuration
from issuer.drafting import CardFacts, Envelope
from issuer.issuing import (
    Issuance,
    IssuingPolicy,
    knowledge_of,
    sign_qr_profile,
    sign_sd_jwt_vc,
)
from issuer.keys import FileSigner
from verifier.base32 import decode_base32
from verifier.card_claims import Profile
from verifier.esc_qr import e2_signing_input, e2_text, encode_e2
from verifier.identifiers import Escn, Pic, parse_esi
from verifier.jws import P256_ORDER, public_jwk_of
from verifier.trust_document import KeyState, TrustedInstitution, TrustedKey

ES256 = ec.ECDSA(hashes.SHA256())
NOW = 1_795_435_200  # 2026-11-23T12:00:00Z
DAY = 86_400
PIC = Pic("999900001")
DOMAIN = "daugava.example"
ISSUER_URL = "https://esc.daugava.example"
MESSAGE = b"a message as long as those of a card: " + bytes(160)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def low_s_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """What a phone signs: r and s, s in the lower half."""
    r, s = decode_dss_signature(key.sign(message, ES256))
    return r.to_bytes(32) + min(s, P256_ORDER - s).to_bytes(32)


def escn_of(number: int) -> Escn:
    """A card number."""
    return Escn(f"{number:08x}-6423-11f1-8dd8-001{PIC}")


def facts_of(number: int) -> CardFacts:
    """What the institution says of a student: five facts may be disclosed one by one."""
    return CardFacts(
        escn=escn_of(number),
        pic=PIC,
        schac_home_organization=DOMAIN,
        esi=parse_esi(f"urn:schac:personalUniqueCode:int:esi:{DOMAIN}:{number:08d}"),
        full_name="Līga Bērziņa-Kļaviņa",
        expires_at=NOW + 600 * DAY,
        given_name="Līga",
        family_name="Bērziņa-Kļaviņa",
    )


def make_issuance() -> Issuance:
    """An institution with a key and a status list, ready to sign."""
    signer = FileSigner(new_key())
    public_key = signer._private_key.public_key()
    key = TrustedKey(signer.kid, public_key, KeyState.ACTIVE, NOW - DAY, NOW + 900 * DAY)
    institution = TrustedInstitution(
        pic=PIC,
        name="Daugava University",
        country="LV",
        schac_home_organization=DOMAIN,
        issuer=issuer_of(ISSUER_URL, PIC),
        esi_scopes=frozenset({DOMAIN}),
        keys=(key,),
        status_lists={1: status_list_uri(ISSUER_URL, PIC, 1)},
    )
    policy = IssuingPolicy(ISSUER_URL)
    knowledge = knowledge_of(institution, sizes={1: (2, 131_072)}, policy=policy, now=NOW)
    return Issuance(institution, signer, knowledge, policy, NOW)


@dataclass
class Phone:
    """A phone with a key of its own and the codes of one card."""

    issuance: Issuance
    number: int

    def __post_init__(self) -> None:
        self.key = new_key()
        self.facts = facts_of(self.number)

    @cached_property
    def static_code(self) -> str:
        """The E1 text, status profile."""
        envelope = self._envelope(Configuration.QR)
        return sign_qr_profile(self.issuance, Profile.STATUS, self.facts, envelope)

    @cached_property
    def credential(self) -> str:
        """The SD-JWT VC with all of its disclosures."""
        kind = Configuration.CARD
        return sign_sd_jwt_vc(self.issuance, kind, self.facts, self._envelope(kind))

    def live_code(self, shown_at: int) -> str:
        """An E2 text, signed now."""
        e1 = decode_base32(self.static_code.partition("#E1")[2])
        signature = low_s_signature(self.key, e2_signing_input(e1, shown_at=shown_at))
        return e2_text(self.facts.escn, encode_e2(e1, shown_at=shown_at, signature=signature))

    def _envelope(self, kind: Configuration) -> Envelope:
        place = self.issuance.place(1, self.number)
        jwk = public_jwk_of(self.key.public_key())
        return self.issuance.envelope(kind, self.facts, place=place, holder_jwk=jwk)
