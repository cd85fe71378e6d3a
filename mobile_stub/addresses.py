"""Which addresses the phone talks to, and where well-known documents are."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from mobile_stub.errors import Refused

_MAX_CHARS = 2048


def parse_address(text: object) -> str:
    """An address that may be called: https, or http on this very machine (a demonstration).

    Raises:
        Refused: It is no such address.
    """
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_CHARS:
        raise Refused("bad_address")
    parts = _split(text)
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise Refused("bad_address")
    if not text.isascii() or any(char <= " " or char == "\\" for char in text):
        raise Refused("bad_address")
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)):
        return text
    raise Refused("insecure_address", host=parts.hostname)


def parse_endpoint(text: object, *, of: str) -> str:
    """An address that a document names; no http below an issuer that is reached by https.

    Raises:
        Refused: It is no such address.
    """
    address = parse_address(text)
    if of.startswith("https:") and not address.startswith("https:"):
        raise Refused("insecure_address", host=urlsplit(address).hostname)
    return address


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def well_known_address(identifier: str, name: str) -> str:
    """`/.well-known/<name>` put between the host and the path of an identifier.

    (OpenID4VCI 1.0, Section 12.2.2; RFC 8414, Section 3.1: a slash at the end is dropped.)
    """
    parts = urlsplit(identifier)
    path = f"/.well-known/{name}{parts.path.rstrip('/')}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def host_of(address: str) -> str:
    """The host of an address (with its port), for sentences."""
    return urlsplit(address).netloc


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # urlsplit looks at the port only when asked
    except ValueError as error:
        raise Refused("bad_address") from error
    return parts
