"""A small world to check cards in: two institutions, their keys, a phone, a trust list's key."""

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from verifier.bundle import Knowledge, integrity_of, pack_bundle, verify_bundle
from verifier.card_claims import CardClaims, HolderKey
from verifier.esc_qr import (
    e1_signing_input,
    e1_text,
    e2_signing_input,
    e2_text,
    encode_e1,
    encode_e2,
)
from verifier.identifiers import AcademicLevel, Escn, Pic, parse_escn
from verifier.jws import (
    P256_ORDER,
    assemble_jws,
    jws_signing_input,
    public_jwk_of,
    thumbprint_of,
)
from verifier.sd_jwt import assemble_sd_jwt, conceal, make_disclosure
from verifier.status import STATUS_LIST_TYP, pack_entries, status_list_payload
from verifier.status_delta import STATUS_DELTA_TYP, status_delta_payload
from verifier.trust import TRUST_LIST_TYP
from verifier.trust_document import (
    KeyState,
    TrustedInstitution,
    TrustedKey,
    TrustList,
    kid_bytes_of,
    trust_list_payload,
)

NOW = 1_790_000_000
DAY = 86_400
ESCN = parse_escn("25539be8-6423-103e-add8-001999978433")
VCT = "https://cards.example/types/european-student-card/v1"
TYPE_METADATA = b'{"vct":"https://cards.example/types/european-student-card/v1"}'


