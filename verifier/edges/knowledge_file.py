"""Keeping what a verifier knows in one file, replaced whole or not at all.

The bundle, the anchors for the next trust list and the highest sequence number seen must never
come apart: they are one JSON file, written beside and moved into place. A crash or a full disk
leaves the old one working. Everything is checked again at every load.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.bundle import (
    Knowledge,
    pack_json,
    parse_body,
    repack_bundle,
    unpack_bundle,
    verify_bundle,
)
from verifier.bundle_on_demand import open_bundle
from verifier.edges.folder_lock import KnowledgeError, hold_folder
from verifier.edges.whole_file import read_object, replace_file
from verifier.errors import CardError, DocumentError, DocumentFromFuture
from verifier.jws import parse_public_jwk, public_jwk_of
from verifier.status_changes import StatusChanges, TakenChanges, merge_deltas, take_changes
from verifier.strict_json import parse_json_object

FILE_NAME = "knowledge.json"

__all__ = [
    "Anchors",
    "KnowledgeError",
    "KnowledgeFromFuture",
    "Stored",
    "load_anchors",
    "load_knowledge",
    "read_bundle",
    "store_bundle",
    "store_changes",
]

Anchors = tuple[ec.EllipticCurvePublicKey, ...]


class KnowledgeFromFuture(KnowledgeError):
    """What is stored was signed after now: the clock of this machine is behind."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept between two runs."""

    knowledge: Knowledge
    source: str | None  # address it was fetched from
    etag: str | None
    changes_etag: str | None  # of the document of changes that is contained
    fetched_at: int  # the bundle; changes may be later


def load_knowledge(folder: Path, *, now: int) -> Stored:
    """Read and check what is known; of a status list, signature and entries at its first use.

    Args:
        folder: Where `store_bundle` put it.
        now: Seconds since 1970, UTC.

    Raises:
        KnowledgeError: Nothing is stored there, or it cannot be used any more.
        KnowledgeFromFuture: It was signed after now.
    """
    return _stored_of(read_object(folder / FILE_NAME), folder, now, open_bundle)


def store_bundle(
    data: bytes,
    folder: Path,
    *,
    now: int,
    anchors: Anchors = (),
    source: str | None = None,
    etag: str | None = None,
) -> Knowledge:
    """Check a bundle and, if it is good, replace what is stored by it.

    Args:
        data: The bundle.
        folder: Where to store it; made if it is not there.
        now: Seconds since 1970, UTC.
        anchors: Keys for the trust list, on the first time; later those that the last list named.
        source: Where it was fetched from, if anywhere.
        etag: What the source called this version.

    Raises:
        DocumentError: The bundle is refused; what is stored stays.
        KnowledgeError: No anchors, or the file cannot be written.
    """
    # From reading what is stored to replacing it, nobody else may: of two that fetch at once,
    # the slower would bring back what the faster replaced.
    with hold_folder(folder):
        previous, anchors, sequence = _load_previous(folder, anchors, now)
        if not anchors:
            raise KnowledgeError("the first time, say whose trust list to accept: --anchor FILE")
        knowledge = verify_bundle(
            data, anchors=anchors, now=now, least_sequence=sequence, previous=previous
        )
        content = {
            "sequence": knowledge.trust.sequence,
            "anchors": [public_jwk_of(anchor) for anchor in knowledge.trust.anchors],
            "signed_by": [public_jwk_of(anchor) for anchor in anchors],
            "source": source,
            "address": knowledge.trust.bundle,
            # What was left out for the clock's sake must come again, though it has not changed.
            "etag": None if knowledge.is_from_future else etag,
            "changes_etag": None,
            "fetched_at": now,
            "bundle": base64.b64encode(repack_bundle(knowledge)).decode("ascii"),
        }
        replace_file(folder / FILE_NAME, json.dumps(content).encode("utf-8"))
    return knowledge


