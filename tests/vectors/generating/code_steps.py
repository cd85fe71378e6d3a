"""Vectors of steps 2 to 9: well-formed codes that one later step refuses, or just lets pass."""

from collections.abc import Iterator

from generating import world
from generating.cards import (
    ESCN,
    ESI_PREFIX,
    card,
    e1,
    e2,
    members,
    protected_header,
    says,
    sig_structure,
    text1,
    text2,
)
from generating.encodings import cbor
from generating.keys import ORDER, sign
from generating.vector import DAY, NOW, YEAR, Vector

LIVE = says(evidence="live")


def vectors() -> Iterator[Vector]:
    yield from _kind()
    yield from _institution_and_key()
    yield from _signature()
    yield from _key_time()
    yield from _card_time()
    yield from _scope()
    yield from _phone_signature()
    yield from _phone_time()


def _kind() -> Iterator[Vector]:
    status, identity = e1(), e1(members(identity=True))
    full = {"esi": ESI_PREFIX + "lv:1234567890123456", "profile": "identity"}
    yield card("static_where_live_is_asked", "StaticCode", text1(status), policy="live_only")
    text = text1(identity)
    yield card("static_identity_where_live_is_asked", "StaticCode", text, policy="live_only")
    text = text1(status)
    yield card("static_where_a_challenge_is_asked", "StaticCode", text, challenge=b"1234".hex())
    yield card("status_where_identity_is_asked", "ProfileRefused", text, policy="identity_only")
    text = text2(e2())
    yield card(
        "live_status_where_identity_is_asked", "ProfileRefused", text, policy="identity_only"
    )
    yield card(
        "valid_live_where_live_is_asked", "valid", text2(e2()), policy="live_only", result=LIVE
    )
    text = text1(identity)
    result = says(**full)
    yield card(
        "valid_identity_where_identity_is_asked",
        "valid",
        text,
        policy="identity_only",
        result=result,
    )
    text, result = text2(e2(identity)), says(**full, evidence="live")
    yield card(
        "valid_where_both_are_asked",
        "valid",
        text,
        policy="live_only identity_only",
        result=result,
    )


def _institution_and_key() -> Iterator[Vector]:
    nobody = ESCN[:-9] + world.PIC_NOBODY
    of_b = ESCN[:-9] + world.PIC_B
    yield card("institution_unknown", "UnknownInstitution", text1(e1(escn=nobody), nobody))
    yield card("key_unknown", "UnknownKey", text1(e1(label="stranger")))
    yield card("key_of_the_trust_list", "UnknownKey", text1(e1(label="trust")))
    text = text1(e1(label="b-active"))
    yield card("key_of_another_institution", "ForeignKey", text)
    text = text1(e1(escn=of_b), of_b)
    yield card("institution_signed_for_another_pic", "ForeignKey", text)
    yield card("card_moved_to_another_pic", "ForeignKey", text1(e1(), of_b))
    yield card("live_card_moved_to_another_pic", "ForeignKey", text2(e2(), of_b))


def _signature() -> Iterator[Vector]:
    protected, payload = protected_header("a-active"), cbor(members())
    message = sig_structure(protected, payload)
    good = sign("a-active", message)
    r, s = good[:32], good[32:]
    for name, signature in {
        "zero": bytes(64),
        "r_zero": bytes(32) + s,
        "s_zero": r + bytes(32),
        "r_is_order": ORDER.to_bytes(32) + s,
        "r_beyond_order": b"\xff" * 32 + s,
        "by_another_key_with_this_kid": sign("a-retired", message),
        "one_bit_changed": bytes([good[0] ^ 1]) + good[1:],
        "over_payload_alone": sign("a-active", payload),
        "without_card_number": sign("a-active", cbor(["Signature1", protected, b"", payload])),
        "card_number_as_text": sign(
            "a-active", cbor(["Signature1", protected, ESCN.encode(), payload])
        ),
        "as_cose_sign": sign("a-active", message.replace(b"Signature1", b"Signature2")),
    }.items():
        yield card(f"signature_{name}", "BadSignature", text1(e1(signature=signature)))
    yield card("signature_high_s", "BadSignature", text1(e1(high_s=True)))
    changed = cbor(members({"n": "Līga Bērziņš"}))
    yield card("name_changed_after_signing", "BadSignature", text1(e1(changed, signature=good)))
    changed = cbor(members({"s": [1, 4]}))
    yield card("status_changed_after_signing", "BadSignature", text1(e1(changed, signature=good)))
    other = ESCN.replace("d6a1", "d6a2")
    yield card("card_number_changed_after_signing", "BadSignature", text1(e1(), other))
    other = ESCN.replace("-001", "-002")
    yield card("prefix_changed_after_signing", "BadSignature", text1(e1(), other))


