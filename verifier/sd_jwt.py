"""SD-JWT (RFC 9901): disclosures out of a payload and back into it.

Only objects' members are made disclosable here (that is all our credentials use); reading takes
everything of RFC 9901, section 7.1: disclosures in arrays, recursive ones, decoys. SHA-256 only.
Signatures are `verifier.jws`'s.
"""

from json.encoder import encode_basestring
from typing import Any, NamedTuple

from verifier.errors import MalformedCredential, MalformedJws
from verifier.jws import Json, b64url_decode, b64url_encode, dump_json
from verifier.sha256 import fast_sha256
from verifier.strict_json import MAX_JSON_DEPTH, parse_json_array

MAX_DISCLOSURES = 64
MAX_DISCLOSURE_CHARS = 8_192
MAX_SD_JWT_CHARS = 32_768
SALT_BYTES = 16  # 128 bits (RFC 9901, section 9.3)
_SD_ALG = "sha-256"
_FORBIDDEN_NAMES = frozenset({"_sd", "..."})
_MISSING = object()
_PLAIN = frozenset({str, int, float, bool, type(None)})  # values that hold no others


class Disclosure(NamedTuple):
    """One disclosure: as text, and what it holds. `name` is None for an array's element."""

    text: str
    name: str | None
    value: Any


class SdJwt(NamedTuple):
    """An SD-JWT taken apart: issuer's JWS, disclosures, key binding JWT or None."""

    issuer_jwt: str
    disclosures: tuple[Disclosure, ...]
    key_binding_jwt: str | None

    @property
    def presented_without_key_binding(self) -> str:
        """What `sd_hash` is made of: everything up to and with the last tilde."""
        return "~".join([self.issuer_jwt, *(d.text for d in self.disclosures), ""])


def make_disclosure(name: str, value: Any, *, salt: bytes) -> Disclosure:
    """A disclosure of an object's member (RFC 9901, section 4.2.1).

    Args:
        name: Neither `_sd` nor `...`.
        value: Any JSON value.
        salt: At least 16 random bytes, never used twice.

    Raises:
        MalformedCredential: A forbidden name or too short a salt.
    """
    if name in _FORBIDDEN_NAMES or len(salt) < SALT_BYTES:
        raise MalformedCredential("a disclosure needs a free name and a salt of 16 bytes")
    items = [b64url_encode(salt), name, value]
    if type(value) is str:  # as most are; in a third of the time
        encoded = f"[{','.join(map(encode_basestring, items))}]".encode()
    else:
        encoded = _dump_array(items)
    text = b64url_encode(encoded)
    return Disclosure(text, name, value)


def digest_of(disclosure_text: str) -> str:
    """The digest that stands for a disclosure in the payload (RFC 9901, section 4.2.3)."""
    return b64url_encode(fast_sha256()(disclosure_text.encode("ascii")).digest())


def conceal(payload: Json, disclosures: list[Disclosure]) -> Json:
    """The payload with digests at its top level in the place of the disclosures' members.

    Digests are sorted, so that their order tells nothing (RFC 9901, section 4.2.4.1).
    """
    if not disclosures:
        return payload
    digests = sorted(digest_of(disclosure.text) for disclosure in disclosures)
    return {**payload, "_sd": digests, "_sd_alg": _SD_ALG}


def assemble_sd_jwt(issuer_jwt: str, disclosures: list[Disclosure]) -> str:
    """The compact serialization, with its final tilde and no key binding."""
    return "~".join([issuer_jwt, *(disclosure.text for disclosure in disclosures), ""])


def parse_sd_jwt(text: str) -> SdJwt:
    """Take an SD-JWT apart without trusting any of it (RFC 9901, section 4).

    Args:
        text: `<JWS>~<disclosure>~...~` with an optional key binding JWT at the end.

    Raises:
        MalformedCredential: Too long, too many parts, or a disclosure that breaks its form.
    """
    if len(text) > MAX_SD_JWT_CHARS:
        raise MalformedCredential(f"more than {MAX_SD_JWT_CHARS} characters")
    issuer_jwt, *disclosures, last = text.split("~") if "~" in text else (text, "")
    if "~" not in text or not issuer_jwt:
        raise MalformedCredential("not an SD-JWT: no tilde")
    if len(disclosures) > MAX_DISCLOSURES:
        raise MalformedCredential(f"more than {MAX_DISCLOSURES} disclosures")
    return SdJwt(issuer_jwt, tuple(map(_parse_disclosure, disclosures)), last or None)


