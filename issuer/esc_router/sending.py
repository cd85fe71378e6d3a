"""What one thread does with one student: the calls to the router, and what became of them.

No request is made inside of a database transaction. A card whose student the router does not
have takes the student along. What comes after a delivery that got no answer is put off with it:
the student is tried as a whole, and cards do not overtake their person.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx
from sqlalchemy import Engine

from issuer.errors import NotUnsealable
from issuer.esc_router import pauses
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import (
    PERSON_EXISTS,
    RouterBusy,
    RouterConflict,
    RouterKeyRefused,
    RouterRefused,
    RouterUnavailable,
)
from issuer.esc_router.facts import Facts
from issuer.esc_router.outbox import Claim
from issuer.esc_router.outcomes import Outcome, Result
from issuer.esc_router.presence import Presence
from issuer.esc_router.removal import LeaseOver, Removal
from issuer.sealing import Sealer

_log = logging.getLogger(__name__)

# Where the router says that it limits us, but not for how long.
BUSY_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Channel:
    """How to reach the router, and what else a thread needs."""

    engine: Engine
    http: httpx.Client
    base_url: str
    sealer: Sealer
    now: Callable[[], int]
    random: Callable[[], float]
    _routers: dict[bytes, EscRouterClient] = field(default_factory=dict)

    def router_with(self, sealed_key: bytes) -> EscRouterClient:
        """The router as an institution meets it: each key is opened once.

        Raises:
            NotUnsealable: It was sealed with another secret, or changed.
        """
        router = self._routers.get(sealed_key)
        if router is None:
            api_key = self.sealer.unseal(sealed_key).decode("utf-8", "replace")
            router = EscRouterClient(self.base_url, api_key, self.http)
            self._routers[sealed_key] = router
        return router


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one student's claim.

    Attributes:
        outcomes: Of each delivery.
        answered: The router gave a real answer.
        failed: It gave none.
        refused_key: The sealed key that it refused.
        busy_for: It asked the institution to wait so long.
    """

    outcomes: Sequence[Outcome]
    answered: bool = False
    failed: bool = False
    refused_key: bytes | None = None
    busy_for: timedelta | None = None

    @property
    def claim(self) -> Claim:
        """The first delivery of the student."""
        return self.outcomes[0].claim

    @property
    def is_bad_news(self) -> bool:
        """Others should hear of it before they are sent."""
        return self.failed or self.refused_key is not None or self.busy_for is not None


def give_back(claims: Sequence[Claim], why: str | None = None) -> Sent:
    """Nothing was tried."""
    return Sent([Outcome(claim, Result.GIVEN_BACK, why) for claim in claims])


def send(channel: Channel, claims: Sequence[Claim], facts: Facts) -> Sent:
    """Deliver what is claimed of a student."""
    if facts.sealed_key is None or channel.now() > claims[0].start_by:
        return give_back(claims)
    try:
        router = channel.router_with(facts.sealed_key)
    except NotUnsealable as error:
        return _refused_key(claims, facts.sealed_key, str(error), answered=False)
    return _Sending(channel, facts, router, facts.person_known).run(claims)


def _refused_key(
    claims: Sequence[Claim], sealed_key: bytes | None, why: str, *, answered: bool
) -> Sent:
    _log.error("the router key of institution %s was refused: %s", claims[0].pic, why)
    return Sent(give_back(claims, why).outcomes, answered, refused_key=sealed_key)