def _key_time() -> Iterator[Vector]:
    far = NOW + 29 * DAY
    begin, end, since = NOW - YEAR, world.RETIRED_UNTIL, world.COMPROMISED_SINCE
    for name, expect, label, issued in (
        ("retired_key_in_its_time", "valid", "a-retired", end - DAY),
        ("retired_key_in_its_last_second_with_leeway", "valid", "a-retired", end + 59),
        ("retired_key_after_its_leeway", "KeyNotValid", "a-retired", end + 60),
        ("retired_key_today", "KeyNotValid", "a-retired", NOW - DAY),
        ("key_at_the_first_second_of_its_leeway", "valid", "a-active", begin - 60),
        ("key_before_its_leeway", "KeyNotValid", "a-active", begin - 61),
        ("compromised_key_the_second_before", "valid", "a-compromised", since - 1),
        ("compromised_key_from_that_second_on", "KeyCompromised", "a-compromised", since),
        ("compromised_key_today", "KeyCompromised", "a-compromised", NOW - DAY),
        ("stolen_key_whatever_it_says", "KeyCompromised", "a-stolen", NOW - 300 * DAY),
        ("stolen_key_at_its_first_second", "KeyCompromised", "a-stolen", begin),
        ("stolen_key_backdated_into_the_leeway", "KeyCompromised", "a-stolen", begin - 60),
    ):
        text = text1(e1(members({4: far, 6: issued}), label=label))
        name = f"valid_{name}" if expect == "valid" else name
        yield card(name, expect, text)


def _card_time() -> Iterator[Vector]:
    for name, expect, changes in (
        ("issued_at_the_end_of_the_leeway", "valid", {6: NOW + 60}),
        ("issued_after_the_leeway", "NotYetValid", {6: NOW + 61}),
        ("issued_in_a_year", "NotYetValid", {6: NOW + 300 * DAY, 4: NOW + 301 * DAY}),
        ("expired_within_the_leeway", "valid", {4: NOW - 59}),
        ("expired_at_the_end_of_the_leeway", "Expired", {4: NOW - 60}),
        ("expired_a_day_ago", "Expired", {6: NOW - 30 * DAY, 4: NOW - DAY}),
        ("expires_in_2106", "valid", {4: (1 << 32) - 1}),
    ):
        name = f"valid_{name}" if expect == "valid" else name
        yield card(name, expect, text1(e1(members(changes))))
    expired = e1(members({6: NOW - 30 * DAY, 4: NOW - DAY}))
    yield card("expired_though_shown_live", "Expired", text2(e2(expired)))


def _scope() -> Iterator[Vector]:
    for name, esi in {
        "of_another_country": "pl:1234567890123456",
        "of_another_domain": "b.example:12345678",
        "of_a_subdomain": "x.a.example:12345678",
        "of_a_region": "lv-rix:12345678",
    }.items():
        yield card(f"scope_{name}", "ForeignScope", text1(e1(members({"e": esi, "n": "Y"}))))


def _phone_signature() -> Iterator[Vector]:
    inner = e1()
    asked, wrong = b"1234", b"1235"
    bad = "BadDeviceSignature"
    yield card("phone_of_another", bad, text2(e2(label="phone-other")))
    yield card("phone_signature_high_s", bad, text2(e2(high_s=True)))
    yield card("phone_signature_for_another_time", bad, text2(e2(stated=NOW - 4)))
    zero = cbor([inner, NOW - 5, bytes(64)])
    yield card("phone_signature_zero", bad, text2(zero))
    by_institution = cbor([inner, NOW - 5, inner[-64:]])
    yield card("phone_signature_is_the_institutions", bad, text2(by_institution))
    other = e1(members({"n": "Cits Vārds"}))
    swapped = e2(other).replace(cbor(other), cbor(inner))
    yield card("phone_signature_for_another_e1", bad, text2(swapped))
    yield card("challenge_missing", bad, text2(e2()), challenge=asked.hex())
    yield card("challenge_wrong", bad, text2(e2(challenge=wrong)), challenge=asked.hex())
    yield card("challenge_not_asked", bad, text2(e2(challenge=asked)))
    text = text2(e2(challenge=asked))
    yield card("valid_challenge", "valid", text, challenge=asked.hex(), result=LIVE)
    most = bytes(range(64))
    text = text2(e2(challenge=most))
    yield card("valid_challenge_of_64_bytes", "valid", text, challenge=most.hex(), result=LIVE)


def _phone_time() -> Iterator[Vector]:
    for name, expect, shown_at in (
        ("shown_45_seconds_ago", "valid", NOW - 45),
        ("shown_46_seconds_ago", "StaleCode", NOW - 46),
        ("shown_five_minutes_ago", "StaleCode", NOW - 300),
        ("shown_in_1970", "StaleCode", 0),
        ("shown_15_seconds_ahead", "valid", NOW + 15),
        ("shown_16_seconds_ahead", "CodeFromFuture", NOW + 16),
        ("shown_in_2106", "CodeFromFuture", (1 << 32) - 1),
    ):
        result = LIVE if expect == "valid" else None
        name = f"valid_{name}" if expect == "valid" else name
        yield card(name, expect, text2(e2(shown_at=shown_at)), result=result)
