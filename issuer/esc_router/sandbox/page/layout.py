"""The frame of all pages: head, navigation, notice, tables, pages of a list."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import Response

from issuer.esc_router.sandbox.page.markup import Content, Html, element, together

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
STYLE_PATH: Final = "/sandbox/page/style.css"
_NAVIGATION: Final = (
    ("/sandbox", "Overview"),
    ("/sandbox/page/persons", "Persons"),
    ("/sandbox/page/cards", "Cards"),
    ("/sandbox/page/requests", "Requests"),
)
_NOTICE: Final = (
    "A test tool: everything here is shown to whoever reaches this port, identifiers of students "
    "included. Only invented persons belong here."
)


def page(title: str, path: str, *content: Content) -> Response:
    """A whole page; `path` is its place in the navigation."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="stylesheet", href=STYLE_PATH),
        element("title", f"{title} · ESC-Router sandbox"),
    )
    links = [
        element("a", name, href=href, aria_current="page" if href == path else None)
        for href, name in _NAVIGATION
    ]
    header = element(
        "header",
        element("p", element("strong", "ESC-Router sandbox"), class_="name"),
        element("nav", links, aria_label="Pages"),
    )
    main = element("main", element("h1", title), *content)
    footer = element("footer", element("p", _NOTICE))
    body = element("body", header, main, footer)
    document = Html("<!doctype html>") + element("html", head, body, lang="en")
    return Response(document, media_type="text/html; charset=utf-8", headers=HEADERS)


def table(columns: Sequence[str], rows: Iterable[Sequence[Content]], *, empty: str) -> Html:
    """A table whose cells know their column, for screens that are too narrow for it."""
    body = [
        element("tr", [_cell(name, cell) for name, cell in zip(columns, row, strict=True)])
        for row in rows
    ]
    if not body:
        return element("p", empty, class_="empty")
    head = element("tr", [element("th", name, scope="col") for name in columns])
    return element("table", element("thead", head), element("tbody", body))


def _cell(column: str, content: Content) -> Html:
    return element("td", element("div", content), data_label=column)


def search_form(action: str, search: str, label: str) -> Html:
    """A field to search by."""
    return element(
        "form",
        element("label", label, for_="search"),
        element("input", type="search", id="search", name="search", value=search, maxlength=255),
        element("button", "Search", type="submit"),
        action=action,
        method="get",
        role="search",
    )


def paging(path: str, number: int, size: int, total: int, **kept: str) -> Html:
    """Where this page is in its list, and links to its neighbours."""
    first, last = number * size, min((number + 1) * size, total)
    shown = f"{first + 1:,}-{last:,} of {total:,}" if first < total else f"{total:,} in all"

    def link(to: int, text: str, relation: str) -> Html | None:
        if to < 0 or to * size >= total:
            return None
        query = urlencode({name: value for name, value in kept.items() if value} | {"page": to})
        return element("a", text, href=f"{path}?{query}", rel=relation)

    before, after = link(number - 1, "Previous", "prev"), link(number + 1, "Next", "next")
    return element("p", before, element("span", shown), after, class_="paging")


def mark(text: str, kind: str) -> Html:
    """A word that stands out: `kind` is good, bad, or plain."""
    return element("span", text, class_=f"mark {kind}")


def code(text: str) -> Html:
    """An identifier; it may be broken anywhere."""
    return element("code", text)


def definitions(facts: Iterable[tuple[str, Content]]) -> Html:
    """Names with what they are."""
    pairs = [element("div", element("dt", name), element("dd", what)) for name, what in facts]
    return element("dl", pairs)


def section(title: str, *content: Content) -> Html:
    """A part of a page."""
    return element("section", element("h2", title), together(*content))
