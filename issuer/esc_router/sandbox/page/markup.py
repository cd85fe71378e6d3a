"""HTML that is escaped unless it was made here."""

from collections.abc import Iterable
from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "img", "input", "link", "meta"})


class Html(str):
    """Text that may stand in a page as it is; made by `element` and `together` only."""

    __slots__ = ()


Content = str | Html | None | Iterable["Content"]


def element(tag: str, /, *content: Content, **attributes: str | int | None) -> Html:
    """One element.

    Args:
        tag: Its name.
        content: Within it, escaped; None is nothing.
        attributes: Escaped; a trailing underscore is dropped, other underscores become dashes,
            one that is None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{together(*content)}</{tag}>")


def together(*content: Content) -> Html:
    """Content one after the other."""
    return Html("".join(map(_html, content)))


def _html(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return escape(content)
    return together(*content)
