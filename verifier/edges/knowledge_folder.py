"""What is known of several trust lists: one folder for each, the usual one and those named.

    knowledge.json               the usual list
    lists/<name>/knowledge.json  a further list, with an anchor and a source of its own

The lists do not know of each other. An institution that two of them name is decided by the
first: the usual one, then by name.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from verifier.bundle import Knowledge
from verifier.edges.knowledge_file import (
    FILE_NAME,
    KnowledgeError,
    KnowledgeFromFuture,
    load_knowledge,
)

USUAL = ""  # the name of the usual list
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Known:
    """What of the lists can be used, by name, and why the others cannot."""

    lists: dict[str, Knowledge]
    problems: tuple[str, ...]
    is_from_future: bool  # something was signed after now: a clock is wrong


def folder_of(folder: Path, name: str) -> Path:
    """Where a list is kept.

    Args:
        folder: Of the verifier.
        name: `USUAL`, or 1 to 32 small letters, digits and hyphens.

    Raises:
        KnowledgeError: No such name is possible.
    """
    if name == USUAL:
        return folder
    if not _NAME.fullmatch(name):
        raise KnowledgeError("a list's name has 1 to 32 small letters, digits and hyphens")
    return folder / "lists" / name


def names_of_lists(folder: Path) -> list[str]:
    """The lists that were ever fetched, the usual one first."""
    named = (path.parent.name for path in (folder / "lists").glob(f"*/{FILE_NAME}"))
    further = sorted(name for name in named if _NAME.fullmatch(name))
    return [USUAL, *further] if (folder / FILE_NAME).exists() or not further else further


def load_lists(folder: Path, *, now: int) -> Known:
    """Read and check all lists.

    Args:
        folder: Of the verifier.
        now: Seconds since 1970, UTC.

    Raises:
        KnowledgeError: None of them can be used.
        KnowledgeFromFuture: None, and one since it was signed after now.
    """
    lists: dict[str, Knowledge] = {}
    problems: list[str] = []
    is_from_future = False
    for name in names_of_lists(folder):
        try:
            lists[name] = load_knowledge(folder_of(folder, name), now=now).knowledge
        except KnowledgeError as error:
            problems.append(f"list {name}: {error}" if name else str(error))
            is_from_future |= isinstance(error, KnowledgeFromFuture)
    if not lists:
        kind = KnowledgeFromFuture if is_from_future else KnowledgeError
        raise kind("; ".join(problems))
    is_from_future |= any(known.is_from_future for known in lists.values())
    return Known(lists, tuple(problems), is_from_future)


def mark_lists(folder: Path) -> dict[str, Mark | None]:
    """What changes when a list is stored again."""
    return {name: _mark_of(folder_of(folder, name) / FILE_NAME) for name in names_of_lists(folder)}


def _mark_of(path: Path) -> Mark | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
