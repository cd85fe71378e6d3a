"""Vectors of step 1, the bytes: COSE_Sign1, deterministic CBOR, E2. All are signed rightly."""

from collections.abc import Iterator
from typing import Any

from generating.cards import (
    ESCN,
    ISSUED,
    NAME,
    SHOWN,
    card,
    cose_key,
    e1,
    e2,
    e2_message,
    members,
    protected_header,
    raw,
    sig_structure,
    text1,
    text2,
)
from generating.encodings import Raw, cbor, head
from generating.keys import kid_bytes, sign
from generating.vector import Vector


def vectors() -> Iterator[Vector]:
    yield from _structure()
    yield from _protected()
    yield from _spellings()
    yield from _live()


def _bad(name: str, data: bytes) -> Vector:
    return card(name, "MalformedCode", text1(data))


def _structure() -> Iterator[Vector]:
    good = e1()
    protected, payload = protected_header("a-active"), cbor(members())
    signature = sign("a-active", sig_structure(protected, payload))
    parts = [protected, {}, payload, signature]
    yield _bad("cbor_not_at_all", b"\xff" * 100)
    yield _bad("cose_without_tag", good[1:])
    yield _bad("cose_tag_17", b"\xd1" + good[1:])
    yield _bad("cose_tag_twice", b"\xd2" + good)
    yield _bad("cose_tag_with_long_head", b"\xd8\x12" + good[1:])
    yield _bad("cose_cwt_tag_before", b"\xd8\x3d" + good)
    yield _bad("cose_array_of_three", b"\xd2" + cbor(parts[:3]))
    yield _bad("cose_array_of_five", b"\xd2" + cbor([*parts, b""]))
    yield _bad("cose_map_instead_of_array", b"\xd2" + cbor(dict(enumerate(parts))))
    yield _bad("cose_array_with_long_head", b"\xd2\x98\x04" + good[2:])
    yield _bad("cose_array_indefinite", b"\xd2\x9f" + good[2:] + b"\xff")
    yield _bad("cose_payload_not_wrapped", b"\xd2" + cbor([protected, {}, members(), signature]))
    yield _bad("cose_payload_null", b"\xd2" + cbor([protected, {}, None, signature]))
    yield _bad("cose_signature_63_bytes", e1(signature=signature[:63]))
    yield _bad("cose_signature_65_bytes", e1(signature=signature + b"\x00"))
    yield _bad("cose_unprotected_not_empty", e1(unprotected={4: kid_bytes("a-active")}))
    yield _bad("cose_unprotected_not_a_map", e1(unprotected=[1]))
    yield _bad(
        "cose_payload_long_head",
        b"\xd2"
        + cbor([protected, {}]).replace(b"\x82", b"\x84", 1)
        + b"\x59"
        + len(payload).to_bytes(2)
        + payload
        + cbor(signature),
    )
    long_esi = {"e": "lv:" + "1" * 85, "n": "N" * 64}
    yield _bad("e1_too_large", e1(members(long_esi)))


def _protected() -> Iterator[Vector]:
    kid = kid_bytes("a-active")
    for name, header in {
        "kid_7_bytes": cbor({1: -7, 4: kid[:7]}),
        "kid_9_bytes": cbor({1: -7, 4: kid + b"\x00"}),
        "kid_text": cbor({1: -7, 4: "12345678"}),
        "without_kid": cbor({1: -7}),
        "without_alg": cbor({4: kid}),
        "alg_es384": cbor({1: -35, 4: kid}),
        "alg_text": cbor({1: "ES256", 4: kid}),
        "with_crit": cbor({1: -7, 2: [99], 4: kid}),
        "unsorted": cbor({4: kid, 1: -7}),
        "key_twice": raw("a301260126") + cbor({4: kid})[1:],
        "long_head": raw("a2013806") + cbor({4: kid})[1:],
        "empty": b"",
        "array": cbor([1, -7, 4, kid]),
    }.items():
        yield _bad(f"protected_{name}", e1(protected=header))


