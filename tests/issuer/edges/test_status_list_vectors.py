"""The examples of the Token Status List draft, byte for byte."""

import json
import re
from pathlib import Path

import pytest

from verifier.status import compress, decompress, pack_entries, parse_status_list_token

VECTORS = Path(__file__).parents[2] / "data" / "token-status-list"
SIZE = 2**20
ENCODINGS = ("encoding_json", "encoding2_json")
LONG_ENCODINGS = ("encoding1_long_json", "encoding2_long_json", "encoding4_json", "encoding8_json")
# Appendix "Test vectors for Status List encoding" of the draft.
MARKED = {
    "encoding1_long_json": dict.fromkeys(
        (
            *(0, 1993, 25460, 159495, 495669, 554353),
            *(645645, 723232, 854545, 934534, 1000345),
        ),
        1,
    ),
    "encoding2_long_json": {
        0: 1,
        1993: 2,
        25460: 1,
        159495: 3,
        495669: 1,
        554353: 1,
        645645: 2,
        723232: 1,
        854545: 1,
        934534: 2,
        1000345: 3,
    },
    "encoding4_json": {
        0: 1,
        1993: 2,
        35460: 3,
        459495: 4,
        595669: 5,
        754353: 6,
        845645: 7,
        923232: 8,
        924445: 9,
        934534: 10,
        1004534: 11,
        1000345: 12,
        1030203: 13,
        1030204: 14,
        1030205: 15,
    },
}


def _vector(name: str) -> tuple[int, str]:
    text = (VECTORS / f"{name}.md").read_text("ascii")
    document = json.loads(re.sub(r"\n\s+(?=[A-Za-z0-9_-]+[\"\n])", "", text[text.index("{") :]))
    return document["bits"], document["lst"]


@pytest.mark.parametrize("name", ENCODINGS + LONG_ENCODINGS)
def test_an_example_unpacks_and_packs_again_to_the_same_text(name: str) -> None:
    width, lst = _vector(name)
    entries = decompress(lst, width=width)
    marked = {index: value for index in range(len(entries)) if (value := entries.value_at(index))}
    assert compress(entries, level=9) == lst
    if len(entries) % 8 == 0:  # one of the short examples has 12 entries; we make none such
        assert pack_entries(marked, width=width, size=len(entries)) == entries


@pytest.mark.parametrize("name", MARKED)
def test_an_example_is_made_of_the_entries_that_the_draft_names(name: str) -> None:
    width, lst = _vector(name)
    assert compress(pack_entries(MARKED[name], width=width, size=SIZE), level=9) == lst


def test_the_short_examples_are_made_of_the_drafts_bits() -> None:
    one = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    width, lst = _vector("encoding_json")
    assert compress(pack_entries(dict(enumerate(one)), width=width, size=16), level=9) == lst
    assert decompress(lst, width=1).data == bytes.fromhex("b9a3")
    width, lst = _vector("encoding2_json")
    assert decompress(lst, width=width).data == bytes.fromhex("c944f9")


def test_the_drafts_signed_example_has_the_form_that_we_read() -> None:
    text = re.sub(r"\s", "", (VECTORS / "jwt_raw.md").read_text("ascii"))
    token = parse_status_list_token(text)
    assert token.uri == "https://example.com/statuslists/1"
    assert (token.issued_at, token.expires_at, token.ttl) == (1686920170, 2291720170, 43200)
    assert [token.entries.value_at(index) for index in range(4)] == [1, 0, 0, 1]
