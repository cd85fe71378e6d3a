"""Base32 as RFC 4648 has it, and one text for each byte string."""

import base64

import pytest

from verifier.base32 import decode_base32, encode_base32
from verifier.errors import MalformedCode


@pytest.mark.parametrize("text", ["a", "aa", "A", "AAA", "AB======", "A1", "AB", "AÄ", "A A"])
def test_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(MalformedCode):
        decode_base32(text)


@pytest.mark.parametrize("length", [*range(20), 79, 80, 81, 278, 353, 640, 700])
def test_any_length_is_written_as_the_standard_library_does_and_read_back(length: int) -> None:
    for data in (bytes(length), b"\xff" * length, bytes(i * 37 % 256 for i in range(length))):
        text = encode_base32(data)
        assert text == base64.b32encode(data).decode().rstrip("=")
        assert decode_base32(text) == data