def store_changes(
    changes: StatusChanges, folder: Path, *, now: int, etag: str | None = None
) -> TakenChanges:
    """Keep with what is known what is newer in a document of changes.

    Args:
        changes: As it came from where the bundle came from.
        folder: Where knowledge is stored.
        now: Seconds since 1970, UTC.
        etag: What the source called this version; kept unless the bundle is needed.

    Raises:
        KnowledgeError: Nothing usable is stored, or the file cannot be written.
    """
    path = folder / FILE_NAME
    with hold_folder(folder):
        content = read_object(path)
        bundle = content.get("bundle")
        knowledge = _stored_of(content, folder, now, open_bundle).knowledge
        body = unpack_bundle(base64.b64decode(bundle or ""))
        known = parse_body(body).status_deltas
        taken = take_changes(changes, knowledge, now=now, known=frozenset(known))
        name = etag if taken.is_enough else None
        if taken.deltas or name != content.get("changes_etag"):
            body["status_deltas"] = merge_deltas(known, taken)
            packed = base64.b64encode(pack_json(body)).decode("ascii")
            content |= {"changes_etag": name, "bundle": packed}
            replace_file(path, json.dumps(content).encode("utf-8"))
    return taken


def read_bundle(folder: Path, *, now: int) -> bytes:
    """The bundle that is stored, to be carried to another verifier.

    Raises:
        KnowledgeError: As `load_knowledge`.
    """
    return repack_bundle(_stored_of(read_object(folder / FILE_NAME), folder, now).knowledge)


def load_anchors(path: Path) -> Anchors:
    """Read the keys of a trust list from a file: a JWK or a JWK Set.

    Raises:
        KnowledgeError: It cannot be read or holds no public P-256 key.
    """
    try:
        content = parse_json_object(path.read_bytes())
        anchors = _parse_anchors(content.get("keys", [content]))
    except OSError as error:
        raise KnowledgeError(f"{path} cannot be read: {error.strerror}") from error
    except (CardError, TypeError, ValueError) as error:
        raise KnowledgeError(f"{path} is not a JWK or JWK Set with public P-256 keys") from error
    if not anchors:
        raise KnowledgeError(f"{path} holds no key")
    return anchors


def _stored_of(
    content: dict[str, Any],
    folder: Path,
    now: int,
    check: Callable[..., Knowledge] = verify_bundle,
) -> Stored:
    try:
        knowledge = check(
            base64.b64decode(content.pop("bundle"), validate=True),
            anchors=_parse_anchors(content["signed_by"]),
            now=now,
            least_sequence=_whole(content["sequence"]),
        )
        source, etag = (_text_or_none(content[name]) for name in ("source", "etag"))
        changes_etag = _text_or_none(content.get("changes_etag"))
        return Stored(knowledge, source, etag, changes_etag, _whole(content["fetched_at"]))
    except DocumentFromFuture as error:
        raise KnowledgeFromFuture(f"what is stored cannot be used: {error}") from error
    except DocumentError as error:
        raise KnowledgeError(f"what is stored cannot be used: {error}") from error
    except (CardError, KeyError, TypeError, ValueError) as error:
        raise KnowledgeError(f"{folder / FILE_NAME} is damaged; fetch again") from error


def _load_previous(
    folder: Path, given: Anchors, now: int
) -> tuple[Knowledge | None, Anchors, int]:
    if not (folder / FILE_NAME).exists():
        return None, given, 0
    content = read_object(folder / FILE_NAME)
    try:
        anchors, sequence = _parse_anchors(content["anchors"]), _whole(content["sequence"])
    except (CardError, KeyError, TypeError, ValueError) as error:
        raise KnowledgeError(f"{folder / FILE_NAME} is damaged; remove it") from error
    try:
        # Also when it is too old to check cards with: no older list may take its lists' place.
        check = partial(verify_bundle, may_have_ended=True)
        return _stored_of(content, folder, now, check).knowledge, anchors, sequence
    except KnowledgeError:
        # Damaged, or from the future; its anchors and sequence still bind the next one.
        return None, anchors, sequence


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("a text, or nothing")
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number")
    return value


def _parse_anchors(jwks: list[Any]) -> Anchors:
    return tuple(parse_public_jwk(jwk) for jwk in jwks)
