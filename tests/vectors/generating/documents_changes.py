"""Vectors of the document of changes, and of bundles with deltas (docs/status-delta.md, 3)."""

import base64
from collections.abc import Iterator
from typing import Any

from generating.documents_bundle import packed
from generating.documents_delta import AT, FIRST, delta, later_delta
from generating.encodings import compact_json, gzip_bomb, gzip_stored
from generating.vector import DAY, HOUR, NOW, Vector
from generating.world import (
    COMPROMISED_SINCE,
    FRESH,
    NEARLY_FUTURE,
    PIC_A,
    PIC_B,
    VCT,
    bundle,
    institution_a,
    institution_b,
    key_entry,
    list_uri,
    status_list,
    trust_list,
)

OTHER = list_uri(PIC_B, 1)


def vectors() -> Iterator[Vector]:
    yield from _taken()
    yield from _not_enough()
    yield from _malformed()
    yield from _bundles()
    yield from _previous()


def _body(*deltas: str, **changes: Any) -> dict[str, Any]:
    body = {"version": 1, "sequence": 10, "since": NOW - DAY, "status_deltas": list(deltas)}
    return {**body, **changes}


def _document(*deltas: str, **changes: Any) -> bytes:
    body = {k: v for k, v in _body(*deltas, **changes).items() if v is not None}
    return gzip_stored(compact_json(body))


def _vector(name: str, expect: str, data: bytes, **more: Any) -> Vector:
    result, known = more.pop("result", None), more.pop("bundle", "usual.escbundle")
    headers = {"now": str(NOW), "bundle": known}
    payload = base64.b64encode(data).decode()
    return Vector("changes", name, "changes", expect, payload, result, "", headers)


def _says(*, enough: bool = True, **taken: int) -> dict[str, Any]:
    names = {"first": FIRST, "other": OTHER}
    return {"taken": {names[name]: at for name, at in taken.items()}, "enough": enough}


def _of_b(**claims: Any) -> str:
    return delta(**{"label": "b-active", "sub": OTHER, **claims})


def _taken() -> Iterator[Vector]:
    for name, data, result in (
        ("valid", _document(delta(), _of_b()), _says(first=AT, other=AT)),
        ("valid_of_nothing", _document(), _says()),
        ("valid_unknown_member", _document(delta(), future=1), _says(first=AT)),
        ("valid_older_sequence", _document(sequence=9), _says()),
        ("valid_older_passed_over", _document(delta(iat=NOW - HOUR - 1)), _says()),
        ("valid_as_the_list", _document(delta({}, iat=NOW - HOUR)), _says()),
        ("valid_later_of_two", _document(delta(), delta(iat=AT - 1)), _says(first=AT)),
        ("valid_later_of_two_last", _document(delta(iat=AT - 1), delta()), _says(first=AT)),
        ("valid_since_all_that_is_held", _document(since=NOW + 60), _says()),
    ):
        yield _vector(name, "valid", data, result=result)
    data = _document(later_delta())
    yield _vector("valid_known_already", "valid", data, result=_says(), bundle="changed.escbundle")


def _not_enough() -> Iterator[Vector]:
    for name, data in {
        "newer_trust_list": _document(delta(), sequence=11),
        "since_after_all_that_is_held": _document(delta(), since=NOW + 61),
        "delta_of_a_stranger": _document(delta(), delta(label="stranger")),
        "delta_of_another_institution": _document(delta(), _of_b(label="a-active")),
        "delta_that_is_none": _document(delta(), "abc"),
        "delta_too_large": _document(delta(), "." * 262_145),
        "delta_of_a_compromised_key": _document(delta(), delta(label="a-compromised")),
        "delta_of_a_list_not_held": _document(delta(), delta(sub=list_uri(PIC_A, 8))),
        "delta_from_the_future": _document(delta(), _of_b(iat=NOW + 61)),
    }.items():
        result = _says(first=AT, enough=False)
        yield _vector(f"valid_but_{name}", "valid", data, result=result)
    data, result = _document(delta(since=NOW - 60)), _says(enough=False)
    yield _vector("valid_but_delta_after_the_list", "valid", data, result=result)


def _of_b_by_a() -> str:
    return delta(sub=OTHER)


