"""Whatever comes from outside, the phone answers with its own errors or not at all."""

import base64
import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_stub.cards import Card, Credential
from mobile_stub.device_key import new_key
from mobile_stub.errors import PhoneError, Refused
from mobile_stub.esc_code import parse_static_code
from mobile_stub.network import parse_json
from mobile_stub.offers import GRANT_TYPE, parse_offer
from mobile_stub.received import check_credential, end_of, sd_jwt_claims

KEY = new_key()
PREFIX = "https://esc.gg/6c0cd14e-c754-11f0-8001-001999853261#E1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)


def _text(e1: bytes) -> str:
    return PREFIX + base64.b32encode(e1).decode().rstrip("=")


def _e1(claims: object) -> bytes:
    return cbor2.dumps(cbor2.CBORTag(18, [b"", {}, cbor2.dumps(claims), bytes(64)]))


@given(st.binary(max_size=300))
def test_random_bytes_are_no_code(content: bytes) -> None:
    with pytest.raises(Refused):
        parse_static_code(_text(content))


@pytest.mark.parametrize("end", [-1, 2**32, 1.5, "1", None, [], cbor2.CBORTag(4, [10**6, 1])])
def test_a_code_must_end_at_a_time(end: object) -> None:
    key = {1: 2, -1: 1, -2: bytes(32), -3: True}
    with pytest.raises(Refused):
        parse_static_code(_text(_e1({4: end, 8: {1: key}})))


@pytest.mark.parametrize(
    "key", [None, {}, {1: 2, -1: 1, -2: bytes(32)}, {1: 1, -1: 6, -2: bytes(32), -3: True}]
)
def test_a_code_must_name_a_key_of_p_256(key: object) -> None:
    with pytest.raises(Refused):
        parse_static_code(_text(_e1({4: 1, 8: {1: key}})))


@given(JSON)
def test_any_other_json_is_no_offer(value: object) -> None:
    with pytest.raises(PhoneError):
        parse_offer(json.dumps(value))


@given(st.dictionaries(st.sampled_from(["pre-authorized_code", "tx_code"]), JSON), JSON, JSON)
def test_any_other_member_of_an_offer_is_refused(
    grant: object, issuer: object, ids: object
) -> None:
    with pytest.raises(PhoneError):
        parse_offer(
            json.dumps(
                {
                    "credential_issuer": issuer,
                    "credential_configuration_ids": ids,
                    "grants": {GRANT_TYPE: grant},
                }
            )
        )


@given(JSON, st.sampled_from(["dc+sd-jwt", "esc-qr", "mso_mdoc"]))
def test_any_other_credential_is_refused_or_kept_as_text(value: object, name: str) -> None:
    try:
        kept = check_credential(name, value, KEY)
    except Refused:
        return
    assert kept == Credential("mso_mdoc", str(value))


@pytest.mark.parametrize("text", ["", "~", "a~", "a.b.c", "a.b.c~", "e30.e30.e30~", "\x1b[2J~"])
def test_what_is_no_sd_jwt_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        check_credential("dc+sd-jwt", text, KEY)


def test_a_payload_nested_without_end_is_refused() -> None:
    payload = base64.urlsafe_b64encode(b"[" * 150_000).decode().rstrip("=")
    with pytest.raises(Refused):
        sd_jwt_claims(f"e30.{payload}.e30~")


def test_an_end_beyond_the_calendar_is_not_shown() -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": 10**30}).encode()).decode().rstrip("=")
    header = base64.urlsafe_b64encode(b'{"alg":"ES256"}').decode().rstrip("=")
    card = Card(
        "https://a.example",
        "",
        credentials={"a": Credential("dc+sd-jwt", f"{header}.{payload}.AA~")},
    )
    assert end_of(card) is None


@pytest.mark.parametrize("text", ["", "{", '{"a":1,"a":2}', "[" * 99_999, "1" * 5_000, "\ud800"])
def test_what_is_no_json_is_nothing(text: str) -> None:
    assert parse_json(text) is None
