"""Apple's push service: one request that has a phone fetch its passes (APNs over HTTP/2).

The request says nothing but the pass type: its body is `{}`. Who may push is decided by the
client certificate, that of the pass type. Push tokens stand in addresses, which httpx would log:
`open_apns` silences it.
"""

import json
import logging
import ssl
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path

import httpx

from issuer.errors import UnusableSecret
from issuer.passes.certificate import passphrase_of
from issuer.safe_addresses import is_loopback

KEPT_BY_APPLE = timedelta(days=2)  # for a phone that is off
_TIMEOUT = httpx.Timeout(10.0)
_MAX_ANSWER_BYTES = 4_096
# Reasons of a 400 that are the token's fault (APNs, "Handling notification responses").
_BAD_TOKEN = frozenset(
    {"BadDeviceToken", "DeviceTokenNotForTopic", "ExpiredToken", "Unregistered"}
)


class Told(Enum):
    """What the push service made of a request."""

    TOLD = "told"
    GONE = "gone"  # the token is not good any more
    LATER = "later"  # it is busy, or did not answer
    REFUSED = "refused"  # our certificate or request: the same for every phone


@dataclass(frozen=True, slots=True)
class Answered:
    """The outcome of one request.

    Attributes:
        told: What became of it.
        words: Apple's reason, or the kind of failure; of a known form, without the token.
        retry_after: Apple asks for patience, in seconds.
    """

    told: Told
    words: str = ""
    retry_after: int | None = None


def open_apns(
    url: str, *, certificate_file: Path, key_file: Path, passphrase_file: Path | None
) -> httpx.Client:
    """A client that shows the certificate of the pass type; for one thread.

    Args:
        url: The push service, https.
        certificate_file: PEM.
        key_file: PEM.
        passphrase_file: Of the key, if it has one.

    Raises:
        UnusableSecret: The certificate and its key cannot be used for TLS.
    """
    for name in ("httpx", "httpcore", "hpack"):
        logging.getLogger(name).setLevel(logging.WARNING)
    context = httpx.create_ssl_context()
    # Without a passphrase OpenSSL would ask at the terminal.
    passphrase = passphrase_of(passphrase_file) or b""
    try:
        context.load_cert_chain(certificate_file, key_file, password=lambda: passphrase)
    except (OSError, ssl.SSLError) as error:
        raise UnusableSecret("the certificate of passes cannot be used for TLS") from error
    host = httpx.URL(url).host
    return httpx.Client(
        base_url=url,
        http2=True,
        verify=context,
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=not is_loopback(host),
        headers={"user-agent": "european-student-card-wallet"},
    )


def push(http: httpx.Client, token: str, *, topic: str, now: int) -> Answered:
    """Have the phone with this push token fetch its passes.

    Args:
        http: From `open_apns`.
        token: Hexadecimal, as the phone registered it.
        topic: The pass type identifier.
        now: Seconds.
    """
    headers = {
        "apns-topic": topic,
        "apns-push-type": "background",
        "apns-priority": "5",
        "apns-expiration": str(now + int(KEPT_BY_APPLE.total_seconds())),
        "content-type": "application/json",
    }
    try:
        with http.stream("POST", f"/3/device/{token}", content=b"{}", headers=headers) as answer:
            body = _beginning_of(answer)
    except httpx.HTTPError as error:
        return Answered(Told.LATER, type(error).__name__)
    return _answered(answer, body)


def _beginning_of(answer: httpx.Response) -> bytes:
    body = b""
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            break
    return body


def _answered(answer: httpx.Response, body: bytes) -> Answered:
    status, reason = answer.status_code, _reason(body)
    if status == 200:
        return Answered(Told.TOLD)
    if status == 410 or (status == 400 and reason in _BAD_TOKEN):
        return Answered(Told.GONE, reason)
    if status == 429 or status >= 500:
        text = answer.headers.get("retry-after", "")
        patience = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else None
        return Answered(Told.LATER, f"status {status}", patience)
    return Answered(Told.REFUSED, f"status {status} {reason}".rstrip())


def _reason(body: bytes) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    reason = document.get("reason") if isinstance(document, dict) else None
    is_word = isinstance(reason, str) and reason.isascii() and reason.isalpha()
    return reason[:40] if is_word and isinstance(reason, str) else ""
