"""Status lists that are held by address, and newer ones and deltas taken in their place.

The newest stays, whatever comes later: an old list or delta brings no revoked card back.
"""

from collections.abc import Mapping

from verifier.errors import CardError, DocumentRolledBack
from verifier.status import StatusListToken, parse_status_list_token
from verifier.status_list_trust import find_signer, verify_signed_status
from verifier.trust_document import TrustedInstitution


def still_trusted(
    known: Mapping[str, StatusListToken], addresses: dict[str, TrustedInstitution]
) -> dict[str, StatusListToken]:
    """What of the lists known before the new trust list still lets its signer sign."""
    kept: dict[str, StatusListToken] = {}
    for uri, token in known.items():
        base, owner = token.base or token, addresses.get(uri)
        if not _may_speak(base, owner):
            continue
        signed_later = token.delta and token._replace(jws=token.delta)
        kept[uri] = token if signed_later and _may_speak(signed_later, owner) else base
    return kept


def _may_speak(token: StatusListToken, owner: TrustedInstitution | None) -> bool:
    try:
        find_signer(token, owner)
    except CardError:
        return False
    return True


def take_status_list(
    text: str,
    addresses: dict[str, TrustedInstitution],
    known: dict[str, StatusListToken],
    problems: list[str],
    now: int,
) -> None:
    """Take a status list in place of the one held, unless that is newer; else a problem."""
    try:
        token = parse_status_list_token(text)
        verify_signed_status(token, addresses.get(token.uri), now)
    except CardError as error:
        problems.append(f"a status list is left out: {error}")
        return
    before = known.get(token.uri)
    if before is None or before.issued_at <= token.issued_at:
        known[token.uri] = token


def take_status_delta(
    text: str,
    addresses: dict[str, TrustedInstitution],
    known: dict[str, StatusListToken],
    problems: list[str],
    now: int,
) -> None:
    """Take a delta of a list that is held, unless that is newer; else a problem."""
    # Loaded where there is one: a till with whole lists starts without.
    from verifier.status_delta import amend, parse_status_delta  # noqa: PLC0415

    try:
        delta = parse_status_delta(text)
        verify_signed_status(delta, addresses.get(delta.uri), now)
        known[delta.uri] = amend(known.get(delta.uri), delta)
    except DocumentRolledBack:
        return  # the list that came with it, or was known, is newer
    except CardError as error:
        problems.append(f"a delta is left out: {error}")
