"""Signing a document as a compact JWS, and putting what was rendered where servers find it."""

import hashlib

from sqlmodel import Session

from issuer.keys import Signer
from issuer.store import publications
from verifier.jws import ALGORITHM, Json, assemble_jws, jws_signing_input

JSON_MEDIA_TYPE = "application/json"
METADATA_MAX_AGE = 300  # seconds: a new key is seen by everyone who asks within five minutes


def sign_document(payload: Json, *, typ: str, signer: Signer) -> str:
    """A compact JWS whose header names type, algorithm and key."""
    header = {"typ": typ, "alg": ALGORITHM, "kid": signer.kid}
    message = jws_signing_input(header, payload)
    return assemble_jws(message, signer.sign(message))


def etag_of(body: bytes) -> str:
    """A strong ETag: the same bytes have the same, other bytes another."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def put_document(
    session: Session, *, path: str, media_type: str, body: bytes, max_age: int, now: int
) -> None:
    """Publish a document under its path in the caller's transaction."""
    publications.put(
        session,
        path=path,
        media_type=media_type,
        body=body,
        etag=etag_of(body),
        max_age=max_age,
        now=now,
    )


def put_if_changed(
    session: Session, *, path: str, media_type: str, body: bytes, max_age: int, now: int
) -> bool:
    """Publish a document unless these very bytes are there already; whether it was needed."""
    present = publications.by_path(session, path)
    if present is not None and present.body == body:
        return False
    put_document(session, path=path, media_type=media_type, body=body, max_age=max_age, now=now)
    return True
