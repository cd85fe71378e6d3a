"""Vectors of step 1, the claims: each rule of docs/esc-qr.md, 2.2, broken and just kept."""

from collections.abc import Iterator
from typing import Any

from generating.cards import (
    ESI,
    ESI_PREFIX,
    ISSUED,
    NAME,
    OMIT,
    card,
    cose_key,
    e1,
    e2,
    members,
    raw,
    says,
    text1,
    text2,
)
from generating.encodings import Raw, cbor
from generating.vector import Vector


def vectors() -> Iterator[Vector]:
    yield from _valid()
    yield from _members()
    yield from _values()
    yield from _names()
    yield from _esis()
    yield from _holder_keys()


def _claims(changes: dict[Any, Any]) -> str:
    return text1(e1(members(changes)))


def _valid() -> Iterator[Vector]:
    identity = {"esi": ESI_PREFIX + ESI, "profile": "identity"}
    full = e1(members(identity=True))
    yield card("valid_static_status", "valid", text1(e1()))
    yield card("valid_static_identity", "valid", text1(full), result=says(**identity))
    yield card("valid_live_status", "valid", text2(e2()), result=says(evidence="live"))
    live = says(evidence="live", **identity)
    yield card("valid_live_identity", "valid", text2(e2(full)), result=live)
    text = _claims({"l": OMIT})
    yield card("valid_without_level", "valid", text, result=says(level=None))
    for number, level in ((2, "MASTER"), (3, "DOCTORATE")):
        text = _claims({"l": number})
        yield card(f"valid_level_{level.lower()}", "valid", text, result=says(level=level))
    for name, value in {
        "of_64_bytes": "Ģ" * 32,
        "of_one_letter": "Y",
        "of_many_scripts": "Ødegård Ἀθηνᾶ Żółć Għarb Ñandú",
        "with_zero_width_joiner": "क्‍ष",
        "decomposed": "Li\u0304ga",
    }.items():
        yield card(f"valid_name_{name}", "valid", _claims({"n": value}), result=says(name=value))
    for name, value in {
        "of_88_characters": "a.example:" + "1" * 78,
        "with_percent_escape": "lv:12%2F34",
        "scope_in_upper_case": "LV:Ab(9)+,-.=@;$_!*'",
    }.items():
        result = says(**{**identity, "esi": ESI_PREFIX + value}, name="Y")
        yield card(f"valid_esi_{name}", "valid", _claims({"e": value, "n": "Y"}), result=result)


def _members() -> Iterator[Vector]:
    for name, key in {"exp": 4, "iat": 6, "cnf": 8, "name": "n", "status": "s"}.items():
        yield card(f"claim_missing_{name}", "MalformedCode", _claims({key: OMIT}))
    for name, key in {
        "cwt_iss": 1,
        "nbf": 5,
        "letter": "x",
        "negative": -1,
        "bytes": b"n",
    }.items():
        yield card(f"claim_extra_{name}", "MalformedCode", _claims({key: 1}))
    yield card("claims_not_a_map", "MalformedCode", text1(e1(cbor(list(members())))))
    yield card("claims_empty", "MalformedCode", text1(e1(b"")))


def _values() -> Iterator[Vector]:
    for name, changes in {
        "exp_at_iat": {4: ISSUED},
        "exp_before_iat": {4: ISSUED - 1},
        "exp_beyond_32_bits": {4: 1 << 32},
        "iat_negative": {6: -1},
        "iat_text": {6: str(ISSUED)},
        "exp_null": {4: None},
        "level_0": {"l": 0},
        "level_4": {"l": 4},
        "level_text": {"l": "BACHELOR"},
        "level_true": {"l": True},
        "status_of_one": {"s": [1]},
        "status_of_three": {"s": [1, 0, 0]},
        "status_map": {"s": {1: 0}},
        "status_number_negative": {"s": [-1, 0]},
        "status_number_beyond_32_bits": {"s": [1 << 32, 0]},
        "status_index_beyond_32_bits": {"s": [1, 1 << 32]},
        "status_index_text": {"s": [1, "0"]},
    }.items():
        yield card(f"claim_{name}", "MalformedCode", _claims(changes))


