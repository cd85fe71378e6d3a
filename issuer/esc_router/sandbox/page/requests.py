"""The page of the last requests."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Query, Request, Response

from issuer.esc_router.sandbox.journal import KEPT, Entry, Journal
from issuer.esc_router.sandbox.page.layout import code, mark, page, paging, table
from issuer.esc_router.sandbox.page.markup import Content, Html, element

router = APIRouter()
REQUESTS_PATH = "/sandbox/page/requests"
_PAGE_SIZE = 50
_COLUMNS = ("Time (UTC)", "Request", "Status", "Took", "Fault")


def _journal(request: Request) -> Journal:
    journal: Journal = request.app.state.journal
    return journal


JournalDep = Annotated[Journal, Depends(_journal)]


@router.get(REQUESTS_PATH)
def show_requests(
    journal: JournalDep, number: Annotated[int, Query(alias="page", ge=0, le=KEPT)] = 0
) -> Response:
    """The last requests, the latest first."""
    entries = journal.entries()
    shown = entries[number * _PAGE_SIZE : (number + 1) * _PAGE_SIZE]
    return page(
        "Requests",
        REQUESTS_PATH,
        element("p", f"The last {KEPT}, without keys and bodies."),
        requests_table(shown),
        paging(REQUESTS_PATH, number, _PAGE_SIZE, len(entries)),
    )


def requests_table(entries: list[Entry]) -> Html:
    """Requests with their answers."""
    return table(_COLUMNS, map(_row, entries), empty="Nothing was asked yet.")


def _row(entry: Entry) -> tuple[Content, ...]:
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S}",
        [element("strong", entry.method), " ", code(unquote(entry.path))],
        _status(entry.status),
        f"{entry.milliseconds:,.1f} ms",
        mark(entry.fault.replace("_", " "), "bad") if entry.fault else "-",
    )


def _status(status: int | None) -> Html:
    if status is None:
        return mark("no answer", "bad")
    return mark(str(status), "good" if status < 300 else "plain" if status < 500 else "bad")
