"""The first page: how much is held, who may ask, which faults there are, what was asked last."""

import json

from fastapi import APIRouter, Request, Response

from issuer.esc_router.sandbox.page.layout import (
    code,
    definitions,
    mark,
    page,
    section,
    table,
)
from issuer.esc_router.sandbox.page.markup import Content, element
from issuer.esc_router.sandbox.page.records import CARDS_PATH, PERSONS_PATH
from issuer.esc_router.sandbox.page.requests import JournalDep, requests_table
from issuer.esc_router.sandbox.state import Sandbox, SandboxDep

router = APIRouter()
_LATEST = 10


@router.get("/sandbox")
def show_overview(request: Request, sandbox: SandboxDep, journal: JournalDep) -> Response:
    """Everything at a glance."""
    return page(
        "What this router holds",
        "/sandbox",
        _counts(sandbox),
        section("Organisations", _organisations(sandbox)),
        section("Faults", _faults(request)),
        section("Latest requests", requests_table(journal.entries()[:_LATEST])),
    )


def _counts(sandbox: Sandbox) -> Content:
    counts = sandbox.store.counts()
    return definitions(
        [
            ("Persons", element("a", f"{counts.persons:,}", href=PERSONS_PATH)),
            ("Enrolments", f"{counts.enrolments:,}"),
            ("Cards", element("a", f"{counts.cards:,}", href=CARDS_PATH)),
            ("Pictures", f"{counts.pictures:,}"),
            ("Day by its clock", f"{sandbox.today()}"),
        ]
    )


def _organisations(sandbox: Sandbox) -> Content:
    rows = [
        (
            known.name,
            code(known.identifier),
            ", ".join(sorted(known.serves)) or "itself",
            mark("revoked", "bad")
            if sandbox.organisations.is_revoked(known.identifier)
            else mark("accepted", "good"),
        )
        for known in sandbox.organisations.everyone()
    ]
    return table(("Name", "PIC or VAT", "Writes for", "Key"), rows, empty="Nobody may ask.")


def _faults(request: Request) -> Content:
    if not hasattr(request.app.state, "faults"):
        return element("p", "Faults on demand are off; --faults turns them on.", class_="empty")
    left = request.app.state.faults.left()
    standing = request.app.state.conditions.standing()
    rows = [
        *(("for the next requests", code(_facts(fault))) for fault in left),
        *((f"standing: {found.kind}", code(_facts(found))) for found in standing),
    ]
    return table(("Which", "As it was given"), rows, empty="None at present.")


def _facts(fault: object) -> str:
    document = fault.model_dump(mode="json", by_alias=True, exclude_defaults=True)  # type: ignore[attr-defined]
    return json.dumps(document, ensure_ascii=False)
