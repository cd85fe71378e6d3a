"""The worker's part in telling phones that a pass changed.

That a phone is to be told is written in the transaction of the change (`issuer.store.passes`);
here it is done, by any number of workers, until it has worked. A registration is claimed for a
while in a transaction of its own, and nothing is held while Apple is asked.
"""

import threading
from datetime import timedelta

import httpx
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.clock import Clock, seconds_of
from issuer.errors import NotUnsealable
from issuer.passes.apns import Answered, Told, push
from issuer.sealing import Sealer
from issuer.store import pass_registrations
from issuer.store.pass_registrations import Claimed

BATCH = 50
LEASE = timedelta(minutes=15)  # longer than a batch takes when every request runs into its timeout
FIRST_PAUSE = 10  # seconds; doubled with each attempt
LONGEST_PAUSE = 3_600  # seconds


class Telling:
    """Tells phones of changed passes by Apple's push service."""

    def __init__(self, engine: Engine, http: httpx.Client, sealer: Sealer, topic: str) -> None:
        self._engine = engine
        self._http = http
        self._sealer = sealer
        self._topic = topic

    def tell_due(self, *, clock: Clock, stop: threading.Event) -> tuple[int, list[str]]:
        """Tell whoever is to be told.

        Returns:
            How many phones were told, and what did not work, in words without personal data.
        """
        told = 0
        while not stop.is_set():
            claimed = self._claim(seconds_of(clock()))
            for place, one in enumerate(claimed):
                answered = self._tell(one, now=seconds_of(clock()))
                self._note(one, answered, now=seconds_of(clock()))
                told += answered.told is Told.TOLD
                if answered.told in (Told.LATER, Told.REFUSED) or stop.is_set():
                    # It would be the same with the others: they are due again at once.
                    self._give_back(claimed[place + 1 :], now=seconds_of(clock()))
                    return told, [f"tell phones of passes: {answered.words}"]
            if len(claimed) < BATCH:
                break
        return told, []

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _claim(self, now: int) -> list[Claimed]:
        # Looked at without a writer's turn, since mostly nobody is to be told.
        with Session(self._engine.execution_options(read_only=True)) as session:
            if not pass_registrations.is_any_due(session, now=now):
                return []
        with Session(self._engine) as session, session.begin():
            lease = int(LEASE.total_seconds())
            return pass_registrations.claim_due(session, now=now, lease=lease, limit=BATCH)

    def _tell(self, one: Claimed, *, now: int) -> Answered:
        try:
            token = self._sealer.unseal(one.sealed_push_token).decode("ascii")
        except NotUnsealable:
            # Kept: a phone registers only once, and the right secret may come back.
            return Answered(Told.LATER, "sealed with another secret")
        return push(self._http, token, topic=self._topic, now=now)

    def _note(self, one: Claimed, answered: Answered, *, now: int) -> None:
        with Session(self._engine) as session, session.begin():
            if answered.told is Told.GONE:
                pass_registrations.drop(session, one)
            elif answered.told is Told.TOLD:
                pass_registrations.settle(session, one)
            else:
                pause = min(FIRST_PAUSE << min(one.attempts, 16), LONGEST_PAUSE)
                until = now + max(pause, answered.retry_after or 0)
                pass_registrations.put_off(session, one, until=until)

    def _give_back(self, others: list[Claimed], *, now: int) -> None:
        with Session(self._engine) as session, session.begin():
            for one in others:
                pass_registrations.give_back(session, one, now=now)
