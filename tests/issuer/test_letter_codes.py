"""The code on a letter: random, readable, and the same however it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.letter_codes import ALPHABET, grouped, hash_code, new_code, normal_code
from issuer.sealing import Sealer

SEALER = Sealer(b"s" * 32)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "7K3M-9QXA-2C4D", "7K3M-9QXA-2C4D-8HJT-1", "7K3M-9QXA-2C4D-8HJ!", "ā" * 16),
        *(" " * 64, "0" * 65, "7K3M9QXA2C4D8HJ\x00", "٧" * 16, "<script>alert(1)"),
    ],
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert normal_code(typed) is None
    assert hash_code(SEALER, typed) == hash_code(SEALER, "")


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "7k3m9qxa2c4d8hj0",
            " 7K3M 9QXA 2C4D 8HJO ",
            "7K3M–9QXA—2C4D−8HJ0",
            "7K3M.9QXA_2C4D.8HJo",
        ),
    ],
)
def test_case_spaces_dashes_and_confusions_do_not_matter(typed: str) -> None:
    assert normal_code(typed) == "7K3M9QXA2C4D8HJ0"


def test_letters_that_look_like_digits_are_those_digits() -> None:
    assert normal_code("OoIi-LlUu-0000-0000") == "001111VV00000000"


@given(st.text(ALPHABET, min_size=16, max_size=16))
def test_every_code_survives_grouping(code: str) -> None:
    assert normal_code(grouped(code).lower()) == code


def test_codes_have_eighty_bits_and_are_new_each_time() -> None:
    codes = {new_code() for _ in range(500)}

    assert len(codes) == 500
    assert len(ALPHABET) ** 16 == 2**80
    assert set("".join(codes)) == set(ALPHABET) | {"-"}
    assert all(len(code) == 19 for code in codes)


def test_the_stored_hash_needs_the_deployments_secret() -> None:
    code = new_code()

    assert hash_code(SEALER, code) == hash_code(SEALER, code.lower())
    assert hash_code(SEALER, code) != hash_code(Sealer(b"t" * 32), code)
