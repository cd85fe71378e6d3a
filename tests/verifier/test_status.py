"""What the vectors of status lists leave out: packing, and the caps on what is carried."""

from typing import Any

import pytest

from verifier.errors import DocumentTooLarge, MalformedDocument
from verifier.status import (
    MAX_TOKEN_CHARS,
    WIDTHS,
    compress,
    decompress,
    pack_entries,
    parse_status_list_token,
    status_list_payload,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 3},
        {"width": 0},
        {"size": 12},
        {"size": 0},
        {"size": -8},
        {"values": {8: 1}},
        {"values": {-1: 1}},
        {"values": {0: 4}},
        {"values": {0: -1}},
    ],
)
def test_a_list_is_not_packed_out_of_its_range(changes: dict[str, Any]) -> None:
    options = {"values": {}, "width": 2, "size": 8, **changes}
    with pytest.raises(MalformedDocument):
        pack_entries(options.pop("values"), **options)


def test_a_list_is_not_unpacked_with_another_width() -> None:
    text = compress(pack_entries({}, width=2, size=8))
    with pytest.raises(MalformedDocument):
        decompress(text, width=3)


def test_a_token_beyond_its_cap_is_not_looked_at() -> None:
    with pytest.raises(DocumentTooLarge):
        parse_status_list_token("." * (MAX_TOKEN_CHARS + 1))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_claims_of_a_list_hold_its_entries(width: int) -> None:
    entries = pack_entries({3: 1}, width=width, size=16)
    claims = status_list_payload(
        entries,
        uri="https://cards.example/status-lists/1",
        issued_at=1,
        expires_at=3,
        ttl=2,
        aggregation_uri="https://cards.example/status-lists",
    )
    assert (claims["sub"], claims["iat"], claims["exp"], claims["ttl"]) == (
        "https://cards.example/status-lists/1",
        1,
        3,
        2,
    )
    body = claims["status_list"]
    assert decompress(body["lst"], width=body["bits"]) == entries
