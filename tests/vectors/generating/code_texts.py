"""Vectors of step 1, the text: addresses, card numbers, versions, base32."""

from collections.abc import Iterator

from generating.cards import ESCN, card, e1, e2, members, says, text1, text2
from generating.encodings import base32, cbor
from generating.vector import Vector

URL = f"https://esc.gg/{ESCN}"


def vectors() -> Iterator[Vector]:
    yield from _other_texts()
    yield from _unsigned()
    yield from _card_numbers()
    yield from _versions()
    yield from _base32()
    yield from _truncations()
    yield from _white_space()


def _other_texts() -> Iterator[Vector]:
    good = text1(e1())
    rest = good.removeprefix("https://esc.gg/")
    for name, text in {
        "text_empty": "",
        "text_plain": "Hello",
        "text_foreign_url": "https://www.example.com/student/" + ESCN,
        "text_similar_host": "https://esc.gg.example/" + rest,
        "text_host_in_userinfo": "https://esc.gg@host.example/" + rest,
        "text_with_port": "https://esc.gg:443/" + rest,
        "text_upper_case_address": "HTTPS://ESC.GG/" + rest,
        "text_without_scheme": "esc.gg/" + rest,
        "text_path_before_card_number": "https://esc.gg/card/" + rest,
        "text_of_701_characters": good + "A" * (701 - len(good)),
    }.items():
        expect = "MalformedIdentifier" if name.startswith("text_path") else "NotACard"
        yield card(name, expect, text)
    within = good + "A" * (700 - len(good))
    yield card(
        "text_of_700_characters", "MalformedCode", within, comment="not too long, but wrong"
    )


def _unsigned() -> Iterator[Vector]:
    fragment = text1(e1()).partition("#")[2]
    for name, prefix in {
        "http": "http://esc.gg/",
        "http_pp": "http://pp.esc.gg/",
        "https_pp": "https://pp.esc.gg/",
    }.items():
        yield card(f"unsigned_old_address_{name}", "UnsignedCode", prefix + ESCN)
        text = f"{prefix}{ESCN}#{fragment}"
        yield card(f"unsigned_old_address_{name}_with_fragment", "UnsignedCode", text)
    yield card("unsigned_card_number", "UnsignedCode", URL)
    yield card("unsigned_upper_case", "UnsignedCode", f"https://esc.gg/{ESCN.upper()}")
    text = f"http://esc.gg/{ESCN[:-1]}"
    yield card("unsigned_old_address_number_cut_off", "MalformedIdentifier", text)


def _card_numbers() -> Iterator[Vector]:
    data = e1()
    for name, escn in {
        "version_4": ESCN[:14] + "4" + ESCN[15:],
        "variant_c": ESCN[:19] + "c" + ESCN[20:],
        "node_with_letter": ESCN[:-1] + "a",
        "short": ESCN[:-1],
        "long": ESCN + "0",
        "without_dashes": ESCN.replace("-", ""),
        "in_braces": "{" + ESCN + "}",
        "not_hexadecimal": "g" + ESCN[1:],
        "with_query": ESCN + "?a=b",
        "with_slash": ESCN + "/",
        "empty": "",
        "arabic_digit": ESCN[:-1] + "١",
    }.items():
        yield card(f"card_number_{name}", "MalformedIdentifier", text1(data, escn))
    yield card("card_number_upper_case", "MalformedCode", text1(data, ESCN.upper()))


def _versions() -> Iterator[Vector]:
    encoded = base32(e1())
    for name, version in {
        "e0": "E0",
        "e3": "E3",
        "lower_case": "e1",
        "other_letter": "F1",
        "missing": "",
    }.items():
        yield card(f"version_{name}", "UnknownVersion", f"{URL}#{version}{encoded}")
    yield card("version_cut_off", "UnknownVersion", f"{URL}#E")
    yield card("fragment_empty", "MalformedCode", f"{URL}#")
    yield card("fragment_with_version_only", "MalformedCode", f"{URL}#E1")
    yield card("fragment_with_live_version_only", "MalformedCode", f"{URL}#E2")
    yield card("e1_as_e2", "MalformedCode", f"{URL}#E2{encoded}")
    yield card("e2_as_e1", "MalformedCode", text1(e2()))


def _base32() -> Iterator[Vector]:
    good = text1(_with_unused_bits())
    start = len(URL) + 3
    for name, text in {
        "lower_case": good[:start] + good[start:].lower(),
        "one_lower_case_letter": good[:start] + good[start:].replace("Q", "q", 1),
        "padding": good + "=" * (-len(good[start:]) % 8),
        "unused_bits_set": good[:-1] + _next_letter(good[-1]),
        "impossible_length": good + ("A" if len(good[start:]) % 8 in (0, 2, 5) else "AA"),
        "digit_zero": good[:start] + "0" + good[start + 1 :],
        "digit_one": good[:start] + "1" + good[start + 1 :],
        "space_inside": good[:start] + " " + good[start:],
        "line_break_inside": good[:start] + "\n" + good[start:],
        "percent_escape": good[:start] + "%32" + good[start + 1 :],
        "full_width_letter": good[:start] + "２" + good[start + 1 :],
    }.items():
        yield card(f"base32_{name}", "MalformedCode", text)


def _with_unused_bits() -> bytes:
    """An E1 whose base32 has unused bits: of a length that 5 does not divide."""
    for name in ("Līga", "Līga B", "Līga Bē"):
        data = e1(members({"n": name}))
        if len(data) % 5:
            return data
    raise ValueError("no length fits")


def _next_letter(letter: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return alphabet[alphabet.index(letter) + 1]


def _truncations() -> Iterator[Vector]:
    for kind, data, text_of in (("e1", e1(), text1), ("e2", e2(), text2)):
        for cut in (1, 2, 64, len(data) // 2):
            payload = text_of(data[:-cut])
            yield card(f"truncated_{kind}_by_{cut}_bytes", "MalformedCode", payload)
        yield card(f"trailing_byte_{kind}", "MalformedCode", text_of(data + b"\x00"))
    yield card("trailing_byte_in_payload", "MalformedCode", text1(e1(cbor(members()) + b"\x00")))


def _white_space() -> Iterator[Vector]:
    good = text1(e1())
    yield card("valid_white_space_around", "valid", f" \t{good}\r\n ", result=says())
    yield card("no_break_space_before", "NotACard", "\u00a0" + good)
    yield card("byte_order_mark_before", "NotACard", "\ufeff" + good)
    yield card("no_break_space_after", "MalformedCode", good + "\u00a0")
