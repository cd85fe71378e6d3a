"""Vectors of status list tokens: their form alone, at every width. Who signed is the bundle's."""

from collections.abc import Iterator
from typing import Any

from generating.encodings import b64url, zlib_bomb, zlib_stored
from generating.vector import HOUR, NOW, Vector
from generating.world import VALUES, list_uri, pack, signed_jwt, status_list_claims

URI = list_uri("999800001", 1)
TYP = "statuslist+jwt"


def vectors() -> Iterator[Vector]:
    yield from _valid()
    yield from _forms()
    yield from _packing()


def status(name: str, expect: str, payload: str, result: dict[str, Any] | None = None) -> Vector:
    return Vector("status_list", name, "status-list", expect, payload, result)


def _token(**changes: Any) -> str:
    claims = status_list_claims(URI, **changes)
    return signed_jwt("a-active", TYP, {k: v for k, v in claims.items() if v is not None})


def _says(width: int, values: list[int], **changes: Any) -> dict[str, Any]:
    answer = {"uri": URI, "iat": NOW - HOUR, "exp": NOW + 2_592_000, "ttl": HOUR, "bits": width}
    return {**answer, "entries": values, **changes}


def _valid() -> Iterator[Vector]:
    for width in (1, 2, 4, 8):
        most = (1 << width) - 1
        values = [(7 * i + i // 5) & most for i in range(64)]
        yield status(
            f"valid_{width}_bits",
            "valid",
            _token(width=width, values=values),
            _says(width, values),
        )
    first = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    text = _token(width=1, values=first)
    yield Vector(
        "status_list",
        "valid_example_of_the_draft_1_bit",
        "status-list",
        "valid",
        text,
        _says(1, first),
        "draft-ietf-oauth-status-list, section 4.1: bytes B9 A3",
    )
    second = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    text = _token(width=2, values=second)
    yield Vector(
        "status_list",
        "valid_example_of_the_draft_2_bits",
        "status-list",
        "valid",
        text,
        _says(2, second),
        "draft-ietf-oauth-status-list, section 4.1: bytes C9 44 F9",
    )
    text = _token(exp=None, ttl=None)
    yield status("valid_without_exp_and_ttl", "valid", text, _says(2, VALUES, exp=None, ttl=None))
    yield status(
        "valid_time_with_fraction", "valid", _token(iat=NOW - HOUR + 0.75), _says(2, VALUES)
    )


def _forms() -> Iterator[Vector]:
    bad = "MalformedDocument"
    claims = status_list_claims(URI)
    body = claims["status_list"]
    yield status("empty", bad, "")
    yield status("typ_jwt", bad, signed_jwt("a-active", "JWT", claims))
    yield status("typ_cwt", bad, signed_jwt("a-active", "statuslist+cwt", claims))
    yield status("alg_none", bad, signed_jwt("a-active", TYP, claims, alg="none"))
    for name, changes in {
        "without_sub": {"sub": None},
        "sub_number": {"sub": 1},
        "without_iat": {"iat": None},
        "iat_text": {"iat": "now"},
        "iat_true": {"iat": True},
        "iat_beyond_32_bits": {"iat": 1 << 32},
        "exp_negative": {"exp": -1},
        "ttl_text": {"ttl": "1h"},
        "without_status_list": {"status_list": None},
        "status_list_text": {"status_list": body["lst"]},
        "bits_3": {"status_list": {**body, "bits": 3}},
        "bits_0": {"status_list": {**body, "bits": 0}},
        "bits_16": {"status_list": {**body, "bits": 16}},
        "bits_text": {"status_list": {**body, "bits": "2"}},
        "bits_true": {"status_list": {**body, "bits": True}},
        "bits_with_fraction": {"status_list": {**body, "bits": 2.0}},
        "bits_missing": {"status_list": {"lst": body["lst"]}},
        "lst_missing": {"status_list": {"bits": 2}},
        "lst_array": {"status_list": {"bits": 2, "lst": VALUES}},
    }.items():
        yield status(name, bad, _token(**changes))


def _packing() -> Iterator[Vector]:
    data = pack(VALUES, 2)
    packed = zlib_stored(data)
    for name, expect, lst in (
        ("lst_cut_off", "MalformedDocument", b64url(packed[:-1])),
        ("lst_without_checksum", "MalformedDocument", b64url(packed[:-4])),
        ("lst_wrong_checksum", "MalformedDocument", b64url(packed[:-1] + bytes([packed[-1] ^ 1]))),
        ("lst_trailing_byte", "MalformedDocument", b64url(packed + b"\x00")),
        ("lst_twice", "MalformedDocument", b64url(packed + packed)),
        ("lst_not_compressed", "MalformedDocument", b64url(data)),
        ("lst_raw_deflate", "MalformedDocument", b64url(packed[2:-4])),
        ("lst_of_nothing", "MalformedDocument", b64url(zlib_stored(b""))),
        ("lst_empty", "MalformedDocument", ""),
        ("lst_padding", "MalformedDocument", b64url(packed) + "="),
        ("lst_unused_bits", "MalformedDocument", _unused_bits(zlib_stored(data[:-1]))),
        ("lst_bomb", "DocumentTooLarge", b64url(zlib_bomb(40_643))),
    ):
        yield status(name, expect, _token(status_list={"bits": 2, "lst": lst}))


def _unused_bits(packed: bytes) -> str:
    """Another spelling of the same bytes: the last letter's unused bits are set."""
    text = b64url(packed)
    if len(text) % 4 == 0:
        raise ValueError("no unused bits")
    return text[:-1] + chr(ord(text[-1]) + 1)
