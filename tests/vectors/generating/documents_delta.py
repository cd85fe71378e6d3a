"""Vectors of deltas of status lists: every step of docs/status-delta.md, section 2."""

import hashlib
from collections.abc import Iterator
from typing import Any

from generating.encodings import b64url
from generating.vector import DAY, HOUR, NOW, YEAR, Vector
from generating.world import (
    EIGHT_BITS,
    FOUR_BITS,
    FRESH,
    MISSING,
    ONE_BIT,
    PIC_A,
    PIC_B,
    SIZE,
    STALE,
    VALUES,
    bundle,
    list_uri,
    pack,
    signed_jwt,
    status_list,
    status_lists,
)

TYP = "esc-status-delta+jwt"
AT = NOW - 60
FIRST, LONG = list_uri(PIC_A, FRESH), list_uri(PIC_A, STALE)
LONG_SIZE = 40_000
CHANGES = {0: 1, 4: 1, 5: 0, 63: 2}


def changed(values: list[int], changes: dict[int, int]) -> list[int]:
    return [changes.get(index, value) for index, value in enumerate(values)]


def gaps(*numbers: int) -> str:
    return b64url(b"".join(_leb128(number) for number in numbers))


def delta_claims(
    changes: dict[int, int] | None = None,
    values: list[int] | None = None,
    width: int = 2,
    /,
    **claims: Any,
) -> dict[str, Any]:
    """Claims of a delta on a list of these values; None leaves a claim out."""
    changes = CHANGES if changes is None else changes
    after = changed(VALUES if values is None else values, changes)
    usual = {
        "sub": FIRST,
        "iat": AT,
        "exp": NOW + 30 * DAY,
        "ttl": HOUR,
        "since": NOW - DAY,
        "bits": width,
        "changes": _packed(changes),
        "sha256": b64url(hashlib.sha256(pack(after, width)).digest()),
    }
    return {name: claim for name, claim in {**usual, **claims}.items() if claim is not None}


def delta(*args: Any, label: str = "a-active", **claims: Any) -> str:
    return signed_jwt(label, TYP, delta_claims(*args, **claims))


def later_delta() -> str:
    """The delta that `changed.escbundle` holds."""
    return delta(iat=NOW - 300)


def changed_bundle() -> bytes:
    """The usual bundle, with a delta, and a longer list in place of the stale one."""
    lists = status_lists()
    lists[STALE - 1] = status_list(STALE, values=[0] * LONG_SIZE)
    return bundle(status_lists=lists, status_deltas=[later_delta()])


def vectors() -> Iterator[Vector]:
    yield from _valid()
    yield from _forms()
    yield from _indices()
    yield from _signers()
    yield from _bases()


def _vector(name: str, expect: str, payload: str, **more: Any) -> Vector:
    result, known = more.pop("result", None), more.pop("bundle", "usual.escbundle")
    headers = {"now": str(NOW), "bundle": known}
    return Vector("status_delta", name, "status-delta", expect, payload, result, "", headers)


def _says(entries: list[int], **changes: Any) -> dict[str, Any]:
    answer = {"uri": FIRST, "iat": AT, "exp": NOW + 30 * DAY, "ttl": HOUR, "bits": 2}
    marked = {str(index): value for index, value in enumerate(entries) if value}
    return {**answer, "size": len(entries), "entries": marked, **changes}