def reveal(payload: Json, disclosures: tuple[Disclosure, ...]) -> Json:
    """The payload with what is disclosed in its place (RFC 9901, section 7.1, steps 3 to 5).

    Args:
        payload: Of an issuer's JWS whose signature is checked.
        disclosures: As presented.

    Raises:
        MalformedCredential: Another hash, a digest twice, a disclosure that nothing refers to,
            or that takes the name of a member that is there already, or nested too deep.
    """
    if payload.get("_sd_alg", _SD_ALG) != _SD_ALG:
        raise MalformedCredential("the digests are not SHA-256")
    by_digest = {digest_of(disclosure.text): disclosure for disclosure in disclosures}
    if len(by_digest) != len(disclosures):
        raise MalformedCredential("a disclosure twice")
    seen: set[str] = set()
    members = payload.copy()
    members.pop("_sd_alg", None)
    revealed = _reveal_object(members, by_digest, seen, 1)
    if not seen.issuperset(by_digest):
        raise MalformedCredential("a disclosure that nothing refers to")
    return revealed


def _reveal(value: Any, by_digest: dict[str, Disclosure], seen: set[str], level: int) -> Any:
    if level > MAX_JSON_DEPTH:
        raise MalformedCredential("disclosures nested too deep")
    if isinstance(value, dict):
        return _reveal_object(value, by_digest, seen, level)
    if isinstance(value, list):
        items = (_reveal_element(item, by_digest, seen, level + 1) for item in value)
        return [item for item in items if item is not _MISSING]
    return value


def _reveal_object(
    members: Json, by_digest: dict[str, Disclosure], seen: set[str], level: int
) -> Json:
    if "..." in members:
        raise MalformedCredential("an object with the member ...")
    if level >= MAX_JSON_DEPTH and members.keys() - {"_sd"}:
        raise MalformedCredential("disclosures nested too deep")
    revealed = {
        name: value if type(value) in _PLAIN else _reveal(value, by_digest, seen, level + 1)
        for name, value in members.items()
        if name != "_sd"
    }
    if len(revealed) == len(members):
        return revealed
    digests = members["_sd"]
    if not isinstance(digests, list):
        raise MalformedCredential("_sd is an array of digests")
    for digest in digests:
        disclosure = _take(digest, by_digest, seen)
        if disclosure is None:
            continue
        if disclosure.name is None or disclosure.name in revealed:
            raise MalformedCredential("a disclosure that does not fit where it is referred to")
        value = disclosure.value
        plain = type(value) is str and level < MAX_JSON_DEPTH
        revealed[disclosure.name] = value if plain else _reveal(value, by_digest, seen, level + 1)
    return revealed


def _reveal_element(
    item: Any, by_digest: dict[str, Disclosure], seen: set[str], level: int
) -> Any:
    if not isinstance(item, dict) or item.keys() != {"..."}:
        return _reveal(item, by_digest, seen, level)
    disclosure = _take(item["..."], by_digest, seen)
    if disclosure is None:
        return _MISSING
    if disclosure.name is not None:
        raise MalformedCredential("a disclosure that does not fit where it is referred to")
    return _reveal(disclosure.value, by_digest, seen, level)


def _take(digest: Any, by_digest: dict[str, Disclosure], seen: set[str]) -> Disclosure | None:
    if not isinstance(digest, str) or digest in seen:
        raise MalformedCredential("a digest twice, or not a digest")
    seen.add(digest)
    return by_digest.get(digest)


def _parse_disclosure(text: str) -> Disclosure:
    if not 0 < len(text) <= MAX_DISCLOSURE_CHARS:
        raise MalformedCredential("an empty or too long disclosure")
    try:
        parts = parse_json_array(b64url_decode(text))
    except MalformedJws as error:
        raise MalformedCredential("a disclosure is not an array of strict JSON") from error
    if len(parts) not in (2, 3):
        raise MalformedCredential("a disclosure is an array of two or three")
    name = parts[1] if len(parts) == 3 else None
    if not isinstance(parts[0], str) or not (name is None or isinstance(name, str)):
        raise MalformedCredential("a disclosure's salt and name are strings")
    if name in _FORBIDDEN_NAMES:
        raise MalformedCredential("a disclosure with a forbidden name")
    return Disclosure(text, name, parts[-1])


def _dump_array(items: list[Any]) -> bytes:
    return dump_json({"": items})[4:-1]
