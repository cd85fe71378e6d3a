"""Vectors of ESI and ESCN as texts of their own."""

from collections.abc import Iterator
from typing import Any

from generating.cards import ESCN, ESI_PREFIX
from generating.vector import Vector


def vectors() -> Iterator[Vector]:
    yield from _good_esis()
    yield from _bad_esis()
    yield from _escns()


def _identifier(check: str, name: str, text: str, result: dict[str, Any] | None = None) -> Vector:
    expect = "MalformedIdentifier" if result is None else "valid"
    return Vector(check, name, check, expect, text, result)


def _good_esis() -> Iterator[Vector]:
    for name, suffix in {
        "country": "lv:1234567890123456",
        "country_in_upper_case": "LV:1234567890123456",
        "region": "es-ct:12345678",
        "domain": "uni-a.example:s123456",
        "deep_domain": "students.uni.a.example:7",
        "code_with_punctuation": "a.example:()+,-.=@;$_!*'",
        "code_with_colon": "a.example:x:y",
        "code_with_percent_escape": "a.example:%C4%81",
        "of_255_characters": "lv:" + "1" * (255 - len(ESI_PREFIX) - 3),
    }.items():
        scope, _, code = suffix.partition(":")
        text = ESI_PREFIX + suffix
        result = {"scope": scope, "code": code, "normal": text.lower()}
        yield _identifier("esi", f"valid_{name}", text, result)
    text = ESI_PREFIX.upper() + "lv:123"
    result = {"scope": "lv", "code": "123", "normal": (ESI_PREFIX + "lv:123").lower()}
    yield _identifier("esi", "valid_prefix_in_upper_case", text, result)


def _bad_esis() -> Iterator[Vector]:
    for name, text in {
        "empty": "",
        "prefix_only": ESI_PREFIX,
        "without_prefix": "lv:123",
        "prefix_of_int": ESI_PREFIX.replace(":int:", ":eu:") + "lv:123",
        "without_scope": ESI_PREFIX + "123",
        "without_code": ESI_PREFIX + "lv:",
        "empty_scope": ESI_PREFIX + ":123",
        "scope_of_three_letters": ESI_PREFIX + "lva:123",
        "scope_of_one_label": ESI_PREFIX + "university:123",
        "scope_with_underscore": ESI_PREFIX + "uni_a.example:123",
        "scope_begins_with_dash": ESI_PREFIX + "-a.example:123",
        "scope_ends_with_dot": ESI_PREFIX + "a.example.:123",
        "scope_with_two_dots": ESI_PREFIX + "a..example:123",
        "scope_label_of_64_characters": ESI_PREFIX + "a" * 64 + ".example:1",
        "scope_is_an_address": ESI_PREFIX + "192.0.2.1:123",
        "scope_outside_ascii": ESI_PREFIX + "ķ.example:123",
        "region_of_four_letters": ESI_PREFIX + "es-ctxx:123",
        "code_with_space": ESI_PREFIX + "lv:12 3",
        "code_with_slash": ESI_PREFIX + "lv:12/3",
        "code_with_question_mark": ESI_PREFIX + "lv:12?3",
        "code_with_hash": ESI_PREFIX + "lv:12#3",
        "code_with_ampersand": ESI_PREFIX + "lv:12&3",
        "code_outside_ascii": ESI_PREFIX + "lv:ā",
        "code_with_percent_zero": ESI_PREFIX + "lv:%00",
        "code_with_percent_alone": ESI_PREFIX + "lv:12%",
        "code_with_percent_and_one_digit": ESI_PREFIX + "lv:12%4",
        "code_with_line_feed": ESI_PREFIX + "lv:123\n",
        "space_before": " " + ESI_PREFIX + "lv:123",
        "kelvin_sign_in_scope": ESI_PREFIX + "\u212aa.example:123",
        "of_256_characters": ESI_PREFIX + "lv:" + "1" * (256 - len(ESI_PREFIX) - 3),
        "legacy_form": "LV-999800001-123456",
    }.items():
        yield _identifier("esi", name, text)


def _escns() -> Iterator[Vector]:
    result = {"escn": ESCN, "pic": "999800001", "prefix": "001"}
    yield _identifier("escn", "valid", ESCN, result)
    yield _identifier("escn", "valid_upper_case", ESCN.upper(), result)
    for variant in "89ab":
        text = ESCN[:19] + variant + ESCN[20:]
        yield _identifier("escn", f"valid_variant_{variant}", text, {**result, "escn": text})
    for name, text in {
        "empty": "",
        "short": ESCN[:-1],
        "long": ESCN + "1",
        "version_4": ESCN[:14] + "4" + ESCN[15:],
        "version_6": ESCN[:14] + "6" + ESCN[15:],
        "variant_7": ESCN[:19] + "7" + ESCN[20:],
        "variant_c": ESCN[:19] + "c" + ESCN[20:],
        "node_with_letter": ESCN[:-1] + "f",
        "prefix_with_letter": ESCN.replace("-001", "-00a"),
        "without_dashes": ESCN.replace("-", ""),
        "dashes_elsewhere": ESCN[:7] + "-" + ESCN[7] + ESCN[9:],
        "in_braces": "{" + ESCN[1:-1] + "}",
        "urn": "urn:uuid:" + ESCN,
        "letter_g": "g" + ESCN[1:],
        "line_feed_at_end": ESCN + "\n",
        "space_before": " " + ESCN,
        "arabic_digit": ESCN[:-1] + "١",
        "full_width_letter": "ａ" + ESCN[1:],
    }.items():
        yield _identifier("escn", name, text)
