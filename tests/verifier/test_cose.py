"""What is encoded by hand, and read with a shortcut, is what the general way gives."""

import cbor2
import pytest

from verifier.cose import encode_bytes, encode_sign1, sign1_signing_input
from verifier.errors import MalformedJws
from verifier.strict_json import MAX_JSON_DEPTH, parse_json_object

LENGTHS = (0, 1, 23, 24, 255, 256, 65_535, 65_536)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_byte_string_has_the_deterministic_encoding(length: int) -> None:
    assert encode_bytes(bytes(length)) == cbor2.dumps(bytes(length))


@pytest.mark.parametrize("length", LENGTHS)
def test_our_structures_have_the_deterministic_encoding(length: int) -> None:
    protected, payload, signature, aad = b"p" * 13, b"c" * length, b"s" * 64, b"a" * 16
    structure = ["Signature1", protected, aad, payload]
    assert sign1_signing_input(protected, payload, external_aad=aad) == cbor2.dumps(structure)
    message = cbor2.dumps([protected, {}, payload, signature])
    assert encode_sign1(protected, payload, signature) == b"\xd2" + message


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_json_is_refused_from_one_level_too_deep_on(opening: bytes, closing: bytes) -> None:
    def nested(levels: int, scalar: bytes) -> bytes:
        # The object around it is a level, too.
        inner = opening * (levels - 1) + scalar + closing * (levels - 1)
        return b'{"x":' + inner + b"}"

    parse_json_object(nested(MAX_JSON_DEPTH - 1, b"1"))
    with pytest.raises(MalformedJws):
        parse_json_object(nested(MAX_JSON_DEPTH, b"1"))


def test_brackets_in_texts_are_no_depth() -> None:
    assert parse_json_object(b'{"a":"' + b"[{" * 50 + b'"}') == {"a": "[{" * 50}
