"""Garbage in, refusals out: whatever is read, nothing but a `CardError` comes of it."""

import json
from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.strategies import (
    ANY_TEXT,
    JSON,
    derandomized,
    payload_of,
    refused_or_read,
)
from tests.verifier.vector_files import knowledge_of
from verifier import verify_bundle
from verifier.base32 import encode_base32
from verifier.bundle import pack_bundle
from verifier.card_claims import parse_claims
from verifier.cbor import read_cbor
from verifier.cose import parse_sign1
from verifier.esc_qr import parse_code
from verifier.identifiers import (
    parse_escn,
    parse_esi,
)
from verifier.jws import b64url_encode, parse_jws
from verifier.sd_jwt_vc import parse_credential, read_claims
from verifier.status import (
    WIDTHS,
    decompress,
    parse_status_list_token,
)
from verifier.strict_json import parse_json_object
from verifier.trust import verify_trust_list
from verifier.trust_document import parse_trust_list, trust_list_payload

_GARBAGE_TEXT = ANY_TEXT | st.text("AE12#./:~eyJ0-_=\n ", max_size=300)
_PARTS = st.lists(st.binary(max_size=60).map(b64url_encode), min_size=1, max_size=5)


@derandomized
@given(_GARBAGE_TEXT | _PARTS.map(".".join) | _PARTS.map("~".join))
def test_garbage_as_text_is_refused(text: str) -> None:
    refused_or_read(parse_code, text)
    refused_or_read(parse_code, f"https://esc.gg/{text}")
    refused_or_read(parse_code, f"https://esc.gg/d6a1e2f0-9c3b-11f0-8a5e-001999800001#{text}")
    refused_or_read(parse_credential, text)
    refused_or_read(parse_status_list_token, text)
    refused_or_read(parse_jws, text, expected_typ="x", max_chars=300)
    refused_or_read(verify_trust_list, text, anchors=(), now=0)
    refused_or_read(parse_esi, text)
    refused_or_read(parse_escn, text)


@derandomized
@given(st.binary(max_size=300))
def test_garbage_as_bytes_is_refused(data: bytes) -> None:
    for read in (read_cbor, parse_sign1, parse_claims, parse_json_object):
        refused_or_read(read, data)
    refused_or_read(parse_sign1, b"\xd2" + data)
    text = f"https://esc.gg/d6a1e2f0-9c3b-11f0-8a5e-001999800001#E{{}}{encode_base32(data)}"
    refused_or_read(parse_code, text.format(1))
    refused_or_read(parse_code, text.format(2))
    for width in WIDTHS:
        refused_or_read(decompress, b64url_encode(data), width=width)
    refused_or_read(verify_bundle, data, anchors=(), now=0)


_CBOR = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.binary(max_size=9)
    | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.integers(-5, 9) | st.sampled_from("elns"), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


@derandomized
@given(_CBOR)
def test_other_cbor_is_refused(value: Any) -> None:
    data = cbor2.dumps(value)
    refused_or_read(read_cbor, data)
    refused_or_read(parse_claims, data)
    refused_or_read(parse_sign1, b"\xd2" + data)


@derandomized
@given(st.dictionaries(st.sampled_from(["version", "sequence", "iat", "exp", "anchors", "types",
                                        "institutions"]), JSON | ANY_TEXT))  # fmt: skip
def test_other_json_is_no_trust_list(claims: dict[str, Any]) -> None:
    usual = trust_list_payload(knowledge_of("usual.escbundle", 1_800_000_000).trust)
    refused_or_read(parse_trust_list, {**usual, **claims}, token="")


@derandomized
@given(st.sampled_from(["iss", "nbf", "exp", "cnf", "vct", "status", "pic", "esc_number", "name",
                        "schac_personal_unique_code", "academic_level", "_sd", "_sd_alg"]),
       JSON | ANY_TEXT)  # fmt: skip
def test_other_json_is_no_credential(name: str, value: Any) -> None:
    credential = parse_credential(payload_of("sd_jwt_vc/valid_nothing_disclosed.txt"))
    credential.jws.payload[name] = value
    refused_or_read(read_claims, credential)


@derandomized
@given(JSON, JSON, JSON)
def test_other_json_in_gzip_is_no_bundle(trust_list: Any, lists: Any, types: Any) -> None:
    texts = {str(i): json.dumps(item).encode() for i, item in enumerate([types])}
    data = pack_bundle(trust_list, [lists], texts)
    refused_or_read(verify_bundle, data, anchors=(), now=0)
    refused_or_read(verify_bundle, data[:-5], anchors=(), now=0)
