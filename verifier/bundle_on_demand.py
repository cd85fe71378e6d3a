"""A bundle that was taken in before, opened again: what it costs is paid where it is used.

A till starts with all of Europe's status lists and looks into those of a few institutions. So of
a list only its form, its signer and its time are checked at once; its signature, and what it
unpacks to, when it is first asked for. Until then it stays packed. A list that fails is as one
that is not there: its cards are refused as `StatusUnknown`.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.bundle import (
    Knowledge,
    parse_body,
    take_type_metadata,
    unpack_bundle,
)
from verifier.errors import CardError
from verifier.jws import verify_jws
from verifier.status import StatusListToken, parse_packed_list, parse_status_list_token
from verifier.status_delta import StatusDelta, amend, parse_status_delta
from verifier.status_list_trust import SignedStatus, addresses_of, find_signer, refuse_future
from verifier.trust import verify_trust_list
from verifier.trust_document import TrustedInstitution

MAX_UNPACKED_BYTES = 8 * 1024 * 1024  # of entries at a time; one list may have more


class _Delta(NamedTuple):
    parsed: StatusDelta
    key: ec.EllipticCurvePublicKey


class _Packed(NamedTuple):
    text: str
    issued_at: int  # with its deltas
    key: ec.EllipticCurvePublicKey
    deltas: tuple[_Delta, ...] = ()  # in the order of their time


class ListsOnDemand(Mapping[str, StatusListToken]):
    """Status lists by address, for any number of threads; each is verified when it is asked for.

    It iterates over all that are there; of these, one whose signature does not fit is missing
    when it is asked for.
    """

    def __init__(self, packed: dict[str, _Packed]) -> None:
        self._packed = packed
        self._used: OrderedDict[str, StatusListToken] = OrderedDict()
        self._used_bytes = 0
        self._lock = threading.Lock()

    def __getitem__(self, uri: str) -> StatusListToken:
        with self._lock:
            token = self._used.get(uri)
            if token is None:
                token = self._open(uri)
                self._make_room()
            self._used.move_to_end(uri)
            return token

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def times(self) -> Iterable[int]:
        """When each was signed, as it says itself."""
        return (packed.issued_at for packed in self._packed.values())

    def _open(self, uri: str) -> StatusListToken:
        packed = self._packed[uri]
        try:
            token = parse_status_list_token(packed.text)
            verify_jws(token.jws, packed.key)
        except CardError as error:
            raise KeyError(uri) from error
        for delta in packed.deltas:
            token = _amended(token, delta)
        self._used[uri] = token
        self._used_bytes += _size_of(token)
        return token

    def _make_room(self) -> None:
        while self._used_bytes > MAX_UNPACKED_BYTES and len(self._used) > 1:
            _, oldest = self._used.popitem(last=False)
            self._used_bytes -= _size_of(oldest)


def open_bundle(
    data: bytes,
    *,
    anchors: tuple[ec.EllipticCurvePublicKey, ...],
    now: int,
    least_sequence: int = 0,
) -> Knowledge:
    """Open a bundle that `verify_bundle` made or took in, as `verify_bundle` does, but later.

    Args:
        data: The file.
        anchors: Keys that may have signed the trust list.
        now: Seconds since 1970, UTC.
        least_sequence: The highest sequence number of a trust list ever accepted.

    Raises:
        MalformedDocument: Not a bundle.
        DocumentTooLarge: It is, or unpacks to, more than the cap.
        DocumentError: As `verify_trust_list`: without a trust list nothing is known.
    """
    body = unpack_bundle(data)
    del data  # a till has little memory; the caller should not hold it either
    tokens, types, deltas = parse_body(body)
    trust = verify_trust_list(
        body["trust_list"], anchors=anchors, now=now, least_sequence=least_sequence
    )
    problems: list[str] = []
    addresses, packed = addresses_of(trust), dict[str, _Packed]()
    for text in tokens:
        try:
            found = parse_packed_list(text)
            key = _signer_of(found, addresses.get(found.uri), now)
        except CardError as error:
            problems.append(f"a status list is left out: {error}")
            continue
        before = packed.get(found.uri)
        if before is None or before.issued_at <= found.issued_at:
            packed[found.uri] = _Packed(text, found.issued_at, key)
    for delta in deltas:
        _take_delta(delta, addresses, packed, problems, now)
    metadata = take_type_metadata(types, trust, problems)
    return Knowledge(trust, ListsOnDemand(packed), metadata, tuple(problems))


def _signer_of(
    signed: SignedStatus, owner: TrustedInstitution | None, now: int
) -> ec.EllipticCurvePublicKey:
    key = find_signer(signed, owner)
    refuse_future(signed, now)
    return key.public_key


def _take_delta(
    text: str,
    addresses: dict[str, TrustedInstitution],
    packed: dict[str, _Packed],
    problems: list[str],
    now: int,
) -> None:
    try:
        delta = parse_status_delta(text)
        key = _signer_of(delta, addresses.get(delta.uri), now)
    except CardError as error:
        problems.append(f"a delta is left out: {error}")
        return
    held = packed.get(delta.uri)
    if held is None:
        problems.append("a delta is left out: its status list is not there")
    elif held.issued_at <= delta.issued_at:
        deltas = (*held.deltas, _Delta(delta, key))
        packed[delta.uri] = held._replace(issued_at=delta.issued_at, deltas=deltas)


def _amended(token: StatusListToken, delta: _Delta) -> StatusListToken:
    """The list as of a delta; one that does not fit leaves it as it was, as of then."""
    try:
        verify_jws(delta.parsed.jws, delta.key)
        return amend(token, delta.parsed)
    except CardError:
        return token


def _size_of(token: StatusListToken) -> int:
    of_base = len(token.base.entries.data) if token.base else 0
    return len(token.entries.data) + of_base
