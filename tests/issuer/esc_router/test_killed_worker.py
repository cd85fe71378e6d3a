"""Workers that are killed, at whatever moment: nothing is lost, nothing is doubled."""

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from issuer.esc_router.client import EscRouterClient
from issuer.tables import Card

SCRIPT = Path(__file__).with_name("deliver_until_killed.py")
SECRET = "a secret of tests, 32 bytes long"
STUDENTS, ROUNDS = 100, 3


def start(database_url: str, router: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    command = [sys.executable, str(SCRIPT), router, SECRET, "6"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def kill_in_the_middle(
    worker: subprocess.Popen[str], deployment: Any, moments: random.Random
) -> None:
    """Kill it a few deliveries from now, at any point of one."""
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        enough = deployment.states().count("delivered") + moments.randint(1, 10)
        patience = time.monotonic() + 30
        while deployment.states().count("delivered") < enough and time.monotonic() < patience:
            if worker.poll() is not None:
                break  # leases of the dead left it nothing to do
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.03))
        worker.kill()


def finish(worker: subprocess.Popen[str]) -> None:
    with worker:
        worker.wait()
    assert worker.returncode == 0


def test_killed_workers_lose_and_double_nothing(
    deployment: Any, database_url: str, sandbox: Any, riga: EscRouterClient
) -> None:
    deployment.clock.at = datetime.now(UTC)
    escns = []
    for number in range(STUDENTS):
        student = deployment.student(f"{number:02}")
        escns += [deployment.card(student, 2 * number), deployment.card(student, 2 * number + 1)]
    # So that there is a middle to be killed in, even while a busy machine starts the other one.
    sandbox.fault(delay_seconds=0.15, times=100_000)
    moments = random.Random(os.urandom(8))
    for _ in range(ROUNDS):
        workers = [start(database_url, sandbox.url) for _ in range(2)]
        for worker in workers:
            kill_in_the_middle(worker, deployment, moments)
    sandbox.heal()
    assert 0 < deployment.states().count("waiting") < 3 * STUDENTS
    for _ in range(20):
        if "waiting" not in deployment.states():
            break
        finish(start(database_url, sandbox.url))
        time.sleep(0.5)  # until the leases of the dead have run out
    assert set(deployment.states()) == {"delivered"}
    assert len(deployment.states()) == 3 * STUDENTS
    assert riga.list_persons().page.total_elements == STUDENTS
    assert riga.list_cards().page.total_elements == 2 * STUDENTS
    for escn in escns:
        status = riga.card_status(escn)
        assert status is not None
        assert status.status == "ACTIVE"
        assert deployment.row(Card, escn).router_registered_at is not None