@dataclass(slots=True)
class _Sending:
    channel: Channel
    facts: Facts
    router: EscRouterClient
    person_known: bool
    answered: bool = False

    def run(self, claims: Sequence[Claim]) -> Sent:
        done: list[Outcome] = []
        for index, claim in enumerate(claims):
            rest = claims[index:]
            was_known = self.person_known
            try:
                outcome = self._deliver(claim)
            except RouterRefused as error:
                self.answered = True
                outcome = self._refused(claim, error)
            except (RouterUnavailable, RouterKeyRefused, LeaseOver) as error:
                sent = self._end(rest, error)
                left = self._noted(sent.outcomes[0], was_known)
                return replace(sent, outcomes=[*done, left, *sent.outcomes[1:]])
            done.append(self._noted(outcome, was_known))
        return Sent(done, self.answered)

    def _refused(self, claim: Claim, error: RouterRefused) -> Outcome:
        if claim.escn is not None and self.facts.cards[claim.escn].has_expired:
            return Outcome(claim, Result.DISCARDED, _EXPIRED)
        _log.warning("the router refused delivery %d: %s", claim.delivery_id, error)
        return Outcome(claim, Result.STOPPED, str(error))

    def _noted(self, outcome: Outcome, was_known: bool) -> Outcome:
        is_new = self.person_known and not was_known
        return replace(outcome, registered_student=True) if is_new else outcome

    def _end(self, rest: Sequence[Claim], error: Exception) -> Sent:
        """The error is one after which nothing more of the student is tried."""
        why = str(error)
        if isinstance(error, RouterBusy):
            wait = BUSY_PAUSE if error.retry_after is None else error.retry_after
            return Sent(give_back(rest, why).outcomes, answered=True, busy_for=wait)
        if isinstance(error, RouterUnavailable):
            return Sent(self._put_off(rest, why), answered=self.answered, failed=True)
        if isinstance(error, RouterKeyRefused):
            return _refused_key(rest, self.facts.sealed_key, why, answered=True)
        return Sent(give_back(rest).outcomes, self.answered)

    def _put_off(self, rest: Sequence[Claim], why: str) -> list[Outcome]:
        attempts = max(claim.attempts for claim in rest)
        pause = pauses.pause_after(attempts, random=self.channel.random())
        return [Outcome(claim, Result.PUT_OFF, why, pause, attempts) for claim in rest]

    def _deliver(self, claim: Claim) -> Outcome:
        if self.facts.presence is not Presence.PRESENT:
            return self._without(claim)
        if claim.escn is None:
            self._bring_person()
            return Outcome(claim, Result.DELIVERED)
        card = self.facts.cards[claim.escn]
        if card.wanted is None:
            return Outcome(claim, Result.DISCARDED, _NOT_FOR_IT)
        if not self.person_known:
            self._bring_person()
        self.router.bring_card(card.wanted, known=card.known)
        self.answered = True
        return Outcome(claim, Result.DELIVERED)

    def _bring_person(self) -> None:
        if not self.person_known:
            try:
                self.router.create_person(self.facts.person)
            except RouterConflict as error:
                if error.code != PERSON_EXISTS:
                    raise
            else:
                self.answered = self.person_known = True
                return
            # It has them since an earlier time: to be known even if the update gets no answer,
            # for they must be removed when their consent is withdrawn meanwhile.
            self.answered = self.person_known = True
        self.router.bring_person(self.facts.person, known=True)

    def _without(self, claim: Claim) -> Outcome:
        """The router should not hold the student."""
        removal = Removal(self.channel.engine, self.router, claim, self.channel.now)
        if not self.facts.person.identifier:  # it would be the address of all persons
            # A card that came back there after all was erased is known by its number still.
            if claim.escn is None and removal.run_without_person():
                self.answered = True
                return Outcome(claim, Result.REMOVED)
            return Outcome(claim, Result.DISCARDED, _ERASED)
        awaits_consent = self.facts.presence is Presence.AWAITING_CONSENT
        if claim.escn is not None or (awaits_consent and not removal.was_tried()):
            why = _AWAITS_CONSENT if awaits_consent else _REMOVED
            return Outcome(claim, Result.DISCARDED, why)
        # Of a student who awaits consent too, once it was tried: the router may have taken what
        # it did not answer.
        removal.run()
        self.answered, self.person_known = True, False
        return Outcome(claim, Result.REMOVED)


_NOT_FOR_IT = "the router needs no such card: it has not begun, or ended before it was sent"
_EXPIRED = "the card expired, which the router shows by its date"
_AWAITS_CONSENT = "the student has not consented to registration"
_ERASED = "the student was erased: nobody is left to tell of, and the router has forgotten"
_REMOVED = "the student is removed from the router, and the cards with them"
