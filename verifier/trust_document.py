"""The trust list as a document: its types, and their JSON (docs/trust-list.md, section 2).

Encoding and parsing are inverses. `verifier.trust` checks the signature, the sequence and the
times around it.
"""

from collections.abc import Hashable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import CardError, MalformedDocument
from verifier.identifiers import Pic, parse_pic
from verifier.jws import Json, b64url_decode, parse_public_jwk, public_jwk_of, thumbprint_of
from verifier.status import parse_seconds

TRUST_LIST_VERSION = 1


class KeyState(StrEnum):
    """The life of an institution's key."""

    ACTIVE = "active"  # it signs
    RETIRED = "retired"  # it signs no more; what it signed stays good
    COMPROMISED = "compromised"  # what it signed since then is refused


class TrustedKey(NamedTuple):
    """A key of an institution, and when it may have signed."""

    kid: str  # RFC 7638 thumbprint, 43 characters
    public_key: ec.EllipticCurvePublicKey
    state: KeyState
    valid_from: int
    valid_until: int
    compromised_since: int | None = None


class TrustedInstitution(NamedTuple):
    """What the trust list says of an institution."""

    pic: Pic
    name: str
    country: str  # ISO 3166-1 alpha-2, upper case
    schac_home_organization: str
    issuer: str  # `iss` of its SD-JWT VCs
    esi_scopes: frozenset[str]  # lower case
    keys: tuple[TrustedKey, ...]
    status_lists: dict[int, str]  # number to address
    processor: str | None = None  # who issues for it, by name


class _TrustList(NamedTuple):
    sequence: int
    issued_at: int
    expires_at: int
    institutions: dict[Pic, TrustedInstitution]
    anchors: tuple[ec.EllipticCurvePublicKey, ...]  # the keys that may sign the next one
    type_integrity: dict[str, str]  # `vct` to W3C SRI of its type metadata
    token: str
    bundle: str | None = None  # where it is published with its status lists


class TrustList(_TrustList):
    """A trust list whose signature, sequence and times have been checked."""

    def __repr__(self) -> str:
        return f"TrustList(sequence={self.sequence}, institutions={len(self.institutions)})"

    @cached_property
    def by_issuer(self) -> dict[str, TrustedInstitution]:
        """Its institutions by the `iss` of their SD-JWT VCs."""
        return {institution.issuer: institution for institution in self.institutions.values()}

    @cached_property
    def by_kid_bytes(self) -> dict[bytes, list[tuple[TrustedInstitution, TrustedKey]]]:
        """Its keys by what the ESC QR carries of their ids, and whose they are."""
        found: dict[bytes, list[tuple[TrustedInstitution, TrustedKey]]] = {}
        for institution in self.institutions.values():
            for key in institution.keys:
                found.setdefault(kid_bytes_of(key.kid), []).append((institution, key))
        return found


def kid_bytes_of(kid: str) -> bytes:
    """The eight bytes of a key's thumbprint that the ESC QR carries."""
    return b64url_decode(kid)[:8]


def trust_list_payload(trust: TrustList) -> Json:
    """The claims of a trust list, to be signed with TRUST_LIST_TYP; see docs/trust-list.md."""
    payload: Json = {
        "version": TRUST_LIST_VERSION,
        "sequence": trust.sequence,
        "iat": trust.issued_at,
        "exp": trust.expires_at,
        "anchors": [public_jwk_of(anchor) for anchor in trust.anchors],
        "types": trust.type_integrity,
        "institutions": [_institution_to_json(i) for i in trust.institutions.values()],
    }
    if trust.bundle is not None:
        payload["bundle"] = trust.bundle
    return payload