def _spellings() -> Iterator[Vector]:
    good = members()
    plain = cbor(good)
    without_first = {key: value for key, value in good.items() if key != 4}
    for name, payload in {
        "map_indefinite": b"\xbf" + plain[1:] + b"\xff",
        "map_with_long_head": b"\xb8" + bytes([len(good)]) + plain[1:],
        "key_twice": head(5, len(good) + 1) + cbor({4: good[4]})[1:] + plain[1:],
        "unsorted": cbor({**without_first, 4: good[4]}),
        "uint_with_long_head": cbor({**good, 6: Raw(b"\x1b" + ISSUED.to_bytes(8))}),
        "key_with_long_head": plain.replace(
            cbor({4: good[4]})[1:], b"\x18" + cbor({4: good[4]})[1:], 1
        ),
        "level_with_long_head": cbor({**good, "l": raw("1801")}),
        "text_with_long_head": cbor({**good, "n": Raw(b"\x78\x04Anna")}),
        "text_indefinite": cbor({**good, "n": Raw(b"\x7f\x64Anna\xff")}),
        "bytes_indefinite": cbor(
            {**good, 8: cose_key(x=Raw(b"\x5f" + cbor(cose_key()[1][-2]) + b"\xff"))}
        ),
        "array_indefinite": cbor({**good, "s": raw("9f0100ff")}),
        "time_as_float": cbor({**good, 6: float(ISSUED)}),
        "time_tagged": cbor({**good, 6: Raw(b"\xc1" + cbor(ISSUED))}),
        "time_as_big_number": cbor({**good, 6: Raw(b"\xc2" + cbor(ISSUED.to_bytes(4)))}),
        "text_tagged": cbor({**good, "n": Raw(b"\xd8\x20" + cbor(NAME))}),
        "simple_value_long": cbor({**good, "l": raw("f801")}),
        "undefined": cbor({**good, "l": raw("f7")}),
        "cnf_unsorted": cbor({**good, 8: {1: dict(reversed(cose_key()[1].items()))}}),
        "nested_too_deep": cbor({**good, "s": Raw(b"\x81" * 60 + b"\x00")}),
        "shared_value": cbor({**good, "s": Raw(b"\xd8\x1c\x82\x01\xd8\x1d\x00")}),
    }.items():
        yield _bad(f"cbor_{name}", e1(payload))


def _live() -> Iterator[Vector]:
    inner = e1()
    signature = sign("phone", e2_message(inner, SHOWN))
    parts: list[Any] = [inner, SHOWN, signature]
    good = e2()
    too_large = cbor([inner + b"\x00" * 140, SHOWN, signature])
    for name, data in {
        "array_of_two": cbor(parts[:2]),
        "array_of_four": cbor([*parts, 0]),
        "array_indefinite": b"\x9f" + good[1:] + b"\xff",
        "array_with_long_head": b"\x98\x03" + good[1:],
        "tagged": b"\xd2" + good,
        "time_with_long_head": cbor([inner, Raw(b"\x1b" + SHOWN.to_bytes(8)), signature]),
        "time_negative": cbor([inner, -1, signature]),
        "time_beyond_32_bits": e2(shown_at=1 << 32),
        "time_as_float": cbor([inner, float(SHOWN), signature]),
        "time_as_text": cbor([inner, str(SHOWN), signature]),
        "e1_not_wrapped": cbor([Raw(inner), SHOWN, signature]),
        "e1_as_text": cbor([text1(inner), SHOWN, signature]),
        "e1_indefinite": cbor([Raw(b"\x5f" + cbor(inner) + b"\xff"), SHOWN, signature]),
        "e1_empty": cbor([b"", SHOWN, signature]),
        "e1_cut_off": e2(inner[:-1]),
        "e2_inside": e2(good),
        "signature_63_bytes": cbor([inner, SHOWN, signature[:63]]),
        "signature_65_bytes": cbor([inner, SHOWN, signature + b"\x00"]),
        "signature_missing": cbor([inner, SHOWN, b""]),
        "too_large": too_large,
    }.items():
        yield card(f"e2_{name}", "MalformedCode", text2(data))
    other = ESCN.replace("d6a1", "d6a2")
    yield card("e2_of_another_card_number", "BadSignature", text2(good, other))
