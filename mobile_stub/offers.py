"""Credential offers, from a link to what the phone needs of them (OpenID4VCI 1.0, Section 4.1).

An offer is untrusted text: anyone can print a QR code. Nothing is sent because of it before
its shape is checked, and only to addresses that `addresses` allows.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from mobile_stub.addresses import parse_address
from mobile_stub.errors import Refused, WrongUse
from mobile_stub.network import Network, parse_json

MAX_OFFER_BYTES = 64 * 1024
_MAX_CONFIGURATIONS = 20
_SCHEMES = ("openid-credential-offer", "haip-vci")
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


@dataclass(frozen=True, slots=True)
class TxCode:
    """What the offer says of the code that the student got by another way."""

    numeric: bool
    length: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer with a pre-authorized code."""

    credential_issuer: str
    configuration_ids: tuple[str, ...]
    pre_authorized_code: str
    tx_code: TxCode | None
    authorization_server: str | None


def fetch_offer_text(link: str, network: Network) -> str:
    """The offer's JSON: out of the link, or from the address that the link names.

    Raises:
        Refused: The link is no offer, or the offer is not there (any more).
    """
    if len(link) > MAX_OFFER_BYTES:
        raise Refused("offer_too_long")
    by_value, address = _parse_link(link.strip())
    if by_value is not None:
        return by_value
    answer = network.call("GET", parse_address(address), max_bytes=MAX_OFFER_BYTES)
    if answer.status in (404, 410):
        raise Refused("offer_gone")
    if answer.status != 200:
        raise Refused("server_error", host=answer.host, status=answer.status)
    return answer.body.decode("utf-8", errors="replace")


def parse_offer(text: str) -> Offer:
    """The offer in this JSON.

    Raises:
        Refused: It is not an offer, or not one for a pre-authorized code.
    """
    value = parse_json(text)
    if not isinstance(value, dict):
        raise Refused("not_an_offer")
    grants = value.get("grants")
    if not isinstance(grants, dict) or not isinstance(grants.get(GRANT_TYPE), dict):
        raise Refused("other_grant")
    grant = grants[GRANT_TYPE]
    code, server = grant.get("pre-authorized_code"), grant.get("authorization_server")
    if not isinstance(code, str) or not code:
        raise Refused("not_an_offer")
    return Offer(
        credential_issuer=parse_address(value.get("credential_issuer")),
        configuration_ids=_parse_configurations(value.get("credential_configuration_ids")),
        pre_authorized_code=code,
        tx_code=_parse_tx_code(grant["tx_code"]) if "tx_code" in grant else None,
        authorization_server=None if server is None else parse_address(server),
    )


def check_tx_code(expected: TxCode | None, given: str | None) -> None:
    """Find a mistyped code before it costs one of the few tries.

    Raises:
        WrongUse: The code is missing or cannot be the right one.
    """
    if expected is None:
        return
    if not given:
        raise WrongUse("tx_code_missing")
    if expected.length is not None and len(given) != expected.length:
        raise WrongUse("tx_code_length", expected=expected.length, given=len(given))
    if expected.numeric and not (given.isascii() and given.isdigit()):
        raise WrongUse("tx_code_digits")


def _parse_link(link: str) -> tuple[str | None, str]:
    """Take the link apart: (JSON, "") for an offer by value, (None, address) by reference.

    Raises:
        Refused: It is neither.
    """
    try:
        parts = urlsplit(link)
        # A web wallet's link has the offer in its fragment, which no server's log sees.
        in_fragment = parts.scheme in ("http", "https") and "credential_offer" in parts.fragment
        query = parts.fragment if in_fragment else parts.query
        parameters = parse_qsl(query, keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise Refused("not_an_offer") from error
    found = [(name, text) for name, text in parameters if name.startswith("credential_offer")]
    if not found and parts.scheme in ("http", "https"):
        return None, link  # the document's own address
    web = parts.scheme in ("http", "https")
    if len(found) != 1 or not (web or parts.scheme in _SCHEMES):
        raise Refused("not_an_offer")
    name, text = found[0]
    if name == "credential_offer":
        return text, ""
    if name == "credential_offer_uri":
        return None, text
    raise Refused("not_an_offer")


def _parse_configurations(value: object) -> tuple[str, ...]:
    ids = value if isinstance(value, list) else []
    texts = [item for item in ids if isinstance(item, str) and item]
    if not texts or len(texts) != len(ids) or len(set(texts)) != len(texts):
        raise Refused("not_an_offer")
    if len(texts) > _MAX_CONFIGURATIONS:
        raise Refused("not_an_offer")
    return tuple(texts)


def _parse_tx_code(value: object) -> TxCode:
    # `{}` still means that a code is required (Section 4.1.1).
    if not isinstance(value, dict):
        raise Refused("not_an_offer")
    length = value.get("length")
    if length is not None and (not isinstance(length, int) or isinstance(length, bool)):
        raise Refused("not_an_offer")
    return TxCode(numeric=value.get("input_mode", "numeric") == "numeric", length=length)
