"""Which addresses keys and students' data may travel to: https, or http on this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def safe_address(text: str) -> str:
    """An address that nobody listens in on.

    Returns:
        The address without a slash at its end.

    Raises:
        ValueError: Another scheme, no host, or a part that an address of ours does not have.
    """
    parts = urlsplit(text)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise ValueError("an address is https, or http on this machine")
    if not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("an address is https with a host, and a path at most")
    return text.rstrip("/")


def _is_here(host: str | None) -> bool:
    return host is not None and is_loopback(host)
