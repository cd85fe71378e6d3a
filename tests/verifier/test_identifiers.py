"""What the vectors of ESI and ESCN leave out: parts alone, and the form from before SCHAC."""

import pytest

from verifier.errors import MalformedIdentifier
from verifier.identifiers import (
    ESI_PREFIX,
    MAX_ESI_CHARS,
    AcademicLevel,
    parse_academic_level,
    parse_esi_suffix,
    parse_legacy_identifier,
    parse_pic,
)


@pytest.mark.parametrize(
    "text", ["", "12345678", "1234567890", "12345678a", "١٢٣٤٥٦٧٨٩", "123456789\n"]
)
def test_a_pic_is_nine_decimal_digits(text: str) -> None:
    with pytest.raises(MalformedIdentifier):
        parse_pic(text)


def test_an_esi_suffix_leaves_room_for_its_prefix() -> None:
    most = MAX_ESI_CHARS - len(ESI_PREFIX)
    assert parse_esi_suffix("lv:" + "1" * (most - 3)).scope == "lv"
    with pytest.raises(MalformedIdentifier):
        parse_esi_suffix("lv:" + "1" * (most - 2))


@pytest.mark.parametrize(
    "text", ["", "LV-12345678-1", "lv-123456789-1", "LV-123456789-", "LV" * 200]
)
def test_another_text_is_not_the_old_form_of_an_identifier(text: str) -> None:
    with pytest.raises(MalformedIdentifier):
        parse_legacy_identifier(text)


def test_the_old_form_of_an_identifier_has_three_parts() -> None:
    assert parse_legacy_identifier("LV-123456789-ab-1") == ("LV", "123456789", "ab-1")


@pytest.mark.parametrize("text", ["", "PHD", "BACHELOR "])
def test_another_word_is_no_academic_level(text: str) -> None:
    with pytest.raises(MalformedIdentifier):
        parse_academic_level(text)


def test_an_academic_level_is_read_in_any_case() -> None:
    assert parse_academic_level("Master") is AcademicLevel.MASTER
