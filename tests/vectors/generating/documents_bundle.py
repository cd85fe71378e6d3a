"""Vectors of the offline bundle, and the bundles that the other vectors share."""

import base64
import gzip
from collections.abc import Iterator
from typing import Any

from generating.documents_delta import changed_bundle
from generating.encodings import compact_json, gzip_bomb, gzip_stored
from generating.vector import DAY, HOUR, NOW, YEAR, Vector
from generating.world import (
    PIC_A,
    PIC_B,
    RETIRED_UNTIL,
    VCT,
    bundle,
    bundle_body,
    institution_a,
    institution_b,
    key_entry,
    list_uri,
    status_list,
    trust_list,
)

URI = list_uri(PIC_A, 1)
SUSPENDED = [2] * 64
LATER = {"status_lists": [status_list(1, iat=NOW - 60, values=SUSPENDED)]}


def shared_bundles() -> dict[str, bytes]:
    return {
        "usual.escbundle": bundle(),
        "later.escbundle": bundle(**LATER),
        "changed.escbundle": changed_bundle(),
    }


def vectors() -> Iterator[Vector]:
    yield from _valid()
    yield from _files()
    yield from _bodies()
    yield from _left_out()
    yield from _previous()


def packed(name: str, expect: str, data: bytes, **more: Any) -> Vector:
    comment, result = more.pop("comment", ""), more.pop("result", None)
    headers = {"now": str(NOW)} | {key: str(value) for key, value in more.items()}
    payload = base64.b64encode(data).decode()
    return Vector("bundle", name, "bundle", expect, payload, result, comment, headers)


def _says(
    lists: dict[str, int] | None = None, problems: int = 0, **changes: Any
) -> dict[str, Any]:
    found = {URI: NOW - HOUR} if lists is None else lists
    answer = {"sequence": 10, "status_lists": found, "types": [VCT], "problems": problems}
    return {**answer, **changes}


def _one(**changes: Any) -> bytes:
    """A bundle with one status list, changed."""
    return bundle(**{"status_lists": [status_list(1)], **changes})


def _valid() -> Iterator[Vector]:
    yield packed("valid", "valid", _one(), result=_says())
    yield packed("valid_without_status_lists", "valid", _one(status_lists=[]), result=_says({}))
    body = compact_json(bundle_body(status_lists=[status_list(1)]))
    spaced = gzip_stored(b" \n" + body + b"\n")
    yield packed("valid_white_space_in_json", "valid", spaced, result=_says())
    named = gzip_stored(body)
    with_name = named[:3] + b"\x08" + named[4:10] + b"usual.json\x00" + named[10:]
    yield packed("valid_gzip_with_a_file_name", "valid", with_name, result=_says())
    data = _one(future_member=1)
    yield packed("valid_with_unknown_members", "valid", data, result=_says())


