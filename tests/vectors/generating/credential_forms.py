"""Vectors of an SD-JWT VC's form: JWS, strict JSON, disclosures."""

import json
from collections.abc import Iterator
from typing import Any

from generating.cards import OMIT
from generating.credentials import (
    DISCLOSED,
    HEADER,
    claims,
    credential,
    digest,
    jws,
    present,
    salted,
    says_all,
    vc,
)
from generating.encodings import b64url, compact_json
from generating.vector import Vector

DISCLOSURES = [salted(name, value) for name, value in DISCLOSED.items()]


def vectors() -> Iterator[Vector]:
    yield from _envelope()
    yield from _headers()
    yield from _json()
    yield from _base64()
    yield from _disclosures()
    yield from _revealing()


def _bad(name: str, payload: str, **more: Any) -> Vector:
    return vc(name, "MalformedCredential", payload, **more)


def _with_header(**changes: Any) -> str:
    header = {name: v for name, v in {**HEADER, **changes}.items() if v is not OMIT}
    return present(jws(claims(DISCLOSURES), header=header), DISCLOSURES)


def _envelope() -> Iterator[Vector]:
    good = credential()
    yield vc("valid_everything_disclosed", "valid", good)
    yield vc("valid_white_space_around", "valid", f" {good}\r\n")
    yield _bad("empty", "")
    yield _bad("without_tilde", good.partition("~")[0])
    yield _bad("issuer_part_missing", "~" + good.partition("~")[2])
    yield _bad("jws_of_two_parts", good.replace(".", "", 1))
    yield _bad("jws_of_four_parts", good.replace(".", "..", 1))
    yield _bad("empty_disclosure", good + "~")
    yield _bad(
        "more_than_64_disclosures", good + "".join(f"{salted(str(i), i)}~" for i in range(60))
    )
    yield _bad("larger_than_32768_characters", good + "A" * (32_768 - len(good)) + "~")
    yield _bad("disclosure_larger_than_8192_characters", good + "A" * 8_193 + "~")
    yield _bad("esc_qr_instead", "https://esc.gg/d6a1e2f0-9c3b-11f0-8a5e-001999800001#E1ABCD")


def _headers() -> Iterator[Vector]:
    yield _bad("typ_vc_sd_jwt", _with_header(typ="vc+sd-jwt"))
    yield _bad("typ_jwt", _with_header(typ="JWT"))
    yield _bad("typ_upper_case", _with_header(typ="DC+SD-JWT"))
    yield _bad("typ_missing", _with_header(typ=OMIT))
    yield _bad("typ_of_a_status_list", _with_header(typ="statuslist+jwt"))
    yield _bad("alg_none", _with_header(alg="none"))
    yield _bad("alg_hs256", _with_header(alg="HS256"))
    yield _bad("alg_es384", _with_header(alg="ES384"))
    yield _bad("alg_missing", _with_header(alg=OMIT))
    yield _bad("crit", _with_header(crit=["exp"]))
    yield _bad("b64_false", _with_header(b64=False))
    unsigned = (
        b64url(compact_json({**HEADER, "alg": "none"}))
        + "."
        + b64url(compact_json(claims(DISCLOSURES)))
    )
    yield _bad("alg_none_without_signature", present(unsigned + ".", DISCLOSURES))
    yield vc("kid_missing", "UnknownKey", _with_header(kid=OMIT))
    yield vc("kid_number", "UnknownKey", _with_header(kid=7))
    text = present(
        jws(claims(DISCLOSURES), header={**HEADER, "x5c": ["AAAA"], "jwk": {}}), DISCLOSURES
    )
    yield vc("valid_with_unknown_header_members", "valid", text)


def _with_payload(data: bytes) -> str:
    return present(jws(data), DISCLOSURES)