def parse_trust_list(claims: Json, *, token: str) -> TrustList:
    """Read the claims of a trust list; the inverse of `trust_list_payload`.

    Args:
        claims: The JWT's payload; its institutions are taken out of it as they are read, since
            a till would else hold all of Europe's twice.
        token: The whole JWT, kept with what was read of it.

    Raises:
        MalformedDocument: A member is missing, of another type or out of its range.
    """
    try:
        return _parse_trust_list(claims, token)
    except (CardError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedDocument("a trust list that breaks its format") from error


def _parse_trust_list(claims: Json, token: str) -> TrustList:
    if _positive(claims["version"]) != TRUST_LIST_VERSION:
        raise MalformedDocument("a trust list of another version")
    institutions = list(map(_parse_institution, _take_each(_array(claims["institutions"]))))
    _refuse_twice([institution.pic for institution in institutions])
    _refuse_twice([institution.issuer for institution in institutions])
    # An address of two institutions would let one sign the other's list.
    _refuse_twice([uri for one in institutions for uri in one.status_lists.values()])
    anchors = tuple(parse_public_jwk(jwk) for jwk in _array(claims["anchors"]))
    if not anchors:
        raise MalformedDocument("a trust list names the keys of its successor")
    return TrustList(
        sequence=_positive(claims["sequence"]),
        issued_at=parse_seconds(claims["iat"]),
        expires_at=parse_seconds(claims["exp"]),
        institutions={institution.pic: institution for institution in institutions},
        anchors=anchors,
        type_integrity={_text(vct): _text(value) for vct, value in claims["types"].items()},
        token=token,
        bundle=_text(claims["bundle"]) if "bundle" in claims else None,
    )


def _take_each(entries: list[Any]) -> Iterator[Any]:
    entries.reverse()
    while entries:
        yield entries.pop()


def _parse_institution(entry: Json) -> TrustedInstitution:
    keys = tuple(_parse_key(key) for key in _array(entry["keys"]))
    _refuse_twice([key.kid for key in keys])
    lists = [(_positive(i["number"]), _text(i["uri"])) for i in _array(entry["status_lists"])]
    _refuse_twice([number for number, _ in lists])
    return TrustedInstitution(
        pic=parse_pic(_text(entry["pic"])),
        name=_text(entry["name"]),
        country=_text(entry["country"]),
        schac_home_organization=_text(entry["schac_home_organization"]),
        issuer=_text(entry["issuer"]),
        esi_scopes=frozenset(_text(scope).lower() for scope in _array(entry["esi_scopes"])),
        keys=keys,
        status_lists=dict(lists),
        processor=_text(entry["processor"]) if "processor" in entry else None,
    )


def _parse_key(entry: Json) -> TrustedKey:
    state = KeyState(entry["state"])
    since = parse_seconds(entry["compromised_since"]) if state is KeyState.COMPROMISED else None
    return TrustedKey(
        kid=thumbprint_of(entry["jwk"]),
        public_key=parse_public_jwk(entry["jwk"]),
        state=state,
        valid_from=parse_seconds(entry["valid_from"]),
        valid_until=parse_seconds(entry["valid_until"]),
        compromised_since=since,
    )


def _institution_to_json(institution: TrustedInstitution) -> Json:
    lists = sorted(institution.status_lists.items())
    entry: Json = {
        "pic": institution.pic,
        "name": institution.name,
        "country": institution.country,
        "schac_home_organization": institution.schac_home_organization,
        "issuer": institution.issuer,
        "esi_scopes": sorted(institution.esi_scopes),
        "keys": [_key_to_json(key) for key in institution.keys],
        "status_lists": [{"number": number, "uri": uri} for number, uri in lists],
    }
    if institution.processor is not None:
        entry["processor"] = institution.processor
    return entry


def _key_to_json(key: TrustedKey) -> Json:
    entry: Json = {
        "jwk": public_jwk_of(key.public_key),
        "state": key.state.value,
        "valid_from": key.valid_from,
        "valid_until": key.valid_until,
    }
    if key.compromised_since is not None:
        entry["compromised_since"] = key.compromised_since
    return entry


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedDocument("an array is expected")
    return value


def _refuse_twice(values: Sequence[Hashable]) -> None:
    if len(set(values)) != len(values):
        raise MalformedDocument("something twice that must be there once")


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 1024:
        raise MalformedDocument("a text of 1 to 1024 characters")
    return value


def _positive(value: object) -> int:
    if type(value) is not int or not 0 < value <= 0xFFFFFFFF:
        raise MalformedDocument("a number from 1 to 2^32 - 1")
    return value
