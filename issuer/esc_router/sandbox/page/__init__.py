"""A page for people that shows what the sandbox holds and what it was asked: `/sandbox`.

Rendered here, without scripts and without anything from elsewhere; it only shows. Whoever
reaches the port sees everything: it is a test tool, for invented persons.
"""

from fastapi import FastAPI

from issuer.esc_router.sandbox.page import overview, records, requests, served


def attach_page(app: FastAPI) -> None:
    """Serve the page of `app`, a sandbox with a journal."""
    for part in (overview, records, requests, served):
        app.include_router(part.router, include_in_schema=False)
