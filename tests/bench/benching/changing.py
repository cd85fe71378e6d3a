"""A delta between status lists: what it takes to fetch, and to bring the list up to date."""

import hashlib
import random
from collections.abc import Iterator
from typing import Any

from benching.checking import raw_verifications
from benching.measuring import Effort, Figure, Kind, best_of
from benching.world import DAY, NOW, low_s_signature, new_key

from verifier.identifiers import Pic
from verifier.jws import assemble_jws, jws_signing_input, public_jwk_of, thumbprint_of
from verifier.status import (
    STATUS_LIST_TYP,
    StatusListToken,
    pack_entries,
    parse_status_list_token,
    status_list_payload,
)
from verifier.status_delta import (
    STATUS_DELTA_TYP,
    amend,
    parse_status_delta,
    status_delta_payload,
)
from verifier.status_list_trust import verify_signed_status
from verifier.trust_document import KeyState, TrustedInstitution, TrustedKey

ENTRIES, CHANGES = 10_000_000, 1_000
TOKEN_BYTES = 5_000
URI = "https://esc.example/status-lists/999900001/1"


def measure(effort: Effort) -> Iterator[Figure]:
    """A thousand changes anywhere in ten million entries."""
    size, chance, key = effort.of(ENTRIES, 100_000), random.Random(5), new_key()
    kid = thumbprint_of(public_jwk_of(key.public_key()))

    def signed(typ: str, payload: dict[str, Any]) -> str:
        message = jws_signing_input({"typ": typ, "alg": "ES256", "kid": kid}, payload)
        return assemble_jws(message, low_s_signature(key, message))

    times = {"uri": URI, "expires_at": NOW + 7 * DAY, "ttl": 43_200}
    marked = dict.fromkeys(chance.sample(range(size), size // 100), 1)
    before = status_list_payload(
        pack_entries(marked, width=2, size=size), issued_at=NOW - 600, aggregation_uri="x", **times
    )
    held = parse_status_list_token(signed(STATUS_LIST_TYP, before))
    changes = dict.fromkeys(chance.sample(range(size), CHANGES), 1)
    entries = pack_entries(marked | changes, width=2, size=size)
    payload = status_delta_payload(entries, changes, since=NOW - DAY, issued_at=NOW, **times)
    text = signed(STATUS_DELTA_TYP, payload)
    owner = _institution(TrustedKey(kid, key.public_key(), KeyState.ACTIVE, 0, NOW + DAY))

    def take() -> StatusListToken:
        delta = parse_status_delta(text)
        verify_signed_status(delta, owner, NOW)
        return amend(held, delta)

    assert take().entries == entries

    verify = raw_verifications(1)

    def floor() -> None:
        verify()
        hashlib.sha256(bytes(bytearray(held.entries.data))).digest()

    what = f"delta of {CHANGES:,} changes in a status list of {size:,} entries"
    note = f"the whole list, packed: {len(signed(STATUS_LIST_TYP, before)):,} bytes"
    yield Figure(
        f"{what}: to fetch", "5 kB", TOKEN_BYTES, ours=len(text), kind=Kind.SIZE, note=note
    )
    best, ours = best_of(effort.of(8, 1), floor, take)
    names = "one ES256 verification + a copy of the list and its SHA-256"
    yield Figure("… verify and apply it", names, 1.5, best, ours)


def _institution(key: TrustedKey) -> TrustedInstitution:
    return TrustedInstitution(
        pic=Pic("999900001"),
        name="Daugava University",
        country="LV",
        schac_home_organization="daugava.example",
        issuer="https://esc.example/999900001",
        esi_scopes=frozenset({"lv"}),
        keys=(key,),
        status_lists={1: URI},
    )