def _json() -> Iterator[Vector]:
    good = compact_json(claims(DISCLOSURES))
    yield _bad("name_twice_in_payload", _with_payload(good[:-1] + b',"pic":"999800001"}'))
    escaped = good[:-1] + b',"\\u0070ic":"999800001"}'
    yield _bad("name_twice_by_escape", _with_payload(escaped))
    nested = good.replace(b'{"idx":0,', b'{"idx":0,"idx":0,')
    yield _bad("name_twice_inside", _with_payload(nested))
    header = compact_json(HEADER)[:-1] + b',"alg":"ES256"}'
    yield _bad(
        "name_twice_in_header", present(jws(claims(DISCLOSURES), header=header), DISCLOSURES)
    )
    yield _bad("nan", _with_payload(good[:-1] + b',"x":NaN}'))
    yield _bad("infinity", _with_payload(good[:-1] + b',"x":-Infinity}'))
    yield _bad("trailing_comma", _with_payload(good[:-1] + b",}"))
    yield _bad("comment_in_json", _with_payload(good[:-1] + b"/**/}"))
    yield _bad("not_utf8", _with_payload(good[:-1] + b',"x":"\xff"}'))
    yield _bad("utf16", _with_payload(good.decode().encode("utf-16")))
    yield _bad("byte_order_mark", _with_payload(b"\xef\xbb\xbf" + good))
    yield _bad("payload_is_an_array", _with_payload(b"[" + good + b"]"))
    yield _bad("text_after_json", _with_payload(good + b"{}"))
    yield _bad("control_character_in_text", _with_payload(good[:-1] + b',"x":"\x01"}'))
    deep = b',"x":' + b"[" * 15 + b"]" * 15
    yield vc("valid_nested_16_deep", "valid", _with_payload(good[:-1] + deep + b"}"))
    deeper = b',"x":' + b"[" * 16 + b"]" * 16 + b"}"
    yield _bad("nested_17_deep", _with_payload(good[:-1] + deeper))
    very_deep = b',"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    yield _bad("nested_5000_deep", _with_payload(good[:-1] + very_deep))


def _base64() -> Iterator[Vector]:
    good = credential()
    head, _, rest = good.partition(".")
    signature_end = good.index("~")
    yield _bad("padding_in_header", head + "=" * (-len(head) % 4 or 1) + "." + rest)
    yield _bad("padding_in_signature", good[:signature_end] + "==" + good[signature_end:])
    last = good[signature_end - 1]
    other = {"A": "B", "Q": "R", "g": "h", "w": "x"}[last]
    yield _bad(
        "unused_bits_in_signature", good[: signature_end - 1] + other + good[signature_end:]
    )
    yield _bad(
        "line_break_in_signature", good[: signature_end - 2] + "\n" + good[signature_end - 2 :]
    )
    plain = good.replace("-", "+").replace("_", "/")
    yield _bad("base64_alphabet", plain)
    yield _bad("padding_in_disclosure", good[:-1] + "=~")
    yield _bad("signature_cut_off", good[: signature_end - 4] + good[signature_end:])


def _disclosures() -> Iterator[Vector]:
    good = credential()
    for name, data in {
        "not_json": b"[",
        "not_an_array": b'{"a":1}',
        "two_values": b'["c2FsdA","x",1],[1]',
        "empty": b"[]",
        "of_one": b'["c2FsdA"]',
        "of_four": b'["c2FsdA","x",1,1]',
        "salt_number": b'[1,"x",1]',
        "name_number": b'["c2FsdA",1,1]',
        "name_null": b'["c2FsdA",null,1]',
        "name_sd": b'["c2FsdA","_sd",[]]',
        "name_dots": b'["c2FsdA","...","x"]',
        "name_twice_inside": b'["c2FsdA","x",{"a":1,"a":2}]',
        "closes_a_wrapper": b'["c2FsdA","x",1],"e":1',
    }.items():
        text = b64url(data)
        issuer_jwt = jws(claims([*DISCLOSURES, text]))
        yield _bad(f"disclosure_{name}", present(issuer_jwt, [*DISCLOSURES, text]))
    yield _bad("disclosure_nothing_refers_to", good + salted("nickname", "Lī") + "~")
    yield _bad("disclosure_twice", good + DISCLOSURES[1] + "~")
    spaced = json.dumps(["c2FsdA", "nickname", "Lī"], ensure_ascii=False).encode()
    text = b64url(spaced)
    payload = present(jws(claims([*DISCLOSURES, text])), [*DISCLOSURES, text])
    yield vc("valid_disclosure_with_spaces", "valid", payload)


