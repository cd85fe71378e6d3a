"""Faults on demand: what a router does on its bad days.

One-shot faults for the next requests that fit (`once`), standing conditions with seeds
(`conditions`, `standing`), and what somebody else does at the router behind our back
(`behind`); controlled under `/sandbox/` (`control`).
"""

from fastapi import FastAPI

from issuer.esc_router.sandbox.faults import behind, control
from issuer.esc_router.sandbox.faults.once import Faults
from issuer.esc_router.sandbox.faults.serving import FaultyApp
from issuer.esc_router.sandbox.faults.standing import Conditions


def attach_faults(app: FastAPI) -> None:
    """Serve `app`, a sandbox, with its faults and their control."""
    app.state.faults = Faults()
    app.state.conditions = Conditions()
    app.include_router(control.router)
    app.include_router(behind.router)
    app.add_middleware(
        FaultyApp,
        faults=app.state.faults,
        conditions=app.state.conditions,
        clock=app.state.sandbox.clock,
    )