def _files() -> Iterator[Vector]:
    good, bad = _one(), "MalformedDocument"
    body = compact_json(bundle_body(status_lists=[status_list(1)]))
    yield packed("empty", bad, b"")
    yield packed("not_gzip", bad, body)
    yield packed("zlib_instead_of_gzip", bad, b"\x78\x01" + good[10:-8] + good[-8:-4][::-1])
    yield packed("cut_off_by_a_byte", bad, good[:-1])
    yield packed("cut_off_in_the_middle", bad, good[: len(good) // 2])
    yield packed("cut_off_after_the_header", bad, good[:10])
    yield packed("trailing_byte", bad, good + b"\x00")
    yield packed("two_members", bad, good + good)
    yield packed("wrong_checksum", bad, good[:-8] + bytes([good[-8] ^ 1]) + good[-7:])
    yield packed("wrong_size", bad, good[:-4] + bytes([good[-4] ^ 1]) + good[-3:])
    yield packed("bit_changed", bad, good[:40] + bytes([good[40] ^ 1]) + good[41:])
    yield packed("bomb", "DocumentTooLarge", gzip_bomb(260_112))
    zeros = gzip_bomb(10)
    assert gzip.decompress(zeros) == bytes(2_581)
    yield packed("zeros_instead_of_json", bad, zeros)


def _bodies() -> Iterator[Vector]:
    bad = "MalformedDocument"
    text = compact_json(bundle_body(status_lists=[]))
    yield packed("name_twice", bad, gzip_stored(text[:-1] + b',"version":1}'))
    yield packed("not_utf8", bad, gzip_stored(text[:-1] + b',"x":"\xff"}'))
    yield packed("array", bad, gzip_stored(b"[" + text + b"]"))
    for name, changes in {
        "version_2": {"version": 2},
        "version_true": {"version": True},
        "version_missing": {"version": None},
        "trust_list_missing": {"trust_list": None},
        "trust_list_object": {"trust_list": {}},
        "trust_list_not_a_jws": {"trust_list": "abc"},
        "status_lists_object": {"status_lists": {}},
        "status_list_number": {"status_lists": [1]},
        "type_metadata_array": {"type_metadata": []},
        "type_metadata_object": {"type_metadata": {VCT: {}}},
    }.items():
        yield packed(name, bad, _one(**changes))
    for name, expect, token, more in (
        ("trust_list_of_a_stranger", "DocumentUntrusted", trust_list(label="stranger"), {}),
        ("trust_list_expired", "DocumentExpired", trust_list(exp=NOW - 60), {}),
        ("trust_list_from_the_future", "DocumentFromFuture", trust_list(iat=NOW + 61), {}),
        ("trust_list_rolled_back", "DocumentRolledBack", trust_list(), {"least_sequence": 11}),
    ):
        yield packed(name, expect, _one(trust_list=token), **more)
    many = _one(status_lists=[""] * 20_001)
    yield packed("more_than_20000_status_lists", "DocumentTooLarge", many)


def _left_out() -> Iterator[Vector]:
    nothing = _says({}, problems=1)
    for name, token in {
        "of_an_unknown_address": status_list(99),
        "by_another_institution": status_list(1, label="b-active"),
        "by_a_stranger": status_list(1, label="stranger"),
        "by_a_compromised_key": status_list(1, label="a-compromised"),
        "by_a_retired_key": status_list(1, label="a-retired"),
        "from_the_future": status_list(1, iat=NOW + 61),
        "before_the_key": status_list(1, iat=NOW - YEAR - 61),
        "changed_after_signing": _cut(status_list(1)),
        "not_a_jws": "abc",
        "empty": "",
    }.items():
        data = _one(status_lists=[token])
        yield packed(f"valid_but_status_list_{name}", "valid", data, result=nothing)
    old = status_list(1, label="a-retired", iat=RETIRED_UNTIL - DAY)
    result = _says({URI: RETIRED_UNTIL - DAY})
    yield packed(
        "valid_status_list_by_a_retired_key_in_its_time",
        "valid",
        _one(status_lists=[old]),
        result=result,
    )
    both = [status_list(1, iat=NOW - 60), status_list(1)]
    result = _says({URI: NOW - 60})
    yield packed("valid_of_two_lists_the_newer", "valid", _one(status_lists=both), result=result)
    other = _one(type_metadata={VCT: '{"vct":"changed"}'})
    yield packed(
        "valid_but_type_metadata_changed", "valid", other, result=_says(problems=1, types=[])
    )
    unknown = _one(type_metadata={"https://esc.example/types/other": "{}"})
    yield packed("valid_but_type_unknown", "valid", unknown, result=_says(problems=1, types=[]))


def _cut(token: str) -> str:
    """The token with another signature: that of the same list a second later."""
    other = status_list(1, iat=NOW - HOUR + 1)
    return f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}"


def _previous() -> Iterator[Vector]:
    """Taken in where `bundle` was known before."""
    later = {URI: NOW - 60}
    text = "an older list does not replace the later one known"
    data, result = _one(), _says(later)
    yield packed(
        "valid_older_status_list_kept_out",
        "valid",
        data,
        bundle="later.escbundle",
        result=result,
        comment=text,
    )
    data = _one(status_lists=[])
    yield packed(
        "valid_known_status_list_kept", "valid", data, bundle="later.escbundle", result=result
    )
    newer = _one(status_lists=[status_list(1, iat=NOW - 30)])
    result = _says({URI: NOW - 30})
    yield packed(
        "valid_newer_status_list_taken", "valid", newer, bundle="later.escbundle", result=result
    )
    for name, institution in {
        "address_is_gone": institution_a(status_lists=[]),
        "key_is_gone": institution_a(keys=[key_entry("a-retired")]),
        "key_turned_out_stolen": institution_a(
            keys=[key_entry("a-active", "compromised", compromised_since=NOW - DAY)]
        ),
    }.items():
        trust = trust_list(sequence=11, institutions=[institution, institution_b()])
        data = _one(status_lists=[], trust_list=trust)
        result = _says({}, sequence=11)
        name = f"valid_known_status_list_dropped_when_its_{name}"
        yield packed(name, "valid", data, bundle="later.escbundle", result=result)
    moved = [{"number": 1, "uri": list_uri(PIC_B, 1)}, {"number": 2, "uri": URI}]
    trust = trust_list(sequence=11, institutions=[institution_b(status_lists=moved)])
    data = _one(status_lists=[], trust_list=trust)
    name = "valid_known_status_list_dropped_when_its_address_is_anothers"
    yield packed(name, "valid", data, bundle="later.escbundle", result=_says({}, sequence=11))
