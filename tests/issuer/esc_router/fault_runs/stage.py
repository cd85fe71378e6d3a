"""What one run after another is played on: a sandbox, a database, and the workers' nursery."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

from issuer.database import make_engine
from issuer.esc_router.sandbox import Organisation, create_sandbox
from tests.issuer.esc_router.fault_runs.databases import Database
from tests.issuer.esc_router.fault_runs.shared_clock import SharedClock
from tests.issuer.esc_router.fault_runs.staff import PICS, PROCESSOR_VAT

SECRET = "a secret of tests, 32 bytes long"
PATIENCE = 60.0  # seconds of real time before something is called stuck
KEYS = {pic: f"key-of-{pic}" for pic in PICS}


class Stuck(AssertionError):
    """Something does not come to rest."""


class Stage:
    """Used for many runs; each begins on an empty one."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.clock = SharedClock(folder / "clock")
        self.engine = make_engine(database.url)
        organisations = [
            *(Organisation(pic, f"University of {pic}", key) for pic, key in KEYS.items()),
            Organisation(PROCESSOR_VAT, "Service Centre", "centre-key", frozenset(PICS[:1])),
        ]
        self.app = create_sandbox(organisations=organisations, clock=self.clock, with_faults=True)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app, host="127.0.0.1", port=0, access_log=False, log_level="critical"
            )
        )
        self._serving = threading.Thread(target=self._server.run, daemon=True)
        self._serving.start()
        _wait(lambda: self._server.started, "the sandbox")
        port = self._server.servers[0].sockets[0].getsockname()[1]
        arguments = [database.url, f"http://127.0.0.1:{port}/esc-rest", SECRET]
        self._nursery = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.issuer.esc_router.fault_runs.nursery",
                *arguments,
                str(folder / "clock"),
            ],
            cwd=Path(__file__).parents[4],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._living: dict[int, int] = {}  # slot by process id

    def close(self) -> None:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait()
        self._nursery.stdout.close()
        self._server.should_exit = True
        self._serving.join()
        self.engine.dispose()
        self.database.close()

    def begin(self, at: float) -> None:
        """An empty database, an empty router, no faults."""
        self.clock.set(at)
        self.heal()
        for pic in KEYS:
            self.app.state.sandbox.organisations.reinstate(pic)
        with self.app.state.sandbox.store.transaction() as stored:
            stored.persons.delete_all()
        self.app.state.journal.forget()
        self.database.empty(self.engine)

    def heal(self) -> None:
        self.app.state.faults.replace([])
        self.app.state.conditions.replace([])

    def warm_up(self) -> None:
        self._order(do="warm up")

    def start_worker(
        self, slot: int, *, threads: int, dies_after: int | None, is_patient: bool = True
    ) -> int:
        how = {
            "slot": slot,
            "threads": threads,
            "dies_after": dies_after,
            "is_patient": is_patient,
        }
        pid: int = self._order(do="start", how=how)
        self._living[pid] = slot
        return pid

    def living(self) -> list[int]:
        """Process ids of the workers that have not died."""
        for pid in list(self._living):
            if not self._order(do="look", pid=pid):
                del self._living[pid]
        return list(self._living)

    def kill_workers(self) -> int:
        """Kill all, wherever they are, and let the router finish what they asked."""
        living = self.living()
        for pid in living:
            self._order(do="end", pid=pid)
            del self._living[pid]
        self.wait_for_router()
        return len(living)

    def wait_for_rest(self) -> bool:
        """Until no worker has anything to do; False when none is left."""
        _wait(self._at_rest, "the workers")
        self.wait_for_router()
        return bool(self._living)

    def wait_for_router(self) -> None:
        _wait(lambda: self.app.state.journal.serving() == 0, "the router")

    def _at_rest(self) -> bool:
        if all(self.clock.is_idle(slot) for slot in self._living.values()):
            return True
        self.living()
        return False

    def _order(self, **order: Any) -> Any:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        print(json.dumps(order), file=self._nursery.stdin, flush=True)
        return json.loads(self._nursery.stdout.readline())


def _wait(done: Any, what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > give_up_at:
            raise Stuck(f"{what} did not come to rest")
        time.sleep(0.0005)
