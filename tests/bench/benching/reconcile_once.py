"""One reconciliation of the institution in a folder, in a process of its own."""

import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

from benching.world import PIC
from sqlmodel import Session

from issuer.clock import seconds_of, utc_now
from issuer.database import make_engine
from issuer.esc_router.exchange import open_router_http
from issuer.esc_router.pace import FASTEST
from issuer.esc_router.reconciler import Outcome, Reconciler
from issuer.esc_router.reconciliation_plan import begin_run
from issuer.esc_router.reconciling import go_on
from issuer.settings import load_sealer
from issuer.store import run_claims
from issuer.store.reconciliations import RunKind
from issuer.tables import Institution, Reconciliation


def main(url: str, folder: Path, threads: int) -> None:
    """Print what it took."""
    engine = make_engine(f"sqlite:///{folder / 'esc.db'}")
    now = seconds_of(utc_now())
    with Session(engine) as session, session.begin():
        institution = session.get_one(Institution, PIC)
        run = begin_run(session, institution, repairs=[], pace=FASTEST, now=now, actor="cli")
        run_id = run.id or 0
        claim = run_claims.claim(
            session, run_id, kind=RunKind.RECONCILE, now=now, lease=timedelta(minutes=5)
        )
    assert claim is not None
    with open_router_http() as http:
        sealer = load_sealer(folder / "secret")
        began = time.perf_counter()
        outcome = go_on(Reconciler(engine, http, url, sealer, utc_now, threads), claim)
        seconds = time.perf_counter() - began
    if outcome is not Outcome.FINISHED:
        raise SystemExit(f"not finished: {outcome}")
    with Session(engine) as session:
        counts = session.get_one(Reconciliation, run_id).counts
    told = {"calls": counts["calls"], "differences": counts["differences"]}
    rate = counts["calls"] / seconds
    print(json.dumps(told | {"seconds": seconds, "rate": rate, "memory": most_memory()}))


def most_memory() -> int:
    """Bytes that this process held at its most.

    Linux counts the parent's memory into ru_maxrss of a process that it has started; what
    /proc says is this program's alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
