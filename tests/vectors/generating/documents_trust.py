"""Vectors of the trust list: who signed it, its sequence, its times, its members."""

from collections.abc import Iterator
from typing import Any

from generating.encodings import b64url, compact_json
from generating.keys import private_key, public_jwk, sign, thumbprint
from generating.vector import DAY, NOW, YEAR, Vector
from generating.world import (
    PIC_A,
    institution_a,
    institution_b,
    key_entry,
    list_uri,
    signed_jwt,
    trust_claims,
    trust_list,
)

TYP = "esc-trust-list+jwt"


def vectors() -> Iterator[Vector]:
    yield from _valid()
    yield from _signatures()
    yield from _sequence_and_time()
    yield from _forms()
    yield from _members()
    yield from _keys()


def trust(name: str, expect: str, payload: str, **more: Any) -> Vector:
    comment, result = more.pop("comment", ""), more.pop("result", None)
    headers = {"now": str(NOW)} | {key: str(value) for key, value in more.items()}
    if expect == "valid" and result is None:
        result = {"sequence": 10, "institutions": ["999800001", "999800002"], "anchors": ["trust"]}
    return Vector("trust_list", name, "trust-list", expect, payload, result, comment, headers)


def _valid() -> Iterator[Vector]:
    yield trust("valid", "valid", trust_list())
    yield trust("valid_same_sequence_again", "valid", trust_list(), least_sequence=10)
    both = trust_list(anchors=[public_jwk("trust"), public_jwk("trust-next")], sequence=11)
    result = {"sequence": 11, "institutions": ["999800001", "999800002"]}
    announced = {**result, "anchors": ["trust", "trust-next"]}
    yield trust("valid_rotation_announced", "valid", both, least_sequence=10, result=announced)
    rotated = trust_list(label="trust-next", anchors=[public_jwk("trust-next")], sequence=12)
    result = {**result, "sequence": 12, "anchors": ["trust-next"]}
    yield trust(
        "valid_rotation_done",
        "valid",
        rotated,
        anchors="trust trust-next",
        least_sequence=11,
        result=result,
    )
    unknown = trust_list(
        future_member={"a": 1}, institutions=[institution_a(extra=[1]), institution_b()]
    )
    yield trust("valid_with_unknown_members", "valid", unknown)
    addressed = trust_list(bundle="https://cards.example/bundle")
    yield trust("valid_with_its_address", "valid", addressed)
    nobody = {"sequence": 10, "institutions": [], "anchors": ["trust"]}
    yield trust("valid_without_institutions", "valid", trust_list(institutions=[]), result=nobody)


def _signatures() -> Iterator[Vector]:
    bad = "DocumentUntrusted"
    yield trust("signed_by_a_stranger", bad, trust_list(label="stranger"))
    yield trust("signed_by_an_institution", bad, trust_list(label="a-active"))
    rotated = trust_list(label="trust-next", anchors=[public_jwk("trust-next")], sequence=12)
    yield trust("rotation_that_was_not_announced", bad, rotated, least_sequence=10)
    yield trust("signed_by_a_key_rotated_away", bad, trust_list(), anchors="trust-next")
    head, payload, signature = trust_list().split(".")
    changed = b64url(compact_json(trust_claims(sequence=99)))
    yield trust("changed_after_signing", bad, f"{head}.{changed}.{signature}")
    header = {"alg": "ES256", "typ": TYP, "kid": thumbprint("trust")}
    body = f"{b64url(compact_json(header))}.{payload}"
    forged = f"{body}.{b64url(sign('stranger', body.encode()))}"
    yield trust("signed_by_a_stranger_under_the_kid", bad, forged)


def _sequence_and_time() -> Iterator[Vector]:
    yield trust("rolled_back", "DocumentRolledBack", trust_list(), least_sequence=11)
    for name, expect, changes in (
        ("made_a_minute_ahead", "valid", {"iat": NOW + 60}),
        ("from_the_future", "DocumentFromFuture", {"iat": NOW + 61}),
        ("ended_within_the_leeway", "valid", {"exp": NOW - 59}),
        ("expired", "DocumentExpired", {"exp": NOW - 60}),
        ("expired_a_year_ago", "DocumentExpired", {"iat": NOW - YEAR - DAY, "exp": NOW - YEAR}),
    ):
        name = f"valid_{name}" if expect == "valid" else name
        yield trust(name, expect, trust_list(**changes))


def _forms() -> Iterator[Vector]:
    bad = "MalformedDocument"
    good, claims = trust_list(), trust_claims()
    yield trust("empty", bad, "")
    yield trust("two_parts", bad, good.rpartition(".")[0])
    yield trust("typ_jwt", bad, signed_jwt("trust", "JWT", claims))
    yield trust("typ_of_a_status_list", bad, signed_jwt("trust", "statuslist+jwt", claims))
    yield trust("alg_none", bad, signed_jwt("trust", TYP, claims, alg="none"))
    yield trust("alg_es512", bad, signed_jwt("trust", TYP, claims, alg="ES512"))
    yield trust("crit", bad, signed_jwt("trust", TYP, claims, crit=["exp"]))
    yield trust("padding", bad, good + "==")
    yield trust("white_space_after", bad, good + " ")
    yield trust("name_twice", bad, _with_member(b'"sequence":11'))
    yield trust("lone_surrogate", bad, _with_member(rb'"x":"\ud800"'))
    yield trust("lone_surrogate_in_a_name", bad, _with_member(rb'"\udfff":1'))
    yield trust("surrogates_in_the_wrong_order", bad, _with_member(rb'"x":"\ude00\ud83d"'))
    yield trust("integer_of_4301_digits", bad, _with_member(b'"x":' + b"1" * 4301))
    yield trust("valid_integer_of_4300_digits", "valid", _with_member(b'"x":-' + b"1" * 4300))
    yield trust("valid_pair_of_surrogates", "valid", _with_member(rb'"x":"\ud83d\ude00"'))


