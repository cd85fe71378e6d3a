"""Fetching a bundle and its changes over HTTP: bounded in size and time.

https, except on this machine. The standard library's client, since the verifier installs with
three packages only.
"""

import ipaddress
from urllib.parse import urlsplit, urlunsplit

from verifier.bundle import BUNDLE_MEDIA_TYPE, MAX_BUNDLE_BYTES
from verifier.edges.downloading import Fetched, FetchError, Wanted, download
from verifier.edges.partial_download import PartialDownload
from verifier.status import MAX_TOKEN_CHARS, STATUS_LIST_MEDIA_TYPE
from verifier.status_changes import CHANGES_MEDIA_TYPE, MAX_CHANGES_BYTES

__all__ = ["FetchError", "Fetched", "fetch_bundle", "fetch_changes", "fetch_status_list"]


def fetch_bundle(
    url: str, *, etag: str | None = None, partial: PartialDownload | None = None
) -> Fetched | None:
    """Get a bundle.

    Args:
        url: https, or http on a loopback host.
        etag: Of the version that is stored; the server then need not send it again.
        partial: Where an interrupted download is kept, to go on from there.

    Returns:
        The bundle, or None if the stored version is still the newest.

    Raises:
        FetchError: No answer, not a bundle, too large, or interrupted.
    """
    _refuse_insecure(url)
    return download(Wanted(url, BUNDLE_MEDIA_TYPE, MAX_BUNDLE_BYTES, etag), partial)


def fetch_changes(url: str, *, etag: str | None = None) -> Fetched | None:
    """Get the changes since a bundle (docs/status-delta.md, section 3).

    Args:
        url: The bundle's.
        etag: Of the version that was taken in last.

    Returns:
        The document, or None if that version is still the newest.

    Raises:
        FetchError: As `fetch_bundle`; also where the server has none.
    """
    _refuse_insecure(url)
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/changes"))
    return download(Wanted(address, CHANGES_MEDIA_TYPE, MAX_CHANGES_BYTES, etag))


def fetch_status_list(url: str) -> str:
    """Get one status list token from its own address (docs/offline-bundle.md, section 4).

    Raises:
        FetchError: As `fetch_bundle`, or it is not ASCII.
    """
    _refuse_insecure(url)
    fetched = download(Wanted(url, STATUS_LIST_MEDIA_TYPE, MAX_TOKEN_CHARS))
    if fetched is None or not fetched.data.isascii():
        raise FetchError("the server sends no status list")
    return fetched.data.decode("ascii").strip()


def _refuse_insecure(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise FetchError("the address must be https (http only on this machine)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
