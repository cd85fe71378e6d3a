"""Folded text: what staff type finds what the institution wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.searching import fold


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Žaneta Bērziņa", "zaneta berzina"),
        ("Łukasz Wójcik", "lukasz wojcik"),
        ("Ġorġ Ħabib", "gorg habib"),
        ("Íñigo Núñez", "inigo nunez"),
        ("Ελένη Παπαδοπούλου", "ελενη παπαδοπουλου"),
        ("Straße", "strasse"),
    ],
)
def test_marks_and_case_are_folded(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