def _valid() -> Iterator[Vector]:
    after = changed(VALUES, CHANGES)
    yield _vector("valid", "valid", delta(), result=_says(after))
    yield _vector("valid_without_changes", "valid", delta({}), result=_says(VALUES))
    for name, claims, says in (
        ("valid_without_ttl", {"ttl": None}, {"ttl": None}),
        ("valid_signed_with_the_list", {"iat": NOW - HOUR}, {"iat": NOW - HOUR}),
        ("valid_since_the_list", {"since": NOW - HOUR}, {}),
        ("valid_a_minute_ahead", {"iat": NOW + 60}, {"iat": NOW + 60}),
        ("valid_past_its_end", {"exp": NOW - DAY}, {"exp": NOW - DAY}),
        ("valid_unknown_member", {"future": [1]}, {}),
    ):
        yield _vector(name, "valid", delta(**claims), result=_says(after, **says))
    everything = {index: 3 - VALUES[index] for index in range(SIZE)}
    says = _says(changed(VALUES, everything))
    yield _vector("valid_every_entry", "valid", delta(everything), result=says)
    for width, number, values in (
        (1, ONE_BIT, [0, 1] * (SIZE // 2)),
        (4, FOUR_BITS, [*VALUES[:63], 15]),
        (8, EIGHT_BITS, [*VALUES[:63], 255]),
    ):
        changes, uri = {1: 0, 2: (1 << width) - 1, 63: 0}, list_uri(PIC_A, number)
        says = _says(changed(values, changes), uri=uri, bits=width)
        text = delta(changes, values, width, sub=uri)
        yield _vector(f"valid_{width}_bits", "valid", text, result=says)
    changes = {0: 1, 128: 1, 256: 1, 256 + 16_384: 1, 256 + 2 * 16_384 + 1: 2, 39_999: 1}
    says = _says(changed([0] * LONG_SIZE, changes), uri=LONG)
    text = delta(changes, [0] * LONG_SIZE, sub=LONG)
    known = "changed.escbundle"
    yield _vector("valid_long_gaps", "valid", text, result=says, bundle=known)
    changes = {0: 2, 4: 0, 63: 2}
    says = _says(changed(VALUES, changes))
    name = "valid_in_place_of_an_earlier_delta"
    yield _vector(name, "valid", delta(changes), result=says, bundle=known)


def _forms() -> Iterator[Vector]:
    bad, claims = "MalformedDocument", delta_claims()
    yield _vector("empty", bad, "")
    for typ in ("JWT", "statuslist+jwt", "esc-status-delta+JWT"):
        yield _vector(f"typ_{typ.replace('+', '_')}", bad, signed_jwt("a-active", typ, claims))
    yield _vector("alg_none", bad, signed_jwt("a-active", TYP, claims, alg="none"))
    yield _vector("a_status_list", bad, status_list(FRESH))
    yield _vector("cut_off_by_a_letter", bad, delta()[:-1])
    yield _vector("two_parts", bad, delta().rpartition(".")[0])
    for name in ("sub", "iat", "exp", "since", "bits", "changes", "sha256"):
        yield _vector(f"without_{name}", bad, delta(**{name: None}))
    for name, changes in {
        "sub_number": {"sub": 1},
        "iat_text": {"iat": str(AT)},
        "iat_true": {"iat": True},
        "iat_with_fraction": {"iat": float(AT)},
        "iat_beyond_32_bits": {"iat": 1 << 32},
        "exp_negative": {"exp": -1},
        "exp_with_fraction": {"exp": NOW + 0.5},
        "ttl_text": {"ttl": "1h"},
        "since_text": {"since": "0"},
        "since_negative": {"since": -1},
        "since_after_iat": {"since": AT + 1},
        "bits_3": {"bits": 3},
        "bits_text": {"bits": "2"},
        "bits_true": {"bits": True},
        "bits_with_fraction": {"bits": 2.0},
        "changes_array": {"changes": []},
        "changes_text": {"changes": gaps(0)},
        "sha256_number": {"sha256": 1},
        "sha256_empty": {"sha256": ""},
        "sha256_of_31_bytes": {"sha256": b64url(bytes(31))},
        "sha256_of_33_bytes": {"sha256": b64url(bytes(33))},
        "sha256_padding": {"sha256": claims["sha256"] + "="},
        "sha256_hexadecimal": {"sha256": bytes(32).hex()},
    }.items():
        yield _vector(name, bad, delta(**changes))
    nulls = signed_jwt("a-active", TYP, {**claims, "ttl": None})
    yield _vector("ttl_null", bad, nulls)
    yield _vector("more_than_256_kib", "DocumentTooLarge", delta(filler="0" * 200_000))


def _indices() -> Iterator[Vector]:
    """Every other spelling of changes."""
    bad = "MalformedDocument"
    for name, changes in {
        "value_of_3_bits": {"4": gaps(0)},
        "value_with_leading_zero": {"01": gaps(0)},
        "value_with_sign": {"+1": gaps(0)},
        "value_negative": {"-1": gaps(0)},
        "value_with_fraction": {"1.0": gaps(0)},
        "value_with_space": {" 1": gaps(0)},
        "value_empty": {"": gaps(0)},
        "value_arabic_digit": {"\u0661": gaps(0)},
        "value_word": {"revoked": gaps(0)},
        "indices_number": {"1": 0},
        "indices_array": {"1": [0]},
        "indices_null": {"1": None},
        "indices_empty": {"1": ""},
        "indices_padding": {"1": gaps(0) + "=="},
        "indices_unused_bits": {"1": gaps(0)[:-1] + "B"},
        "indices_cut_off": {"1": b64url(b"\x00\x80")},
        "gap_longer_than_needed": {"1": b64url(b"\x80\x00")},
        "gap_much_longer_than_needed": {"1": b64url(b"\x81\x80\x80\x00")},
        "gap_of_33_bits": {"1": b64url(b"\x80\x80\x80\x80\x10")},
        "gap_of_six_bytes": {"1": b64url(b"\x80\x80\x80\x80\x80\x01")},
        "gap_without_end": {"1": b64url(b"\x80" * 100_000 + b"\x01")},
        "entry_under_two_values": {"1": gaps(0, 3), "2": gaps(1, 2)},
    }.items():
        yield _vector(name, bad, delta(changes=changes))


def _signers() -> Iterator[Vector]:
    other, untrusted = list_uri(PIC_B, 1), "DocumentUntrusted"
    yield _vector("of_an_unknown_address", untrusted, delta(sub=list_uri(PIC_A, 99)))
    yield _vector("of_another_institutions_list", untrusted, delta(sub=other))
    yield _vector("by_another_institution", untrusted, delta(label="b-active"))
    yield _vector("by_a_stranger", untrusted, delta(label="stranger"))
    yield _vector("by_the_key_of_the_trust_list", untrusted, delta(label="trust"))
    strange = delta(label="stranger").rpartition(".")[2]
    forged = f"{delta().rpartition('.')[0]}.{strange}"
    yield _vector("signature_of_a_stranger", untrusted, forged)
    earlier = delta(iat=AT - 1).rpartition(".")[2]
    moved = f"{delta().rpartition('.')[0]}.{earlier}"
    yield _vector("signature_of_an_earlier_delta", untrusted, moved)
    yield _vector("by_a_retired_key", "KeyNotValid", delta(label="a-retired"))
    early = delta(iat=NOW - YEAR - 61, since=0)
    yield _vector("before_the_key", "KeyNotValid", early)
    yield _vector("by_a_compromised_key", "KeyCompromised", delta(label="a-compromised"))
    yield _vector("by_a_stolen_key", "KeyCompromised", delta(label="a-stolen"))
    yield _vector("from_the_future", "DocumentFromFuture", delta(iat=NOW + 61))


def _bases() -> Iterator[Vector]:
    unheld, known = "BaseNotHeld", "changed.escbundle"
    yield _vector("list_not_held", unheld, delta(sub=list_uri(PIC_A, MISSING)))
    yield _vector("since_after_the_list", unheld, delta(since=NOW - HOUR + 1))
    name = "since_after_the_list_but_not_after_its_delta"
    yield _vector(name, unheld, delta(since=NOW - HOUR + 1), bundle=known)
    yield _vector("other_width", unheld, delta({0: 1}, [0, 1] * 32, 1))
    yield _vector("index_after_the_list", unheld, delta({64: 1}))
    yield _vector("index_far_after_the_list", unheld, delta(changes={"1": gaps(0xFFFFFFFF, 9)}))
    yield _vector("digest_of_another_list", unheld, delta(CHANGES, changed(VALUES, {1: 0})))
    yield _vector("digest_of_the_list_before", unheld, delta(sha256=delta_claims({})["sha256"]))
    back = "DocumentRolledBack"
    yield _vector("before_the_list", back, delta(iat=NOW - HOUR - 1))
    yield _vector("before_the_last_delta", back, delta({}, iat=NOW - 301), bundle=known)


def _packed(changes: dict[int, int]) -> dict[str, str]:
    packed = {}
    for value in sorted(set(changes.values())):
        last, numbers = -1, []
        for index in sorted(index for index, new in changes.items() if new == value):
            numbers.append(index - last - 1)
            last = index
        packed[str(value)] = gaps(*numbers)
    return packed


def _leb128(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
