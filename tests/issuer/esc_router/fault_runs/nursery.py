"""A process that has loaded everything and brings forth workers by fork, to be killed.

Starting an interpreter for each of them would take longer than all they do. It reads one JSON
document a line and answers each with a line: `start` with a process id, `look` with whether that
process lives, `end` when it is dead.
"""

import gc
import json
import logging
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from issuer.database import make_engine
from issuer.erasure import finish_erasures
from issuer.esc_router.delivery import deliver_due
from issuer.esc_router.exchange import open_router_http
from issuer.sealing import Sealer
from tests.issuer.esc_router.fault_runs.shared_clock import BUSY, SharedClock

LEASE = timedelta(seconds=120)
# Who is patient never gives up a request because the machine is busy; who is not meets routers
# that hang.
PATIENCE = {True: timedelta(seconds=30), False: timedelta(seconds=0.4)}


class Fuse:
    """Kills this process at its n-th step: a statement, a commit, a request, an answer."""

    def __init__(self, steps: int | None) -> None:
        self._left = steps

    def step(self, *_what: Any) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def lay(self, engine: Engine, http: httpx.Client) -> None:
        def statement(*_what: Any) -> None:
            self.step()

        event.listen(engine, "before_cursor_execute", statement)
        event.listen(engine, "commit", self.step)
        event.listen(engine, "checkin", self.step)  # when it is committed
        http.event_hooks = {"request": [self.step], "response": [self.step]}


class Nursery:
    """What all workers have from birth."""

    def __init__(self, database_url: str, router_url: str, secret: str, clock: Path) -> None:
        self._engine = make_engine(database_url)
        self._router_url = router_url
        self._sealer = Sealer(secret.encode())
        self._clock = SharedClock(clock)
        self._pid = os.getpid()
        self._http: dict[bool, httpx.Client] = {}
        self._open_http()

    def _open_http(self) -> None:
        for is_patient, timeout in PATIENCE.items():
            self._http[is_patient] = open_router_http(timeout=timeout, connections=4)

    def warm_up(self) -> None:
        """Work once, so that no worker has to find out how."""
        self._work(self._http[True], threads=1)
        self._engine.dispose()
        for http in self._http.values():
            http.close()
        self._open_http()
        gc.collect()
        gc.freeze()

    def start(self, *, slot: int, threads: int, dies_after: int | None, is_patient: bool) -> int:
        self._clock.note(slot, BUSY)
        pid = os.fork()
        if pid == 0:
            sys.stdin.close()
            http = self._http[is_patient]
            Fuse(dies_after).lay(self._engine, http)
            self._live(http, slot, threads)
        return pid

    def _live(self, http: httpx.Client, slot: int, threads: int) -> None:
        while True:
            seen = self._clock.seconds
            self._clock.note(slot, BUSY)
            try:
                self._work(http, threads)
            except (DBAPIError, PoolTimeout):
                time.sleep(0.02)  # the database is dead: as the worker's loop does, go on
            self._clock.note(slot, seen)
            while self._clock.seconds == seen:
                if os.getppid() != self._pid:
                    os._exit(0)  # nobody is left to kill it
                time.sleep(0.0005)

    def _work(self, http: httpx.Client, threads: int) -> None:
        deliver_due(
            self._engine,
            http,
            base_url=self._router_url,
            sealer=self._sealer,
            clock=self._clock,
            threads=threads,
            lease=LEASE,
        )
        with Session(self._engine) as session, session.begin():
            finish_erasures(session, now=self._clock())


def _is_alive(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG) == (0, 0)


def main() -> None:
    logging.disable()  # of refusals there are thousands
    nursery = Nursery(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    for line in sys.stdin:
        order = json.loads(line)
        answer: Any = None
        if order["do"] == "warm up":
            nursery.warm_up()
        elif order["do"] == "start":
            answer = nursery.start(**order["how"])
        elif order["do"] == "look":
            answer = _is_alive(order["pid"])
        else:
            os.kill(order["pid"], signal.SIGKILL)
            os.waitpid(order["pid"], 0)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
