"""Properties of the pure core: inverse pairs, and one spelling for one content."""

import json
import string
from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.strategies import (
    ESCNS,
    ESI_SUFFIXES,
    JSON,
    MEMBERS,
    SECONDS,
    card_claims,
    derandomized,
    payload_of,
)
from tests.verifier.vector_files import knowledge_of
from verifier.base32 import decode_base32, encode_base32
from verifier.card_claims import CardClaims, encode_claims, parse_claims
from verifier.cose import encode_sign1, parse_sign1
from verifier.errors import CardError
from verifier.esc_qr import e1_text, e2_text, encode_e1, encode_e2, parse_code
from verifier.identifiers import (
    escn_to_bytes,
    parse_escn,
    parse_esi,
    parse_esi_suffix,
    pic_of,
    prefix_of,
)
from verifier.jws import b64url_decode, b64url_encode
from verifier.sd_jwt import conceal, make_disclosure, parse_sd_jwt, reveal
from verifier.status import (
    WIDTHS,
    StatusList,
    compress,
    decompress,
    pack_entries,
)
from verifier.trust_document import parse_trust_list, trust_list_payload


@derandomized
@given(st.binary(max_size=400))
def test_base32_and_base64url_give_back_what_they_were_given(data: bytes) -> None:
    assert decode_base32(encode_base32(data)) == data
    assert b64url_decode(b64url_encode(data)) == data


@derandomized
@given(card_claims())
def test_claims_have_the_deterministic_encoding(claims: CardClaims) -> None:
    encoded = encode_claims(claims)
    assert cbor2.dumps(cbor2.loads(encoded), canonical=True) == encoded


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1), st.binary(min_size=64, max_size=64))
def test_a_live_code_has_the_deterministic_encoding(
    e1: bytes, shown_at: int, signature: bytes
) -> None:
    encoded = encode_e2(e1, shown_at=shown_at, signature=signature)
    assert cbor2.dumps([e1, shown_at, signature], canonical=True) == encoded


@given(card_claims())
def test_claims_are_read_as_they_were_written(claims: CardClaims) -> None:
    assert parse_claims(encode_claims(claims)) == claims


@derandomized
@given(
    card_claims(),
    ESCNS,
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=64, max_size=64),
    SECONDS,
)
def test_a_code_is_read_as_it_was_written(
    claims: CardClaims, escn: Any, kid: bytes, signature: bytes, shown_at: int
) -> None:
    e1 = encode_e1(claims, kid=kid, signature=signature)
    static = parse_code(e1_text(escn, e1))
    assert (static.escn, static.e1_bytes, static.shown_at) == (escn, e1, None)
    assert (static.e1.claims, static.e1.kid, static.e1.signature) == (claims, kid, signature)
    live = parse_code(e2_text(escn, encode_e2(e1, shown_at=shown_at, signature=signature)))
    assert (live.e1, live.shown_at, live.device_signature) == (static.e1, shown_at, signature)


@derandomized
@given(ESCNS)
def test_a_card_number_gives_back_its_parts(escn: Any) -> None:
    assert parse_escn(escn) == parse_escn(escn.upper()) == escn
    assert escn.endswith(prefix_of(escn) + pic_of(escn))
    assert escn_to_bytes(escn).hex() == escn.replace("-", "")


@derandomized
@given(ESI_SUFFIXES)
def test_an_esi_gives_back_its_text(suffix: str) -> None:
    esi = parse_esi_suffix(suffix)
    assert esi.suffix == suffix
    assert parse_esi(esi.text) == esi
    assert parse_esi(esi.text.upper()).normal == esi.normal


@derandomized
@given(st.sampled_from(WIDTHS), st.data())
def test_a_status_list_gives_back_every_entry_at_every_width(width: int, data: Any) -> None:
    size = 8 * data.draw(st.integers(1, 40))
    entries = st.integers(0, size - 1), st.integers(0, (1 << width) - 1)
    values = data.draw(st.dictionaries(*entries))
    packed = pack_entries(values, width=width, size=size)
    unpacked = decompress(compress(packed), width=width)
    assert unpacked == packed == StatusList(width, packed.data)
    assert len(unpacked) == size
    assert [unpacked.value_at(i) for i in range(size)] == [values.get(i, 0) for i in range(size)]


def test_the_trust_list_is_written_as_it_was_read() -> None:
    trust = knowledge_of("usual.escbundle", 1_800_000_000).trust
    payload = json.loads(json.dumps(trust_list_payload(trust)))
    again = parse_trust_list(json.loads(json.dumps(payload)), token=trust.token)
    assert trust_list_payload(again) == payload
    assert (again.institutions, again.anchors) == (trust.institutions, trust.anchors)


@derandomized
@given(st.dictionaries(MEMBERS, JSON, max_size=6), st.binary(min_size=16, max_size=24), st.data())
def test_what_is_concealed_is_revealed(claims: dict[str, Any], salt: bytes, data: Any) -> None:
    hidden = data.draw(st.sets(st.sampled_from(sorted(claims)))) if claims else set()
    disclosures = [make_disclosure(name, claims[name], salt=salt) for name in sorted(hidden)]
    clear = {name: value for name, value in claims.items() if name not in hidden}
    texts = "~".join(["jwt", *(disclosure.text for disclosure in disclosures), ""])
    parsed = parse_sd_jwt(texts)
    assert parsed.disclosures == tuple(disclosures)
    assert parsed.presented_without_key_binding == texts
    assert reveal(conceal(clear, disclosures), parsed.disclosures) == claims
    assert reveal(conceal(clear, disclosures), ()) == clear


# One spelling: what is read is, written again, the same text.


@derandomized
@given(st.text(string.ascii_uppercase + "234567", max_size=24))
def test_a_base32_text_that_is_read_is_the_only_one(text: str) -> None:
    try:
        data = decode_base32(text)
    except CardError:
        return
    assert encode_base32(data) == text


@derandomized
@given(st.text(string.ascii_letters + string.digits + "-_", max_size=24))
def test_a_base64url_text_that_is_read_is_the_only_one(text: str) -> None:
    try:
        data = b64url_decode(text)
    except CardError:
        return
    assert b64url_encode(data) == text


@derandomized
@given(st.integers(0, 168), st.integers(1, 255), st.booleans())
def test_changed_bytes_that_are_still_read_are_the_only_ones(
    at: int, change: int, signed_part: bool
) -> None:
    data = bytearray(parse_code(payload_of("esc_qr/valid_static_status.txt")).e1_bytes)
    data[at] ^= change
    try:
        protected, payload, signature = parse_sign1(bytes(data))
        claims = parse_claims(payload)
    except CardError:
        return
    assert encode_sign1(protected, payload, signature) == data
    if signed_part:
        assert encode_claims(claims) == payload
