"""What a till does all day: checking codes and credentials."""

from collections.abc import Callable, Iterator

from benching.measuring import Effort, Figure, best_of
from benching.world import ES256, MESSAGE, NOW, Phone, make_issuance, new_key
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verifier.replay import InMemoryReplay
from verifier.signature_cache import SignatureCache
from verifier.verify import verify_card
from verifier.verify_sd_jwt_vc import verify_credential

# More than the verifier keeps of phones' keys, so that each code comes from a new phone.
MANY_PHONES = 4_300


def measure(effort: Effort) -> Iterator[Figure]:
    """Rows one and two of the table."""
    phones = [Phone(issuance, n) for issuance in (make_issuance(),) for n in range(MANY_PHONES)]
    if effort.quick:
        phones = phones[:20]
    yield _static(effort, phones)
    yield from _live_cold(effort, phones)
    yield _live_warm(effort, phones[:500])
    yield _credential(effort, phones[:1_000])


def raw_verifications(count: int) -> Callable[[], None]:
    """The floor: ES256 verifications by the cryptography package, each with another key."""
    signed = [(key.public_key(), key.sign(MESSAGE, ES256)) for key in _new_keys(count)]

    def work() -> None:
        for index in range(count):
            key, signature = signed[index % len(signed)]
            key.verify(signature, MESSAGE, ES256)

    return work


def verifications_by_new_phones(count: int) -> Callable[[], None]:
    """As many pairs: one verification by a known key, one by a key that comes compressed."""
    known, curve = raw_verifications(count), ec.SECP256R1()
    pairs = [(key.public_key(), key.sign(MESSAGE, ES256)) for key in _new_keys(count)]
    form = Encoding.X962, PublicFormat.CompressedPoint
    shown = [(key.public_bytes(*form), signature) for key, signature in pairs]

    def work() -> None:
        known()
        for index in range(count):
            point, signature = shown[index % len(shown)]
            key = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
            key.verify(signature, MESSAGE, ES256)

    return work


def _new_keys(count: int) -> list[ec.EllipticCurvePrivateKey]:
    return [new_key() for _ in range(min(count, 500))]


def _static(effort: Effort, phones: list[Phone]) -> Figure:
    knowledge, count = phones[0].issuance.knowledge, min(len(phones), 1_000)
    texts = [phone.static_code for phone in phones[:count]]

    def work() -> None:
        for text in texts:
            verify_card(text, knowledge=knowledge, now=NOW)

    floor, ours = best_of(effort.of(8, 1), raw_verifications(count), work)
    return Figure("check an E1", "one ES256 verification", 1.4, floor, ours, count=count)


def _live_cold(effort: Effort, phones: list[Phone]) -> Iterator[Figure]:
    knowledge = phones[0].issuance.knowledge
    texts = [phone.live_code(NOW - 5) for phone in phones]

    def work() -> None:
        replay = InMemoryReplay()
        for text in texts:
            verify_card(text, knowledge=knowledge, now=NOW, replay=replay)

    count = len(texts)
    works = raw_verifications(2 * count), verifications_by_new_phones(count), work
    floor, with_key, ours = best_of(effort.of(4, 1), *works)
    what = "check an E2 of a phone never seen"
    note = "the phone's key comes compressed: finding its y alone is a quarter of a verification"
    yield Figure(what, "two ES256 verifications", 1.4, floor, ours, count=count, note=note)
    what, floor_is = "… with the phone's key in the floor", "two verifications, one key unpacked"
    yield Figure(what, floor_is, 1.4, with_key, ours, count=count)


def _live_warm(effort: Effort, phones: list[Phone]) -> Figure:
    knowledge, cache = phones[0].issuance.knowledge, SignatureCache()
    texts = [phone.live_code(NOW - 5) for phone in phones]

    def work() -> None:
        replay = InMemoryReplay()
        for text in texts:
            verify_card(text, knowledge=knowledge, now=NOW, replay=replay, cache=cache)

    work()
    count = len(texts)
    floor, ours = best_of(effort.of(12, 1), raw_verifications(2 * count), work)
    what = "check an E2 of a phone seen before"
    return Figure(what, "two ES256 verifications", 0.7, floor, ours, count=count)


def _credential(effort: Effort, phones: list[Phone]) -> Figure:
    knowledge = phones[0].issuance.knowledge
    texts = [phone.credential for phone in phones]
    assert all(text.count("~") == 6 for text in texts), "five disclosures are wanted"

    def work() -> None:
        for text in texts:
            verify_credential(text, knowledge=knowledge, now=NOW)

    count = len(texts)
    floor, ours = best_of(effort.of(6, 1), raw_verifications(count), work)
    what = "check an SD-JWT VC with 5 disclosures"
    return Figure(what, "one ES256 verification", 2.0, floor, ours, count=count)
