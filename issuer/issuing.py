"""Draft, sign, verify our own output, and only then hand it out.

Pure: rows, indices and times are found by `issuer.credentials`. What is released was checked by
the very functions with which a provider will check it, against a trust list of this institution:
so a wrong key, a foreign ESI or a name that breaks the format is found here and by nobody else.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from issuer.addresses import TYPE_METADATA_PATH, issuer_of, status_list_uri
from issuer.configurations import Configuration
from issuer.drafting import (
    CardFacts,
    Envelope,
    StatusPlace,
    claims_of,
    draft_qr_claims,
    draft_sd_jwt_vc,
)
from issuer.errors import CredentialRefused
from issuer.keys import Signer
from issuer.type_metadata import type_integrity
from verifier.bundle import Knowledge
from verifier.card_claims import Profile
from verifier.checks import VerifiedCard
from verifier.errors import CardError
from verifier.esc_qr import draft_e1, e1_text
from verifier.jws import UnverifiedJws, assemble_jws, b64url_encode, dump_json
from verifier.sd_jwt import SALT_BYTES, assemble_sd_jwt
from verifier.sd_jwt_vc import SD_JWT_VC_TYP
from verifier.status import StatusList, StatusListToken
from verifier.trust_document import TrustedInstitution, TrustList, kid_bytes_of
from verifier.verify import verify_card
from verifier.verify_sd_jwt_vc import verify_credential

DAY = 86_400
Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class IssuingPolicy:
    """Where the issuer is, and how long what it signs lives.

    Attributes:
        issuer_url: The issuer's public address, without a slash at its end.
        own_vct: The type of our credential, if it is not below `issuer_url`.
        qr_lifetime: Seconds.
        credential_lifetime: Seconds.
    """

    issuer_url: str
    own_vct: str | None = None
    qr_lifetime: int = 30 * DAY
    credential_lifetime: int = 180 * DAY

    @property
    def vct(self) -> str:
        """The type of our credential."""
        return self.own_vct or self.issuer_url + TYPE_METADATA_PATH

    def lifetime_of(self, configuration: Configuration) -> int:
        """How long a credential of this kind lives at most, in seconds."""
        is_qr = configuration is Configuration.QR
        return self.qr_lifetime if is_qr else self.credential_lifetime


@dataclass(frozen=True, slots=True)
class Issuance:
    """What all credentials signed in one go share.

    Attributes:
        institution: As the trust list will name it.
        signer: Its key.
        knowledge: For checking our own output; knows this institution only.
        policy: Addresses and lifetimes.
        now: Seconds.
        random: Makes salts.
    """

    institution: TrustedInstitution
    signer: Signer
    knowledge: Knowledge
    policy: IssuingPolicy
    now: int
    random: Random = secrets.token_bytes

    def place(self, number: int, index: int) -> StatusPlace:
        """A status entry in one of the institution's lists."""
        uri = status_list_uri(self.policy.issuer_url, self.institution.pic, number)
        return StatusPlace(uri, number, index)

    def envelope(
        self,
        configuration: Configuration,
        facts: CardFacts,
        *,
        place: StatusPlace,
        holder_jwk: dict[str, str],
    ) -> Envelope:
        """What a credential has whatever it says; it never outlives its card."""
        expires_at = min(self.now + self.policy.lifetime_of(configuration), facts.expires_at)
        issuer = issuer_of(self.policy.issuer_url, self.institution.pic)
        return Envelope(issuer, self.now, expires_at, place, holder_jwk)


def knowledge_of(
    institution: TrustedInstitution,
    *,
    sizes: dict[int, tuple[int, int]],
    policy: IssuingPolicy,
    now: int,
) -> Knowledge:
    """All that a verifier would know if this institution were the only one.

    Args:
        institution: Whose credentials will be checked.
        sizes: Of each of its status lists: bits and entries; all entries are taken as valid.
        policy: Says our credential's type.
        now: Seconds.
    """
    unsigned = UnverifiedJws({}, {}, b"", b"")
    trust = TrustList(
        sequence=1,
        issued_at=now,
        expires_at=now + DAY,
        institutions={institution.pic: institution},
        anchors=(),
        type_integrity={policy.vct: type_integrity(policy.vct)},
        token="",
    )
    lists = {}
    for number, (bits, entries) in sizes.items():
        uri = institution.status_lists[number]
        blank = StatusList(bits, bytes(entries * bits // 8))
        lists[uri] = StatusListToken(uri, now, None, None, blank, unsigned)
    return Knowledge(trust, lists, {})


def sign_sd_jwt_vc(
    issuance: Issuance, configuration: Configuration, facts: CardFacts, envelope: Envelope
) -> str:
    """One of the two SD-JWT VCs, checked.

    Raises:
        CredentialNotPossible: The institution has not given a claim that is mandatory.
        CredentialRefused: Our own verifier does not accept it.
    """
    claims = claims_of(configuration, facts)
    policy, signer = issuance.policy, issuance.signer
    payload, disclosures = draft_sd_jwt_vc(
        configuration,
        claims,
        envelope,
        own_vct=policy.vct,
        integrity=type_integrity(policy.vct),
        salts=issuance.random(SALT_BYTES * len(claims)),
    )
    message = f"{_header_of(signer.kid)}.{b64url_encode(dump_json(payload))}".encode("ascii")
    text = assemble_sd_jwt(assemble_jws(message, signer.sign(message)), disclosures)
    try:
        card = verify_credential(text, knowledge=issuance.knowledge, now=issuance.now)
    except CardError as error:
        raise CredentialRefused(f"{type(error).__name__}: {error}") from error
    escn = facts.escn if configuration is Configuration.CARD else None
    _compare(card, escn=escn, esi=facts.esi.normal, expires_at=envelope.expires_at)
    return text


@lru_cache(maxsize=256)
def _header_of(kid: str) -> str:
    return b64url_encode(dump_json({"typ": SD_JWT_VC_TYP, "alg": "ES256", "kid": kid}))


def sign_qr_profile(
    issuance: Issuance, profile: Profile, facts: CardFacts, envelope: Envelope
) -> str:
    """One profile of the ESC QR as the text of a static code, checked.

    Raises:
        CredentialRefused: The name or ESI breaks the format, or our own verifier does not accept
            the code.
    """
    signer = issuance.signer
    kid = kid_bytes_of(signer.kid)
    try:
        claims = draft_qr_claims(profile, facts, envelope)
        drafted = draft_e1(claims, escn=facts.escn, kid=kid)
        e1_bytes = drafted.signed(signer.sign(drafted.signing_input))
        text = e1_text(facts.escn, e1_bytes)
        card = verify_card(text, knowledge=issuance.knowledge, now=issuance.now)
    except CardError as error:
        raise CredentialRefused(f"{type(error).__name__}: {error}") from error
    esi = facts.esi.normal if profile is Profile.IDENTITY else None
    _compare(card, escn=facts.escn, esi=esi, expires_at=envelope.expires_at)
    return text


def _compare(card: VerifiedCard, *, escn: str | None, esi: str | None, expires_at: int) -> None:
    found = (card.escn, card.esi.normal if card.esi else None, card.expires_at)
    if found != (escn, esi, expires_at):
        raise CredentialRefused("what was signed says something else than what was meant")
