"""Every damage to a valid code or document, not samples of it, is refused."""

import string
import time

import pytest

from tests.verifier.strategies import (
    payload_of,
    refused_or_read,
)
from tests.verifier.vector_files import CHECKS, FOLDER, VectorFile, knowledge_of, read_vector
from verifier import verify_card
from verifier.cbor import read_cbor
from verifier.errors import CardError, NotACard
from verifier.esc_qr import parse_code
from verifier.identifiers import (
    parse_escn,
    parse_esi,
)
from verifier.jws import parse_jws
from verifier.sd_jwt_vc import parse_credential
from verifier.status import (
    parse_status_list_token,
)
from verifier.strict_json import parse_json_object

NOW = 1_800_000_000
CODES = ["esc_qr/valid_static_status.txt", "esc_qr/valid_live_identity.txt"]


def _is_refused(text: str) -> bool:
    try:
        verify_card(
            text, knowledge=knowledge_of("usual.escbundle", 1_800_000_000), now=1_800_000_000
        )
    except CardError:
        return True
    return False


@pytest.mark.parametrize("path", CODES)
def test_every_truncation_of_a_code_is_refused(path: str) -> None:
    text = payload_of(path)
    assert not _is_refused(text)
    assert all(_is_refused(text[:end]) for end in range(len(text)))
    assert all(_is_refused(text[start:]) for start in range(1, len(text)))


@pytest.mark.parametrize("path", CODES)
def test_every_change_of_one_character_of_a_code_is_refused(path: str) -> None:
    text = payload_of(path)
    for at, letter in enumerate(text):
        for other in set(string.printable) - {letter}:
            changed = text[:at] + other + text[at + 1 :]
            assert _is_refused(changed), (at, other)


@pytest.mark.parametrize("path", CODES)
def test_every_character_left_out_or_doubled_or_swapped_is_refused(path: str) -> None:
    text = payload_of(path)
    for at in range(len(text)):
        assert _is_refused(text[:at] + text[at + 1 :]), at
        assert _is_refused(text[: at + 1] + text[at:]), at
    for at in range(len(text) - 1):
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        assert swapped == text or _is_refused(swapped), at


# (Without key binding a presentation may lose its last disclosure: a wallet chooses those.)
@pytest.mark.parametrize(
    "path", ["sd_jwt_vc/valid_key_binding.txt", "trust_list/valid_without_institutions.txt"]
)
def test_every_change_of_one_character_of_a_signed_document_is_refused(path: str) -> None:
    vector = read_vector((FOLDER / path).read_bytes())
    check, text = CHECKS[vector.headers["check"]], vector.payload
    for at, letter in enumerate(text):
        for other in {"A", "Q", "-", "~", ".", "="} - {letter}:
            changed = VectorFile(vector.headers, text[:at] + other + text[at + 1 :])
            with pytest.raises(CardError):
                check(changed)


@pytest.mark.parametrize("letter", ["A", " ", "\n", "#", "ā", "[", "~", "."])
def test_a_megabyte_of_text_is_refused_at_once(letter: str) -> None:
    text = payload_of(CODES[0]) + letter * 1_000_000
    began = time.process_time()
    with pytest.raises(NotACard):
        parse_code(text)
    for read in (parse_credential, parse_status_list_token, parse_esi, parse_escn):
        refused_or_read(read, text)
    refused_or_read(parse_json_object, text.encode())
    refused_or_read(parse_json_object, (letter * 1_000_000).encode())
    refused_or_read(parse_jws, text, expected_typ="x", max_chars=2_000_000)
    refused_or_read(read_cbor, text.encode())
    assert time.process_time() - began < 1