def _revealing() -> Iterator[Vector]:
    for name in ("iss", "iat", "nbf", "exp", "vct", "cnf", "status", "vct#integrity", "_sd_alg"):
        text = salted(name, "x")
        payload = present(jws(claims([*DISCLOSURES, text])), [*DISCLOSURES, text])
        yield _bad(f"disclosable_{name.replace('#', '_')}", payload)
    text = salted("exp", 4_000_000_000)
    payload = present(jws(claims([*DISCLOSURES, text], {"exp": OMIT})), [*DISCLOSURES, text])
    yield _bad("exp_in_a_disclosure_only", payload)
    text = salted("pic", "999800001")
    payload = present(jws(claims([*DISCLOSURES, text])), [*DISCLOSURES, text])
    yield _bad("name_clash_with_a_clear_claim", payload)
    texts = [*DISCLOSURES, b64url(b'["b3RoZXI","name","Cits"]')]
    yield _bad("name_clash_of_two_disclosures", present(jws(claims(texts)), texts))
    element = salted(None, "x")
    payload = present(jws(claims([*DISCLOSURES, element])), [*DISCLOSURES, element])
    yield _bad("array_disclosure_in_an_object", payload)
    member = salted("x", "x")
    changes = {"list": [{"...": digest(member)}]}
    payload = present(jws(claims(DISCLOSURES, changes)), [*DISCLOSURES, member])
    yield _bad("object_disclosure_in_an_array", payload)
    twice = claims(DISCLOSURES, {"_sd": [*map(digest, DISCLOSURES), digest(DISCLOSURES[0])]})
    yield _bad("digest_twice", present(jws(twice), DISCLOSURES))
    for name, changes in {
        "digest_number": {"_sd": [*map(digest, DISCLOSURES), 1]},
        "sd_not_an_array": {"_sd": digest(DISCLOSURES[0])},
        "sd_alg_sha_512": {"_sd_alg": "sha-512"},
        "dots_in_an_object": {"...": "x"},
    }.items():
        yield _bad(name, present(jws(claims(DISCLOSURES, changes)), DISCLOSURES))
    yield from _valid_revealing()


def _valid_revealing() -> Iterator[Vector]:
    decoys = claims(DISCLOSURES, {"_sd": [*map(digest, DISCLOSURES), digest("decoy")]})
    yield vc("valid_with_a_decoy", "valid", present(jws(decoys), DISCLOSURES))
    defaults = claims(DISCLOSURES, {"_sd_alg": OMIT})
    yield vc("valid_without_sd_alg", "valid", present(jws(defaults), DISCLOSURES))
    issuer_jwt = jws(claims(DISCLOSURES))
    nothing = says_all(escn=None, name=None, esi=None, level=None, profile="status")
    yield vc("valid_nothing_disclosed", "valid", present(issuer_jwt, []), result=nothing)
    result = says_all(escn=None, esi=None, level=None, profile="status")
    yield vc("valid_name_only", "valid", present(issuer_jwt, [DISCLOSURES[1]]), result=result)
    yield vc("valid_other_order", "valid", present(issuer_jwt, DISCLOSURES[::-1]))
    inner, element = salted("city", "Rīga"), salted(None, "LV")
    outer = salted("address", {"_sd": [digest(inner)], "codes": [{"...": digest(element)}]})
    texts = [*DISCLOSURES, outer]
    payload = present(jws(claims(texts)), [*texts, inner, element])
    yield vc("valid_recursive_disclosures", "valid", payload)
    payload = present(jws(claims(texts)), [*texts, inner])
    yield vc("valid_array_element_not_disclosed", "valid", payload)
    text = present(jws(claims(DISCLOSURES), high_s=True), DISCLOSURES)
    yield vc("valid_signature_high_s", "valid", text)
    yield vc("valid_disclosures_to_level_16", "valid", _chain(15))
    yield _bad("disclosures_to_level_17", _chain(16))


def _chain(links: int) -> str:
    """A disclosure in a disclosure in ...; the innermost value is at level links + 1."""
    chain = [salted("x0", "end")]
    for link in range(1, links):
        chain.append(salted(f"x{link}", {"_sd": [digest(chain[-1])]}))
    body = claims(DISCLOSURES, {"_sd": [*map(digest, DISCLOSURES), digest(chain[-1])]})
    return present(jws(body), [*DISCLOSURES, *chain])
