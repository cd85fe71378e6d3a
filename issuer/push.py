"""Telling phones by Web Push that they should ask again: RFC 8030, with VAPID (RFC 8292).

A push is empty: the push service learns that something changed for whoever has this endpoint,
and the phone asks us what. Each is sent by one worker at a time (`issuer.store.notices`), to the
allowed push services only, without following redirects, and no byte of an answer's body is read.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from urllib.parse import SplitResult, urlsplit

import httpx
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.clock import Clock, seconds_of
from issuer.errors import NotUnsealable
from issuer.keys import Signer
from issuer.push_settings import is_allowed
from issuer.safe_addresses import is_loopback
from issuer.sealing import Sealer
from issuer.store import notices
from issuer.store.notices import Claim
from verifier.jws import assemble_jws, b64url_decode, b64url_encode, jws_signing_input

MAX_ENDPOINT_CHARS = 2048
TTL = 24 * 3600  # seconds for which the push service keeps it for a phone that is off
LEASE = 300  # seconds: far more than a batch takes
GIVE_UP_AFTER = 8  # attempts, about a day; the phone asks by itself now and then
_TOKEN_LIFE = 12 * 3600  # seconds; at most 24 hours (RFC 8292, section 2)
_FIRST_PAUSE, _LONGEST_PAUSE = 30, 6 * 3600  # seconds
_BATCH, _AT_A_TIME = 64, 8
TIMEOUT = timedelta(seconds=5)
CONNECTIONS = _AT_A_TIME


class Told(Enum):
    """What became of a push."""

    ACCEPTED = "accepted"
    GONE = "gone"  # the subscription is over (RFC 8030, section 7.3)
    FAILED = "failed"  # again later
    SEALED = "sealed"  # with another secret; again later, when the right one may be back


@dataclass(frozen=True, slots=True)
class Answer:
    """A push service's answer, and for how many seconds it asks to wait."""

    told: Told
    wait: int = 0


@dataclass(slots=True)
class Vapid:
    """Who we are towards push services."""

    signer: Signer
    contact: str
    _tokens: dict[str, tuple[int, str]] = field(default_factory=dict)

    def authorization(self, endpoint: str, *, now: int) -> str:
        """The header for a push to this endpoint; one token serves an origin for hours."""
        origin = _origin_of(endpoint)
        made_at, token = self._tokens.get(origin, (0, ""))
        if not made_at <= now < made_at + _TOKEN_LIFE // 2:
            token = self._token(origin, now)
            self._tokens[origin] = (now, token)
        return f"vapid t={token}, k={application_server_key(self.signer)}"

    def _token(self, origin: str, now: int) -> str:
        claims = {"aud": origin, "exp": now + _TOKEN_LIFE, "sub": self.contact}
        message = jws_signing_input({"typ": "JWT", "alg": "ES256"}, claims)
        return assemble_jws(message, self.signer.sign(message))


@dataclass(frozen=True, slots=True)
class Pusher:
    """All that telling needs."""

    engine: Engine
    http: httpx.Client
    vapid: Vapid
    sealer: Sealer
    hosts: tuple[str, ...]
    clock: Clock

    def tell_due(self, *, should_stop: Callable[[], bool] = lambda: False) -> int:
        """Send what is due; returns how many pushes were accepted.

        Raises:
            NotUnsealable: All others were told; where these phones are reached is kept.
        """
        told, sealed = 0, 0
        while not should_stop() and self._is_any_due():
            claims = self._claim()
            if not claims:
                break
            with ThreadPoolExecutor(_AT_A_TIME, "push") as threads:
                answers = list(threads.map(self._send, claims))
            self._record(claims, answers)
            told += sum(answer.told is Told.ACCEPTED for answer in answers)
            sealed += sum(answer.told is Told.SEALED for answer in answers)
        if sealed:
            raise NotUnsealable(f"{sealed} subscriptions were sealed with another secret")
        return told

    def want_due_renewals(self) -> int:
        """Have phones told whose credentials can be renewed now; returns how many."""
        with Session(self.engine) as session, session.begin():
            now = seconds_of(self.clock())
            return notices.want_due_renewals(session, now=now, limit=_BATCH * 10)

    def _is_any_due(self) -> bool:
        with Session(self.engine.execution_options(read_only=True)) as session:
            return notices.is_any_due(session, now=seconds_of(self.clock()))

    def _claim(self) -> Sequence[Claim]:
        with Session(self.engine) as session, session.begin():
            now = seconds_of(self.clock())
            return notices.claim(session, now=now, leased_until=now + LEASE, limit=_BATCH)

    def _send(self, claimed: Claim) -> Answer:
        try:
            endpoint = self.sealer.unseal(claimed.sealed_subscription).decode()
            check_endpoint(endpoint, self.hosts)
        except NotUnsealable:
            return Answer(Told.SEALED)
        except ValueError:
            return Answer(Told.GONE)  # a service that is not allowed any more
        return push(self.http, endpoint, self.vapid, now=seconds_of(self.clock()))

    def _record(self, claims: Sequence[Claim], answers: Sequence[Answer]) -> None:
        # One by one: who holds a single row keeps nobody waiting in a circle. What a power cut
        # undoes is sent again.
        engine = self.engine.execution_options(durable=False)
        now = seconds_of(self.clock())
        for claimed, answer in zip(claims, answers, strict=True):
            with Session(engine) as session, session.begin():
                _note(session, claimed, answer, now=now)


