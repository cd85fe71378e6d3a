"""Vectors of an SD-JWT VC's later steps: institution, key, claims, times, status."""

from collections.abc import Iterator
from typing import Any

from generating import world
from generating.cards import ESCN, ESI_PREFIX, ISSUED, OMIT
from generating.credentials import credential, jws, says_all, vc
from generating.encodings import b64url
from generating.keys import public_jwk
from generating.vector import DAY, NOW, YEAR, Vector


def vectors() -> Iterator[Vector]:
    yield from _claims()
    yield from _institution()
    yield from _times()
    yield from _entitlement()
    yield from _status()


def _claims() -> Iterator[Vector]:
    bad = "MalformedCredential"
    for name in ("iss", "nbf", "exp", "cnf", "vct", "status"):
        yield vc(f"claim_missing_{name}", bad, credential({name: OMIT}))
    status_list = {"idx": 0, "uri": world.list_uri(world.PIC_A, 1)}
    jwk = public_jwk("phone")
    for name, changes in {
        "iss_number": {"iss": 7},
        "nbf_text": {"nbf": str(ISSUED)},
        "nbf_true": {"nbf": True},
        "exp_negative": {"exp": -1},
        "exp_beyond_32_bits": {"exp": 1 << 32},
        "exp_null": {"exp": None},
        "vct_empty": {"vct": ""},
        "vct_number": {"vct": 1},
        "status_empty": {"status": {}},
        "status_text": {"status": "valid"},
        "status_index_negative": {"status": {"status_list": {**status_list, "idx": -1}}},
        "status_index_text": {"status": {"status_list": {**status_list, "idx": "0"}}},
        "status_index_with_fraction": {"status": {"status_list": {**status_list, "idx": 0.0}}},
        "status_uri_number": {"status": {"status_list": {**status_list, "uri": 1}}},
        "cnf_without_jwk": {"cnf": {"kid": "x"}},
        "cnf_private": {"cnf": {"jwk": {**jwk, "d": jwk["x"]}}},
        "cnf_other_curve": {"cnf": {"jwk": {**jwk, "crv": "P-384"}}},
        "cnf_not_a_point": {"cnf": {"jwk": {**jwk, "y": jwk["x"]}}},
        "cnf_x_of_31_bytes": {"cnf": {"jwk": {**jwk, "x": b64url(bytes(31))}}},
        "pic_number": {"pic": 999800001},
        "pic_of_8_digits": {"pic": "99980000"},
    }.items():
        yield vc(f"claim_{name}", bad, credential(changes))
    for name, values in {
        "esc_number_bad": {"esc_number": ESCN[:-1]},
        "esc_number_array": {"esc_number": list(ESCN)},
        "name_number": {"name": 7},
        "name_empty": {"name": ""},
        "name_with_control_character": {"name": "Līga\x07"},
        "name_with_direction_mark": {"name": "\u202eagīL"},
        "name_with_space_after": {"name": "Līga "},
        "name_of_2049_characters": {"name": "ī" * 2_049},
        "esi_without_prefix": {"schac_personal_unique_code": ["lv:1"]},
        "esi_number": {"schac_personal_unique_code": [1]},
        "level_unknown": {"academic_level": "PROFESSOR"},
        "level_number": {"academic_level": 1},
        "level_with_a_long_s": {"academic_level": "maſter"},
    }.items():
        yield vc(f"claim_{name}", bad, credential(**values))
    yield vc("valid_times_with_fractions", "valid", credential({"nbf": ISSUED + 0.5}))
    yield vc("type_another", "NotACard", credential({"vct": world.VCT + "/library-staff"}))
    yield vc("valid_type_of_the_rulebook", "valid", credential({"vct": "VerifiableStudentID"}))
    text = credential(
        {"vct": "VerifiableStudentID", "pic": OMIT},
        name=OMIT,
        schac_personal_unique_code=OMIT,
        esc_number=OMIT,
        academic_level=OMIT,
        firstName="Līga",
        familyName="Bērziņa",
        schacPersonalUniqueCode=ESI_PREFIX + "lv:1",
    )
    says = says_all(esi=ESI_PREFIX + "lv:1", escn=None, level=None)
    yield vc("valid_student_id_of_the_rulebook", "valid", text, result=says)
    yield vc("valid_unknown_claim", "valid", credential({"hobby": "chess"}))
    esi = ESI_PREFIX + "lv:1"
    text = credential(schac_personal_unique_code=esi)
    yield vc("valid_esi_as_text", "valid", text, result=says_all(esi=esi))
    text = credential(name=OMIT, given_name="Līga", family_name="Bērziņa")
    yield vc("valid_name_of_two_parts", "valid", text)
    text = credential(name=OMIT, given_name="Līga")
    yield vc("valid_half_a_name", "valid", text, result=says_all(name=None))
    yield vc("valid_level_in_lower_case", "valid", credential(academic_level="bachelor"))


