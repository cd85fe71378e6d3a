"""Which key signs now, and what happens to keys: made, retired, compromised, rotated.

A key is active from `valid_from` until `valid_until`; of several, the one that began last signs.
An institution's key that is retired or compromised is out of use with the commit: each issuing
asks the database. A trust key rotates by announcement: from its making on it is among the anchors
that the trust list names, and it signs only after every verifier had time to fetch such a list.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.errors import InstitutionNotFound, KeyStateConflict, NoActiveKey, UnusableKey
from issuer.keys import KeyRing, Signer, create_key_file
from issuer.store import audit, institutions, publications
from issuer.store import keys as stored_keys
from issuer.store.keys import KeyRow
from issuer.tables import SigningKey
from verifier.trust_document import KeyState

TRUST_LIST_LIFETIME = timedelta(days=30)


def may_sign(key: SigningKey | KeyRow, now: int) -> bool:
    """Whether the key is in use at this moment."""
    return key.state == KeyState.ACTIVE and key.valid_from <= now < key.valid_until


def signing_key(session: Session, pic: str | None, *, now: int) -> SigningKey:
    """The key that signs for an institution, or (None) for the trust list.

    Raises:
        NoActiveKey: There is none.
    """
    for key in stored_keys.of_institution(session, pic):
        if may_sign(key, now):
            return key
    raise NoActiveKey(f"no key may sign for {pic or 'the trust list'} now")


def signer_for(session: Session, keys: KeyRing, pic: str | None, *, now: int) -> Signer:
    """The signer of `signing_key`, whose public half is what the database says.

    Raises:
        NoActiveKey: No key may sign.
        UnusableKey: Its private half cannot be used here, or is another key's.
    """
    return _signer_of(signing_key(session, pic, now=now), keys)


def signer_among(rows: Sequence[KeyRow], keys: KeyRing, *, now: int) -> Signer:
    """The signer of the newest of an institution's keys that may sign.

    Args:
        rows: All of its keys, the newest first, read in this transaction.
        keys: Signs.
        now: Seconds.

    Raises:
        NoActiveKey: No key may sign.
        UnusableKey: Its private half cannot be used here, or is another key's.
    """
    for row in rows:
        if may_sign(row, now):
            return _signer_of(row, keys)
    raise NoActiveKey("no key of the institution may sign now")


def _signer_of(key: SigningKey | KeyRow, keys: KeyRing) -> Signer:
    signer = keys.signer(key.kid)
    if signer.public_jwk != key.public_jwk:
        raise UnusableKey(f"key {key.kid} is not the one that was published")
    return signer


def check_keys(session: Session, keys: KeyRing, *, now: int) -> int:
    """Open every key that may sign now, before anything is served; returns how many there are.

    Raises:
        NoActiveKey: The trust list has none.
        UnusableKey: One cannot be used here, or is another than was published.
    """
    signer_for(session, keys, None, now=now)
    checked = 1
    for key in stored_keys.of_institutions(session):
        if may_sign(key, now):
            _signer_of(key, keys)
            checked += 1
    return checked


def create_key(
    session: Session,
    *,
    pic: str | None,
    folder: Path,
    passphrase: bytes,
    lifetime: timedelta,
    now: datetime,
    actor: str,
) -> SigningKey:
    """Make a key that signs from now on, in place of an older one, which stays good.

    Args:
        session: Writes.
        pic: The institution's; None for the first key of the trust list.
        folder: Of key files.
        passphrase: Of key files.
        lifetime: How long it may sign.
        now: The present.
        actor: Who asks, for the audit.

    Raises:
        InstitutionNotFound: No such institution.
        UnusableKey: The file cannot be written.
    """
    if pic is not None and institutions.lock(session, pic) is None:
        raise InstitutionNotFound("no such institution in this deployment")
    return _create(session, pic, folder, passphrase, lifetime, begins=now, now=now, actor=actor)


def rotate_trust_key(
    session: Session,
    *,
    folder: Path,
    passphrase: bytes,
    lifetime: timedelta,
    announced_for: timedelta,
    now: datetime,
    actor: str,
) -> SigningKey:
    """Announce a new key of the trust list; the present one signs until the new one begins.

    Args:
        session: Writes.
        folder: Of key files.
        passphrase: Of key files.
        lifetime: How long the new key may sign.
        announced_for: How long verifiers have to learn of it; a trust list's lifetime, so that
            who can still use an old list knows the new key.
        now: The present.
        actor: Who asks, for the audit.

    Raises:
        NoActiveKey: There is no key that could announce it.
        UnusableKey: The file cannot be written.
    """
    present = signing_key(session, None, now=seconds_of(now))
    begins = now + announced_for
    key = _create(session, None, folder, passphrase, lifetime, begins=begins, now=now, actor=actor)
    present.valid_until = min(present.valid_until, key.valid_from)
    session.add(present)
    session.flush()
    return key


def retire_key(session: Session, kid: str, *, now: datetime, actor: str) -> SigningKey:
    """Let a key sign no more; what it signed stays good.

    Raises:
        KeyStateConflict: No such key, or it is not active.
        NoActiveKey: Nobody could sign in its place.
    """
    key = _active(session, kid)
    key.state = KeyState.RETIRED
    return _changed(session, key, action="key.retire", now=now, actor=actor)


def compromise_key(
    session: Session, kid: str, *, since: datetime | None, now: datetime, actor: str
) -> SigningKey:
    """Declare that a key was in other hands: what it signed since then is refused everywhere.

    Status lists are signed anew, and phones told to fetch their credentials anew, in the same
    transaction.

    Args:
        session: Writes.
        kid: The key's id.
        since: The last moment at which it was certainly in good hands; None when that is
            unknown: then nothing that it ever signed is accepted.
        now: The present.
        actor: Who asks, for the audit.

    Raises:
        KeyStateConflict: No such key, a key of the trust list, or compromised already.
        NoActiveKey: Nobody could sign in its place.
    """
    key = stored_keys.by_kid(session, kid)
    if key is None or key.pic is None or key.state == KeyState.COMPROMISED:
        raise KeyStateConflict("no such key of an institution that is not compromised already")
    key.state = KeyState.COMPROMISED
    key.compromised_since = key.valid_from if since is None else seconds_of(since)
    stored_keys.renew_what_it_signed(session, kid, now=seconds_of(now))
    return _changed(session, key, action="key.compromise", now=now, actor=actor)


def _create(
    session: Session,
    pic: str | None,
    folder: Path,
    passphrase: bytes,
    lifetime: timedelta,
    *,
    begins: datetime,
    now: datetime,
    actor: str,
) -> SigningKey:
    signer = create_key_file(folder, passphrase)
    key = SigningKey(
        kid=signer.kid,
        pic=pic,
        public_jwk=signer.public_jwk,
        state=KeyState.ACTIVE,
        valid_from=seconds_of(begins),
        valid_until=seconds_of(begins + lifetime),
    )
    stored_keys.add(session, key)
    _record(session, key, action="key.create", now=now, actor=actor)
    return key


def _active(session: Session, kid: str) -> SigningKey:
    key = stored_keys.by_kid(session, kid)
    if key is None or key.state != KeyState.ACTIVE:
        raise KeyStateConflict("no such key that is active")
    return key


def _changed(
    session: Session, key: SigningKey, *, action: str, now: datetime, actor: str
) -> SigningKey:
    session.add(key)
    session.flush()
    signing_key(session, key.pic, now=seconds_of(now))
    if key.pic is not None:
        stored_keys.sign_status_lists_anew(session, key.pic, now=seconds_of(now))
    _record(session, key, action=action, now=now, actor=actor)
    return key


def _record(session: Session, key: SigningKey, *, action: str, now: datetime, actor: str) -> None:
    at = seconds_of(now)
    publications.touch_trust_list(session, now=at)
    audit.add(session, now=at, pic=key.pic, actor=actor, action=action, subject=key.kid)
