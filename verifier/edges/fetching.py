"""Fetching a bundle over HTTP: bounded in size and time, https except on this machine.

The standard library's client, since the verifier installs with three packages only.
"""

import ipaddress
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.parse import urlsplit

from verifier.bundle import BUNDLE_MEDIA_TYPE, MAX_BUNDLE_BYTES

TIMEOUT = 20  # seconds without a byte


class FetchError(Exception):
    """Nothing could be fetched; what is stored stays as it is."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bundle as the server sent it, and what it called this version."""

    data: bytes
    etag: str | None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A bundle's address is configured; a redirect is a fault or an attack."""

    def redirect_request(self, *_: Any) -> NoReturn:
        raise FetchError("the server answers with a redirect")


_OPENER = urllib.request.build_opener(_NoRedirect)


def fetch_bundle(url: str, *, etag: str | None = None) -> Fetched | None:
    """Get a bundle.

    Args:
        url: https, or http on a loopback host.
        etag: Of the version that is stored; the server then need not send it again.

    Returns:
        The bundle, or None if the stored version is still the newest.

    Raises:
        FetchError: No answer, not a bundle, or too large.
    """
    _refuse_insecure(url)
    request = urllib.request.Request(url, headers={"Accept": BUNDLE_MEDIA_TYPE})  # noqa: S310  # scheme checked above
    if etag is not None:
        request.add_header("If-None-Match", etag)
    try:
        with _OPENER.open(request, timeout=TIMEOUT) as response:
            data = response.read(MAX_BUNDLE_BYTES + 1)
            found = response.headers.get("ETag")
    except urllib.error.HTTPError as error:
        if error.code == 304:
            return None
        raise FetchError(f"the server answers {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise FetchError(f"no answer from {urlsplit(url).hostname}") from error
    if len(data) > MAX_BUNDLE_BYTES:
        raise FetchError(f"the server sends more than {MAX_BUNDLE_BYTES} bytes")
    return Fetched(data, found)


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