def _names() -> Iterator[Vector]:
    for name, value in {
        "empty": "",
        "of_65_bytes": "Ģ" * 32 + "a",
        "space_before": " " + NAME,
        "space_after": NAME + " ",
        "no_break_space_after": NAME + "\u00a0",
        "ideographic_space_before": "\u3000" + NAME,
        "control_character": "Līga\x07Bērziņa",
        "delete_character": "Līga\x7f",
        "c1_control_character": "Līga\u0085Bērziņa",
        "line_feed": "Līga\nBērziņa",
        "line_separator": "Līga\u2028Bērziņa",
        "right_to_left_override": "Līga\u202eanizrēB",
        "isolate": "Līga\u2066Bērziņa",
        "bytes": NAME.encode(),
        "not_utf8": Raw(b"\x64An\xffa"),
        "surrogate": Raw(b"\x64A\xed\xa0\x80"),
        "overlong_utf8": Raw(b"\x62\xc1\x81"),
    }.items():
        yield card(f"name_{name}", "MalformedCode", _claims({"n": value}))


def _esis() -> Iterator[Vector]:
    for name, value in {
        "without_scope": ":123",
        "without_code": "lv:",
        "without_colon": "lv123",
        "with_prefix": ESI_PREFIX + ESI,
        "scope_three_letters": "lva:123",
        "scope_with_underscore": "a_b.example:1",
        "scope_ends_in_dash": "a-.example:1",
        "space_in_code": "lv:12 34",
        "slash_in_code": "lv:12/34",
        "letter_outside_ascii": "lv:ā",
        "percent_zero": "lv:1%00",
        "percent_alone": "lv:1%",
        "line_feed_at_end": "lv:123\n",
        "empty": "",
    }.items():
        yield card(f"esi_{name}", "MalformedIdentifier", _claims({"e": value, "n": "Y"}))
    text = _claims({"e": "lv:" + "1" * 86, "n": "Y"})
    yield card("esi_of_89_characters", "MalformedCode", text)
    yield card("esi_bytes", "MalformedCode", _claims({"e": ESI.encode()}))


def _holder_keys() -> Iterator[Vector]:
    key = cose_key()[1]
    x = key[-2]
    for name, cnf in {
        "empty": {},
        "kid_instead": {3: b"12345678"},
        "key_and_kid": {1: key, 3: b"12345678"},
        "kty_okp": {1: {**key, 1: 1}},
        "kty_true": {1: {1: 2, -1: True, -2: x, -3: True}},
        "crv_p384": {1: {**key, -1: 2}},
        "x_of_31_bytes": {1: {**key, -2: x[:31]}},
        "x_of_33_bytes": {1: {**key, -2: x + b"\x00"}},
        "y_as_bytes": {1: {**key, -3: x}},
        "y_as_number": {1: {**key, -3: 1}},
        "without_y": {1: {k: v for k, v in key.items() if k != -3}},
        "with_private_part": {1: {**key, -4: x}},
        "with_alg": {1: {1: 2, 3: -7, -1: 1, -2: x, -3: key[-3]}},
        "key_text": {1: "key"},
        "encrypted_key": {2: b"key"},
        "array": [key],
        "map_key_is_array": raw("a1810100"),
    }.items():
        yield card(f"cnf_{name}", "MalformedCode", _claims({8: cnf}))
    off_curve = e1(members({8: {1: {**key, -2: b"\xff" * 32}}}))
    comment = "found when the phone's signature is checked, step 9"
    yield card("cnf_not_a_point", "MalformedCode", text2(e2(off_curve)), comment=comment)
    comment = "a static code does not use the key"
    yield card("valid_static_cnf_not_a_point", "valid", text1(off_curve), comment=comment)
    x_of_one = e1(members({8: {1: {**key, -2: bytes(31) + b"\x01"}}}))
    yield card("cnf_x_without_y", "MalformedCode", text2(e2(x_of_one)))
