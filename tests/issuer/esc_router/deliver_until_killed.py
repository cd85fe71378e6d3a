"""A worker of its own process: delivers what is due until nothing is left, or it is killed."""

import os
import sys
from datetime import UTC, datetime, timedelta

from issuer.database import make_engine
from issuer.esc_router.delivery import deliver_due
from issuer.esc_router.exchange import open_router_http
from issuer.sealing import Sealer

engine = make_engine(os.environ["DATABASE_URL"])
print("ready", flush=True)
with open_router_http() as http:
    deliver_due(
        engine,
        http,
        base_url=sys.argv[1],
        sealer=Sealer(sys.argv[2].encode()),
        clock=lambda: datetime.now(UTC),
        lease=timedelta(seconds=float(sys.argv[3])),
    )
engine.dispose()