def _malformed() -> Iterator[Vector]:
    bad, good = "MalformedDocument", _document(delta())
    text = compact_json(_body(delta()))
    for name, data in {
        "empty": b"",
        "not_gzip": text,
        "cut_off_by_a_byte": good[:-1],
        "cut_off_in_the_middle": good[: len(good) // 2],
        "trailing_byte": good + b"\x00",
        "two_members": good + good,
        "bit_changed": good[:40] + bytes([good[40] ^ 1]) + good[41:],
        "array": gzip_stored(b"[" + text + b"]"),
        "name_twice": gzip_stored(text[:-1] + b',"version":1}'),
        "a_bundle": bundle(),
    }.items():
        yield _vector(name, bad, data)
    for name in ("version", "sequence", "since", "status_deltas"):
        yield _vector(f"without_{name}", bad, _document(**{name: None}))
    for name, changes in {
        "version_2": {"version": 2},
        "version_true": {"version": True},
        "sequence_0": {"sequence": 0},
        "sequence_true": {"sequence": True},
        "sequence_text": {"sequence": "10"},
        "sequence_with_fraction": {"sequence": 10.0},
        "since_text": {"since": "0"},
        "since_negative": {"since": -1},
        "since_with_fraction": {"since": 0.5},
        "status_deltas_object": {"status_deltas": {}},
        "status_deltas_number": {"status_deltas": [1]},
    }.items():
        yield _vector(name, bad, _document(**changes))
    large = "DocumentTooLarge"
    yield _vector("bomb", large, gzip_bomb(65_029))
    yield _vector("more_than_20000_deltas", large, _document(*[""] * 20_001))


def _bundle_says(iat: int = AT, problems: int = 0, **changes: Any) -> dict[str, Any]:
    lists = {FIRST: iat}
    answer = {"sequence": 10, "status_lists": lists, "types": [VCT], "problems": problems}
    return {**answer, **changes}


def _with(*deltas: Any, **changes: Any) -> bytes:
    lists = {"status_lists": [status_list(FRESH)]}
    return bundle(**{**lists, "status_deltas": list(deltas), **changes})


def _bundles() -> Iterator[Vector]:
    """In kind `bundle`: what becomes of deltas that a bundle carries."""
    before, good = NOW - HOUR, delta()
    for name, data, result in (
        ("valid_with_a_delta", _with(good), _bundle_says()),
        ("valid_without_deltas", _with(), _bundle_says(before)),
        ("valid_with_an_older_delta", _with(delta(iat=before - 1)), _bundle_says(before)),
        ("valid_with_two_deltas", _with(good, delta(iat=AT - 9)), _bundle_says()),
        ("valid_with_two_deltas_in_order", _with(delta(iat=AT - 9), good), _bundle_says()),
        ("valid_but_delta_of_a_stranger", _with(delta(label="stranger")), None),
        ("valid_but_delta_of_another_institution", _with(_of_b_by_a()), None),
        ("valid_but_delta_by_another_institution", _with(delta(label="b-active")), None),
        ("valid_but_delta_of_a_list_not_there", _with(delta(sub=list_uri(PIC_A, 2))), None),
        ("valid_but_delta_after_the_list", _with(delta(since=before + 1)), None),
        ("valid_but_delta_with_another_digest", _with(delta(sha256="A" * 43)), None),
        ("valid_but_delta_from_the_future", _with(delta(iat=NOW + 61)), None),
        ("valid_but_delta_of_a_compromised_key", _with(delta(label="a-compromised")), None),
        ("valid_but_delta_that_is_none", _with("abc"), None),
    ):
        yield packed(name, "valid", data, result=result or _bundle_says(before, 1))
    for name, deltas in {"object": {}, "text": "abc", "number": [1], "null": None}.items():
        data = _with(status_deltas=deltas)
        yield packed(f"status_deltas_{name}", "MalformedDocument", data)
    many = _with(status_deltas=[""] * 20_001)
    yield packed("more_than_20000_deltas", "DocumentTooLarge", many)


def _previous() -> Iterator[Vector]:
    """In kind `bundle`: what becomes of a delta that was known before."""
    known, at = {"bundle": "changed.escbundle"}, NOW - 300
    lists = {list_uri(PIC_A, n): NOW - HOUR for n in (1, 3, 6, 7, 13, 14, 15)}
    lists |= {list_uri(PIC_A, 2): NOW - DAY, list_uri(PIC_A, 4): NOW - 7 * DAY}
    lists |= {list_uri(PIC_A, 5): NOW - 7 * DAY - 1, list_uri(PIC_A, NEARLY_FUTURE): NOW + 60}
    lists[OTHER] = NOW - HOUR

    def says(iat: int, sequence: int = 10) -> dict[str, Any]:
        return _bundle_says(status_lists={**lists, FIRST: iat}, sequence=sequence)

    for name, tokens, deltas, iat in (
        ("valid_known_delta_kept", [], [], at),
        ("valid_known_delta_kept_over_an_older_list", [status_list(FRESH, iat=at - 1)], [], at),
        ("valid_known_delta_kept_over_an_older_delta", [], [delta({}, iat=at - 1)], at),
        ("valid_known_delta_gives_way_to_a_newer_list", [status_list(FRESH, iat=AT)], [], AT),
        ("valid_known_delta_gives_way_to_a_newer_delta", [], [delta()], AT),
    ):
        data = _with(*deltas, status_lists=tokens)
        yield packed(name, "valid", data, result=says(iat), **known)
    since = at
    stolen = key_entry("a-active", "compromised", compromised_since=since)
    keys = [stolen, key_entry("a-compromised", "compromised", compromised_since=COMPROMISED_SINCE)]
    trust = trust_list(sequence=11, institutions=[institution_a(keys=keys), institution_b()])
    data = _with(status_lists=[], trust_list=trust)
    name = "valid_known_delta_dropped_when_its_key_turned_out_stolen"
    dropped = {
        uri: iat for uri, iat in says(NOW - HOUR, 11)["status_lists"].items() if iat < since
    }
    result = _bundle_says(status_lists=dropped, sequence=11)
    yield packed(name, "valid", data, result=result, **known)
