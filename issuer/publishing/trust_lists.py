"""The signed trust list (docs/trust-list.md), and the documents that change with it.

It is signed anew when an institution, a key or the set of status lists changed, and daily. With
it, in the same transaction, go the institutions' key sets and issuer metadata, the aggregation
of status lists and the type metadata: whatever names a key or a list never lags behind it.
"""

from collections.abc import Iterator
from itertools import groupby

from sqlmodel import Session

from issuer.addresses import (
    AGGREGATION_PATH,
    BUNDLE_PATH,
    TRUST_LIST_PATH,
    TYPE_METADATA_PATH,
    issuer_metadata_path,
    issuer_of,
    jwks_path,
    status_list_uri,
)
from issuer.issuing import IssuingPolicy
from issuer.key_life import TRUST_LIST_LIFETIME, signer_for
from issuer.keys import KeyRing
from issuer.publishing.signing import (
    JSON_MEDIA_TYPE,
    METADATA_MAX_AGE,
    put_document,
    put_if_changed,
    sign_document,
)
from issuer.publishing.trusted import trusted_institution
from issuer.store import institutions, publications, status
from issuer.store import keys as stored_keys
from issuer.tables import SigningKey
from issuer.type_metadata import TYPE_METADATA_MEDIA_TYPE, type_integrity, type_metadata_bytes
from verifier.jws import ALGORITHM, Json, dump_json, parse_public_jwk, public_jwk_of
from verifier.trust import TRUST_LIST_TYP
from verifier.trust_document import KeyState, TrustedInstitution, TrustList, trust_list_payload

TRUST_LIST_MEDIA_TYPE = "application/jwt"
DAY = 86_400


def publish_trust_list(
    session: Session, *, keys: KeyRing, policy: IssuingPolicy, now: int
) -> list[str]:
    """Sign the trust list if it is behind, in the caller's transaction.

    Args:
        session: Writes; holds the trust list's state until the transaction ends.
        keys: Signs.
        policy: Addresses.
        now: Seconds.

    Returns:
        The paths that were published; none if another worker has just done it.

    Raises:
        NoActiveKey: The trust list has no key that may sign.
        UnusableKey: Its key cannot be used.
    """
    publications.trust_list_state(session, now=now)  # held from here on
    if not publications.is_trust_list_due(session, path=TRUST_LIST_PATH, before=now - DAY):
        return []
    trusted = _institutions(session, policy)
    body = _render(session, trusted, keys=keys, policy=policy, now=now)
    put_document(
        session,
        path=TRUST_LIST_PATH,
        media_type=TRUST_LIST_MEDIA_TYPE,
        body=body,
        max_age=METADATA_MAX_AGE,
        now=now,
    )
    changed = [TRUST_LIST_PATH]
    for path, media_type, document in _documents(trusted, policy):
        if put_if_changed(
            session,
            path=path,
            media_type=media_type,
            body=document,
            max_age=METADATA_MAX_AGE,
            now=now,
        ):
            changed.append(path)
    return changed


def anchors_of(keys: list[SigningKey], now: int) -> list[SigningKey]:
    """Keys that may sign the next trust lists: those in use and those announced."""
    return [key for key in keys if key.state == KeyState.ACTIVE and key.valid_until > now]


def _render(
    session: Session,
    trusted: list[TrustedInstitution],
    *,
    keys: KeyRing,
    policy: IssuingPolicy,
    now: int,
) -> bytes:
    signer = signer_for(session, keys, None, now=now)
    anchors = anchors_of(list(stored_keys.of_institution(session, None)), now)
    trust = TrustList(
        sequence=publications.take_trust_list_sequence(session, now=now),
        issued_at=now,
        expires_at=now + int(TRUST_LIST_LIFETIME.total_seconds()),
        institutions={institution.pic: institution for institution in trusted},
        anchors=tuple(parse_public_jwk(anchor.public_jwk) for anchor in anchors),
        type_integrity={policy.vct: type_integrity(policy.vct)},
        token="",
        bundle=policy.issuer_url + BUNDLE_PATH,
    )
    payload = trust_list_payload(trust)
    return sign_document(payload, typ=TRUST_LIST_TYP, signer=signer).encode("ascii")


def _institutions(session: Session, policy: IssuingPolicy) -> list[TrustedInstitution]:
    rows = stored_keys.of_institutions(session)
    keys = {pic: list(of_pic) for pic, of_pic in groupby(rows, key=lambda key: key.pic)}
    lists = {pic: list(of_pic) for pic, of_pic in groupby(status.every(session), lambda r: r.pic)}
    processors = {row.vat: row.name for row in institutions.processors(session)}
    return [
        trusted_institution(
            institution,
            keys=keys.get(institution.pic, []),
            lists=lists.get(institution.pic, []),
            public_url=policy.issuer_url,
            processor=processors.get(institution.processor_vat or ""),
        )
        for institution in institutions.every(session)
    ]


def _documents(
    trusted: list[TrustedInstitution], policy: IssuingPolicy
) -> Iterator[tuple[str, str, bytes]]:
    yield TYPE_METADATA_PATH, TYPE_METADATA_MEDIA_TYPE, type_metadata_bytes(policy.vct)
    lists = [
        status_list_uri(policy.issuer_url, institution.pic, number)
        for institution in trusted
        for number in sorted(institution.status_lists)
    ]
    yield AGGREGATION_PATH, JSON_MEDIA_TYPE, dump_json({"status_lists": lists})
    for institution in trusted:
        jwks = _jwks_of(institution)
        issuer = issuer_of(policy.issuer_url, institution.pic)
        yield jwks_path(institution.pic), JSON_MEDIA_TYPE, dump_json(jwks)
        metadata = {"issuer": issuer, "jwks": jwks}
        yield issuer_metadata_path(institution.pic), JSON_MEDIA_TYPE, dump_json(metadata)


def _jwks_of(institution: TrustedInstitution) -> Json:
    """Keys whose signatures are good: a compromised key has no place here."""
    good = [key for key in institution.keys if key.state is not KeyState.COMPROMISED]
    use = {"use": "sig", "alg": ALGORITHM}
    return {"keys": [{**public_jwk_of(key.public_key), "kid": key.kid, **use} for key in good]}