def _with_member(member: bytes) -> str:
    """The usual list with one member more, written as it is."""
    text = compact_json(trust_claims())[:-1] + b"," + member + b"}"
    body = f"{trust_list().partition('.')[0]}.{b64url(text)}"
    return f"{body}.{b64url(sign('trust', body.encode()))}"


def _members() -> Iterator[Vector]:
    bad = "MalformedDocument"
    for name in ("version", "sequence", "iat", "exp", "anchors", "types", "institutions"):
        claims = trust_claims()
        del claims[name]
        yield trust(f"missing_{name}", bad, signed_jwt("trust", TYP, claims))
    a, b = institution_a(), institution_b()
    for name, changes in {
        "version_2": {"version": 2},
        "version_true": {"version": True},
        "version_text": {"version": "1"},
        "sequence_0": {"sequence": 0},
        "sequence_text": {"sequence": "10"},
        "sequence_with_fraction": {"sequence": 10.0},
        "sequence_true": {"sequence": True},
        "exp_text": {"exp": "tomorrow"},
        "anchors_empty": {"anchors": []},
        "anchors_object": {"anchors": {}},
        "anchor_private": {"anchors": [{**public_jwk("trust"), "d": _private("trust")}]},
        "anchor_other_curve": {"anchors": [{**public_jwk("trust"), "crv": "P-521"}]},
        "types_array": {"types": []},
        "bundle_number": {"bundle": 1},
        "bundle_null": {"bundle": None},
        "bundle_empty": {"bundle": ""},
        "bundle_of_1025_characters": {"bundle": "https://esc.example/" + "x" * 1005},
        "type_number": {"types": {"https://esc.example/types/x": 1}},
        "institutions_object": {"institutions": {}},
        "institution_text": {"institutions": ["999800001"]},
        "pic_twice": {"institutions": [a, institution_b(pic=PIC_A)]},
        "issuer_twice": {"institutions": [a, institution_b(issuer=a["issuer"])]},
        "status_list_address_twice": {
            "institutions": [
                a,
                institution_b(status_lists=[{"number": 1, "uri": list_uri(PIC_A, 1)}]),
            ]
        },
        "status_list_number_twice": {
            "institutions": [
                institution_b(
                    status_lists=[
                        *b["status_lists"],
                        {"number": 1, "uri": "https://esc.example/x"},
                    ]
                )
            ]
        },
        "key_twice": {
            "institutions": [institution_b(keys=[*b["keys"], key_entry("b-active", "retired")])]
        },
        "pic_of_8_digits": {"institutions": [institution_b(pic="99980000")]},
        "pic_number": {"institutions": [institution_b(pic=999800002)]},
        "name_empty": {"institutions": [institution_b(name="")]},
        "esi_scopes_text": {"institutions": [institution_b(esi_scopes="pl")]},
        "esi_scope_number": {"institutions": [institution_b(esi_scopes=[1])]},
        "status_list_number_0": {
            "institutions": [
                institution_b(status_lists=[{"number": 0, "uri": "https://esc.example/x"}])
            ]
        },
        "status_lists_object": {"institutions": [institution_b(status_lists={})]},
        "keys_object": {"institutions": [institution_b(keys={})]},
        "processor_number": {"institutions": [institution_b(processor=1)]},
        "country_missing": {"institutions": [{k: v for k, v in b.items() if k != "country"}]},
    }.items():
        yield trust(name, bad, trust_list(**changes))


def _keys() -> Iterator[Vector]:
    entry = key_entry("b-active")
    without_time = {name: value for name, value in entry.items() if name != "valid_until"}
    for name, key in {
        "key_state_unknown": {**entry, "state": "lost"},
        "key_without_end": without_time,
        "key_compromised_without_since": {**entry, "state": "compromised"},
        "key_private": {**entry, "jwk": {**public_jwk("b-active"), "d": _private("b-active")}},
        "key_not_a_point": {
            **entry,
            "jwk": {**public_jwk("b-active"), "y": public_jwk("trust")["y"]},
        },
        "key_rsa": {**entry, "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        "key_x_padded": {
            **entry,
            "jwk": {**public_jwk("b-active"), "x": public_jwk("b-active")["x"] + "="},
        },
    }.items():
        yield trust(
            name, "MalformedDocument", trust_list(institutions=[institution_b(keys=[key])])
        )


def _private(label: str) -> str:
    return b64url(private_key(label).private_numbers().private_value.to_bytes(32))
