"""Vectors of key binding (RFC 9901, section 7.3): what the wallet signed, for whom and when."""

from collections.abc import Iterator

from generating.cards import OMIT
from generating.credentials import AUDIENCE, NONCE, bound, credential, vc
from generating.encodings import b64url
from generating.vector import NOW, Vector


def vectors() -> Iterator[Vector]:
    yield from _kind()
    yield from _form()
    yield from _content()
    yield from _time()


def _kind() -> Iterator[Vector]:
    good = credential()
    yield vc("valid_key_binding", "valid", bound(good), asked=True)
    yield vc("binding_missing", "StaticCode", good, asked=True)
    yield vc("binding_not_asked_where_live_is", "StaticCode", bound(good), policy="live_only")
    yield vc(
        "valid_binding_where_live_is_asked", "valid", bound(good), asked=True, policy="live_only"
    )
    text = bound(good)
    yield vc("valid_binding_not_asked", "valid", text, comment="it is not looked at: static")


def _form() -> Iterator[Vector]:
    good, bad = credential(), "MalformedCredential"
    yield vc("binding_typ_jwt", bad, bound(good, typ="JWT"), asked=True)
    yield vc("binding_typ_of_a_credential", bad, bound(good, typ="dc+sd-jwt"), asked=True)
    yield vc("binding_not_a_jws", bad, good + "abc", asked=True)
    yield vc("binding_without_time", bad, bound(good, iat=OMIT), asked=True)
    yield vc("binding_time_text", bad, bound(good, iat=str(NOW)), asked=True)
    yield vc("binding_of_4097_characters", bad, good + "A" * 4_097, asked=True)


def _content() -> Iterator[Vector]:
    good, bad = credential(), "BadDeviceSignature"
    yield vc("binding_by_another_phone", bad, bound(good, label="phone-other"), asked=True)
    yield vc("binding_by_the_institution", bad, bound(good, label="a-active"), asked=True)
    yield vc("binding_for_another_verifier", bad, bound(good, aud=AUDIENCE + "/"), asked=True)
    yield vc("binding_for_a_list_of_verifiers", bad, bound(good, aud=[AUDIENCE]), asked=True)
    yield vc("binding_without_audience", bad, bound(good, aud=OMIT), asked=True)
    yield vc("binding_with_another_nonce", bad, bound(good, nonce=NONCE + "x"), asked=True)
    yield vc("binding_without_nonce", bad, bound(good, nonce=OMIT), asked=True)
    yield vc("binding_with_another_hash", bad, bound(good, sd_hash=b64url(bytes(32))), asked=True)
    yield vc("binding_without_hash", bad, bound(good, sd_hash=OMIT), asked=True)
    issuer_jwt, *disclosures, _ = good.split("~")
    signed = bound(good).rpartition("~")[2]
    fewer = "~".join([issuer_jwt, *disclosures[:-1], signed])
    yield vc("disclosure_taken_away_after_binding", bad, fewer, asked=True)
    swapped = "~".join([issuer_jwt, *disclosures[::-1], signed])
    yield vc("disclosures_reordered_after_binding", bad, swapped, asked=True)


def _time() -> Iterator[Vector]:
    good = credential()
    for name, expect, at in (
        ("binding_105_seconds_ago", "valid", NOW - 105),
        ("binding_106_seconds_ago", "StaleCode", NOW - 106),
        ("binding_60_seconds_ahead", "valid", NOW + 60),
        ("binding_61_seconds_ahead", "CodeFromFuture", NOW + 61),
    ):
        name = f"valid_{name}" if expect == "valid" else name
        yield vc(name, expect, bound(good, iat=at), asked=True)