def sign_raw(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + min(s, P256_ORDER - s).to_bytes(32)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Signer:
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    @property
    def jwk(self) -> dict[str, str]:
        return public_jwk_of(self.key.public_key())

    @property
    def kid(self) -> str:
        return thumbprint_of(self.jwk)

    def jws(self, payload: dict[str, Any], *, typ: str, **header: Any) -> str:
        head = {"typ": typ, "alg": "ES256", "kid": self.kid, **header}
        message = jws_signing_input(head, payload)
        return assemble_jws(message, sign_raw(self.key, message))


@dataclass
class World:
    """Everything that signs, and what a verifier should know of it."""

    anchor: Signer = field(default_factory=Signer)
    issuer: Signer = field(default_factory=Signer)
    other: Signer = field(default_factory=Signer)
    phone: Signer = field(default_factory=Signer)

    def institution(self, **changes: Any) -> TrustedInstitution:
        institution = TrustedInstitution(
            pic=Pic("999978433"),
            name="Daugava University",
            country="LV",
            schac_home_organization="daugava.example",
            issuer="https://cards.example/999978433",
            esi_scopes=frozenset({"lv", "daugava.example"}),
            keys=(self.trusted(self.issuer),),
            status_lists={1: "https://cards.example/status-lists/999978433/1"},
        )
        return institution._replace(**changes)

    def trusted(self, signer: Signer, **changes: Any) -> TrustedKey:
        key = TrustedKey(
            kid=signer.kid,
            public_key=signer.key.public_key(),
            state=KeyState.ACTIVE,
            valid_from=NOW - 100 * DAY,
            valid_until=NOW + 100 * DAY,
        )
        return key._replace(**changes)

    def other_institution(self) -> TrustedInstitution:
        return self.institution(
            pic=Pic("888777666"),
            issuer="https://cards.example/888777666",
            keys=(self.trusted(self.other),),
            status_lists={1: "https://cards.example/status-lists/888777666/1"},
        )

    def trust_list(self, *institutions: TrustedInstitution, **changes: Any) -> str:
        listed = institutions or (self.institution(), self.other_institution())
        trust = TrustList(
            sequence=7,
            issued_at=NOW - DAY,
            expires_at=NOW + 29 * DAY,
            institutions={institution.pic: institution for institution in listed},
            anchors=(self.anchor.key.public_key(),),
            type_integrity={VCT: integrity_of(TYPE_METADATA)},
            token="",
        )
        payload = trust_list_payload(trust._replace(**changes))
        return self.anchor.jws(payload, typ=TRUST_LIST_TYP)

    def status_list(
        self, values: dict[int, int] | None = None, *, issued_at: int = NOW - 600, **changes: Any
    ) -> str:
        payload = status_list_payload(
            pack_entries(values or {}, width=2, size=1024),
            uri=changes.get("uri", "https://cards.example/status-lists/999978433/1"),
            issued_at=issued_at,
            expires_at=changes.get("expires_at", issued_at + 7 * DAY),
            ttl=43_200,
            aggregation_uri="https://cards.example/status-lists",
        )
        return changes.get("signer", self.issuer).jws(payload, typ=STATUS_LIST_TYP)

    def status_delta(
        self,
        values: dict[int, int],
        changes: dict[int, int] | None = None,
        *,
        issued_at: int = NOW - 60,
        since: int = NOW - DAY,
        **more: Any,
    ) -> str:
        """What brings a list of `world.status_list` to these values; by default all of them."""
        payload = status_delta_payload(
            pack_entries(values, width=2, size=1024),
            values if changes is None else changes,
            uri=more.get("uri", "https://cards.example/status-lists/999978433/1"),
            since=since,
            issued_at=issued_at,
            expires_at=more.get("expires_at", issued_at + 7 * DAY),
            ttl=43_200,
        )
        return more.get("signer", self.issuer).jws(payload, typ=STATUS_DELTA_TYP)

    def bundle(self, trust_list: str = "", *status_lists: str) -> bytes:
        lists = list(status_lists) or [self.status_list()]
        return pack_bundle(trust_list or self.trust_list(), lists, {VCT: TYPE_METADATA})

    def knowledge(self, data: bytes | None = None, **options: Any) -> Knowledge:
        return verify_bundle(
            data or self.bundle(), anchors=(self.anchor.key.public_key(),), now=NOW, **options
        )

    def claims(self, **changes: Any) -> CardClaims:
        numbers = self.phone.key.public_key().public_numbers()
        claims = CardClaims(
            issued_at=NOW - DAY,
            expires_at=NOW + 29 * DAY,
            name="Anna Bērziņa",
            level=AcademicLevel.MASTER,
            esi="lv:1234567890",
            status_list=1,
            status_index=100,
            holder_key=HolderKey(numbers.x.to_bytes(32), bool(numbers.y & 1)),
        )
        return claims._replace(**changes)

    def e1(self, *, escn: Escn = ESCN, signer: Signer | None = None, **changes: Any) -> bytes:
        claims, by = self.claims(**changes), signer or self.issuer
        kid = kid_bytes_of(by.kid)
        message = e1_signing_input(claims, escn=escn, kid=kid)
        return encode_e1(claims, kid=kid, signature=sign_raw(by.key, message))

    def static_code(self, *, escn: Escn = ESCN, **changes: Any) -> str:
        return e1_text(escn, self.e1(escn=escn, **changes))

    def live_code(self, *, shown_at: int = NOW, challenge: bytes = b"", **changes: Any) -> str:
        e1 = self.e1(**changes)
        message = e2_signing_input(e1, shown_at=shown_at, challenge=challenge)
        signature = sign_raw(self.phone.key, message)
        return e2_text(ESCN, encode_e2(e1, shown_at=shown_at, signature=signature))

    def credential(self, disclosed: dict[str, Any] | None = None, **changes: Any) -> str:
        claims = {
            "name": "Anna Bērziņa",
            "schac_personal_unique_code": ["urn:schac:personalUniqueCode:int:esi:lv:1234567890"],
            "esc_number": ESCN,
            "academic_level": "MASTER",
        }
        disclosures = [
            make_disclosure(name, value, salt=bytes(16))
            for name, value in (claims if disclosed is None else disclosed).items()
        ]
        payload = {
            "iss": "https://cards.example/999978433",
            "iat": NOW - DAY,
            "nbf": NOW - DAY,
            "exp": NOW + 90 * DAY,
            "vct": VCT,
            "cnf": {"jwk": self.phone.jwk},
            "pic": "999978433",
            "status": {
                "status_list": {
                    "idx": 100,
                    "uri": "https://cards.example/status-lists/999978433/1",
                }
            },
            **changes,
        }
        token = self.issuer.jws(conceal(payload, disclosures), typ="dc+sd-jwt")
        return assemble_sd_jwt(token, disclosures)