def _note(session: Session, claimed: Claim, answer: Answer, *, now: int) -> None:
    if answer.told is Told.GONE:
        notices.drop(session, claimed)
    elif answer.told is Told.ACCEPTED or claimed.attempts >= GIVE_UP_AFTER:
        notices.note_told(session, claimed, now=now)
    else:
        pause = max(answer.wait, _pause_after(claimed.attempts))
        notices.put_off(session, claimed, until=now + pause)


def _pause_after(attempts: int) -> int:
    longest = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return random.randint(longest // 2, longest)  # noqa: S311 no secret


def push(http: httpx.Client, endpoint: str, vapid: Vapid, *, now: int) -> Answer:
    """Send one empty push.

    Args:
        http: Follows no redirect.
        endpoint: Checked.
        vapid: Who we are.
        now: Seconds.
    """
    headers = {
        "Authorization": vapid.authorization(endpoint, now=now),
        "TTL": str(TTL),
        "Urgency": "normal",
        "Topic": "card",  # a newer one takes the place of one that waits (section 5.4)
        "Content-Length": "0",
    }
    try:
        with http.stream("POST", endpoint, headers=headers) as response:
            return _answer_of(response)
    except (httpx.TransportError, httpx.InvalidURL, UnicodeError):
        return Answer(Told.FAILED)  # UnicodeError: a name of a host that cannot be looked up


def _answer_of(response: httpx.Response) -> Answer:
    if response.status_code in (200, 201, 202, 204):
        return Answer(Told.ACCEPTED)
    if response.status_code in (404, 410):
        return Answer(Told.GONE)
    wait = response.headers.get("retry-after", "")
    seconds = int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 9 else 0
    return Answer(Told.FAILED, min(seconds, _LONGEST_PAUSE))


def check_endpoint(endpoint: str, hosts: tuple[str, ...]) -> None:
    """Let pass only an address of an allowed push service.

    Raises:
        ValueError: It is another one, or no address.
    """
    if len(endpoint) > MAX_ENDPOINT_CHARS or not endpoint.isascii() or not endpoint.isprintable():
        raise ValueError("not an endpoint")
    parts = urlsplit(endpoint)
    if not is_allowed(parts.hostname or "", hosts) or parts.username is not None:
        raise ValueError("not at an allowed push service")
    if " " in endpoint or "\\" in endpoint or parts.fragment or not _is_safe(parts):
        raise ValueError("not an https address")


def _is_safe(parts: SplitResult) -> bool:
    if parts.scheme == "https":
        return parts.port in (None, 443) or is_loopback(parts.hostname or "")
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def application_server_key(signer: Signer) -> str:
    """Our public key as browsers take it: an uncompressed point in base64url (RFC 8292, 3.2)."""
    jwk = signer.public_jwk
    return b64url_encode(b"\x04" + b64url_decode(jwk["x"]) + b64url_decode(jwk["y"]))


def _origin_of(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"
