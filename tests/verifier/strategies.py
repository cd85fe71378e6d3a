"""What the property tests draw from, and the profile that makes them the same on every machine."""

import string
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.verifier.vector_files import FOLDER, read_vector
from verifier.card_claims import CardClaims, HolderKey
from verifier.errors import CardError
from verifier.escn import escn_at
from verifier.identifiers import AcademicLevel, Pic

derandomized = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

SECONDS = st.integers(0, 0xFFFFFFFF)
PICS = st.from_regex(r"[0-9]{9}", fullmatch=True)
ESCNS = st.builds(
    lambda tick, sequence, prefix, pic: escn_at(
        tick, clock_sequence=sequence, prefix=f"{prefix:03d}", pic=Pic(pic)
    ),
    st.integers(0, (1 << 60) - 1),
    st.integers(0, (1 << 14) - 1),
    st.integers(0, 999),
    PICS,
)
_CODE = st.text(string.ascii_letters + string.digits + "()+,-.:=@;$_!*'", min_size=1, max_size=40)
ESI_SUFFIXES = st.builds(
    lambda scope, code: f"{scope}:{code}",
    st.sampled_from(["lv", "PL", "es-CT", "uni.example", "Students.Uni-A.example"]),
    _CODE,
)
_SHOWN = st.characters(exclude_categories=["C", "Z"])
NAMES = st.text(_SHOWN, min_size=1, max_size=16)
HOLDERS = st.builds(HolderKey, st.binary(min_size=32, max_size=32), st.booleans())


@st.composite
def card_claims(draw: Any) -> CardClaims:
    issued_at = draw(st.integers(0, 0xFFFFFFFE))
    return CardClaims(
        issued_at=issued_at,
        expires_at=draw(st.integers(issued_at + 1, 0xFFFFFFFF)),
        name=draw(NAMES),
        level=draw(st.none() | st.sampled_from(AcademicLevel)),
        esi=draw(st.none() | ESI_SUFFIXES),
        status_list=draw(SECONDS),
        status_index=draw(SECONDS),
        holder_key=draw(HOLDERS),
    )


ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)  # lone surrogates too
# Names that SD-JWT keeps for itself; hypothesis finds them in our modules and tries them.
MEMBERS = NAMES.filter(lambda name: name not in {"_sd", "_sd_alg", "..."})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=3),
    max_leaves=6,
)


def payload_of(path: str) -> str:
    """What a vector holds."""
    return read_vector((FOLDER / path).read_bytes()).payload


def refused_or_read(read: Any, *arguments: Any, **options: Any) -> None:
    """Anything but an answer or a refusal fails the test by itself."""
    try:
        read(*arguments, **options)
    except CardError:
        return