def _institution() -> Iterator[Vector]:
    for name, issuer in {
        "issuer_unknown": "https://esc.example/999800009",
        "issuer_with_slash": world.ISSUER_A + "/",
        "issuer_in_upper_case": world.ISSUER_A.replace("https", "HTTPS"),
    }.items():
        yield vc(name, "UnknownInstitution", credential({"iss": issuer}))
    yield vc("key_unknown", "UnknownKey", credential(label="stranger"))
    yield vc("key_of_another_institution", "ForeignKey", credential(label="b-active"))
    good = credential()
    head, payload, rest = good.split(".", 2)
    signature, tilde, disclosures = rest.partition("~")
    other = jws({"sub": "other"}).rpartition(".")[2]
    text = f"{head}.{payload}.{other}{tilde}{disclosures}"
    yield vc("signature_of_another_payload", "BadSignature", text)
    zero = "A" * len(signature)
    yield vc("signature_zero", "BadSignature", f"{head}.{payload}.{zero}{tilde}{disclosures}")
    raised = credential({"exp": NOW + 300 * DAY}).split(".")[1]
    yield vc("payload_changed_after_signing", "BadSignature", good.replace(payload, raised))


def _times() -> Iterator[Vector]:
    since, begin = world.COMPROMISED_SINCE, NOW - YEAR
    for name, expect, label, changes in (
        ("retired_key_in_its_time", "valid", "a-retired", {"nbf": world.RETIRED_UNTIL + 59}),
        (
            "retired_key_after_its_time",
            "KeyNotValid",
            "a-retired",
            {"nbf": world.RETIRED_UNTIL + 60},
        ),
        ("key_before_its_time", "KeyNotValid", "a-active", {"nbf": begin - 61}),
        ("compromised_key_before", "valid", "a-compromised", {"nbf": since - 1}),
        ("compromised_key_since", "KeyCompromised", "a-compromised", {"nbf": since}),
        ("begins_at_the_end_of_the_leeway", "valid", "a-active", {"nbf": NOW + 60}),
        ("begins_after_the_leeway", "NotYetValid", "a-active", {"nbf": NOW + 61}),
        ("expired_within_the_leeway", "valid", "a-active", {"exp": NOW - 59}),
        ("expired", "Expired", "a-active", {"exp": NOW - 60}),
    ):
        name = f"valid_{name}" if expect == "valid" else name
        yield vc(name, expect, credential(changes, label=label))


def _entitlement() -> Iterator[Vector]:
    foreign = ESCN[:-9] + world.PIC_B
    yield vc("pic_of_another_institution", "ForeignKey", credential({"pic": world.PIC_B}))
    yield vc("card_number_of_another_institution", "ForeignKey", credential(esc_number=foreign))
    text = credential(schac_personal_unique_code=[ESI_PREFIX + "pl:1"])
    yield vc("scope_of_another_country", "ForeignScope", text)
    text = credential(schac_personal_unique_code=[ESI_PREFIX + "lv:1", ESI_PREFIX + "pl:1"])
    yield vc("second_scope_of_another_country", "ForeignScope", text)
    text = credential(schac_personal_unique_code=OMIT)
    yield vc("esi_asked_but_not_disclosed", "ProfileRefused", text, policy="identity_only")
    yield vc("valid_esi_asked", "valid", credential(), policy="identity_only")


def _at(number: int, index: int, pic: str = world.PIC_A) -> str:
    entry: dict[str, Any] = {"idx": index, "uri": world.list_uri(pic, number)}
    return credential({"status": {"status_list": entry}})


def _status() -> Iterator[Vector]:
    for name, expect, text in (
        ("revoked", "Revoked", _at(world.FRESH, world.REVOKED)),
        ("suspended", "Suspended", _at(world.FRESH, world.SUSPENDED)),
        ("status_reserved_value", "Revoked", _at(world.FRESH, world.RESERVED)),
        ("status_index_outside", "StatusUnknown", _at(world.FRESH, world.SIZE)),
        ("status_list_not_in_bundle", "StatusUnknown", _at(world.MISSING, 0)),
        ("status_list_of_another_institution", "StatusUnknown", _at(1, 0, world.PIC_B)),
        ("status_too_old", "StatusTooOld", _at(world.TOO_OLD, 0)),
        ("status_list_ended", "StatusTooOld", _at(world.ENDED, 0)),
        ("revoked_however_old_the_list", "Revoked", _at(world.TOO_OLD, world.REVOKED)),
    ):
        yield vc(name, expect, text)
    result = says_all(status_as_of=NOW - DAY - 1, freshness="stale")
    yield vc("valid_status_stale", "valid", _at(world.STALE, 0), result=result)
