"""One target for each parser: what is done with an input, and what may come of it.

A target takes any bytes. The first byte chooses how the others are used: as they are, or as a
part of a document that is then signed. What may be raised is a refusal of ours; anything else
is found.
"""

import atexit
import base64
import hashlib
import io
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.fuzz import forging
from tests.fuzz.forging import NOW, text_of
from tests.scratch import scratch
from tests.verifier.vector_files import FOLDER, anchors_of, knowledge_of, read_vector
from verifier import ExpectedKeyBinding, Policy, VerifiedCard, verify_bundle, verify_card
from verifier.bundle import repack_bundle
from verifier.cli.answers import Answer, as_json, as_text
from verifier.cli.batch_files import Report, cells_of, read_rows
from verifier.cli.desk import Desk
from verifier.cli.languages import load_language
from verifier.cli.reading import InputError
from verifier.cli.service import Problem, Service
from verifier.edges.knowledge_file import KnowledgeError, load_knowledge, store_bundle
from verifier.errors import CardError, MalformedDocument
from verifier.esc_qr import UnverifiedCode, e1_text, e2_text, encode_e1, encode_e2, parse_code
from verifier.presentation_qr import MAX_PART_BYTES, join_parts, split_presentation
from verifier.presentation_request import encode_request, parse_request
from verifier.rules import Rules, parse_rules
from verifier.rules_fault import RulesError
from verifier.sd_jwt_vc import parse_credential
from verifier.status import parse_status_list_token
from verifier.status_changes import parse_changes, take_changes
from verifier.status_delta import amend, pack_changed, parse_status_delta
from verifier.trust import verify_trust_list
from verifier.trust_document import parse_trust_list, trust_list_payload
from verifier.verify_sd_jwt_vc import verify_credential

KNOWLEDGE = knowledge_of("usual.escbundle", NOW)
USUAL = (FOLDER / "bundles" / "usual.escbundle").read_bytes()
ANCHORS = anchors_of(read_vector((FOLDER / "trust_list/valid.txt").read_bytes()))
ENGLISH = load_language("en")
ASKED = ExpectedKeyBinding(forging.credentials.AUDIENCE, forging.credentials.NONCE)
_UNTIL_EXIT = ExitStack()
atexit.register(_UNTIL_EXIT.close)
SCRATCH = _UNTIL_EXIT.enter_context(scratch("fuzz"))


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        run: Takes an input; raises what is found.
        refusals: What it may raise.
        milliseconds: What it may take, of the processor's time.
        megabytes: What it may add to the process.
    """

    run: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...] = (CardError,)
    milliseconds: int = 50
    megabytes: int = 50


def _made(data: bytes, *ways: Callable[[bytes], Any]) -> Any:
    return ways[data[0] % len(ways)](data[1:]) if data else ways[0](data)


def scanned(data: bytes) -> None:
    """A text that a scanner read: `parse_code`, then the whole check."""
    text = _made(
        data,
        text_of,
        forging.static_code,
        forging.static_code_of_bytes,
        forging.live_code,
        forging.live_code_of_bytes,
        forging.static_code_with_header,
    )
    code = parse_code(text)
    assert _spelled(code) == text.strip(" \t\r\n"), "a second spelling"
    _told(verify_card(text, knowledge=KNOWLEDGE, now=NOW))
    _refuse_second(code, text.strip(" \t\r\n"))


def _spelled(code: UnverifiedCode) -> str:
    """The text that this meaning has; every member of the meaning, signatures included."""
    e1 = encode_e1(code.e1.claims, kid=code.e1.kid, signature=code.e1.signature)
    if code.shown_at is None or code.device_signature is None:
        return e1_text(code.escn, e1)
    signed = {"shown_at": code.shown_at, "signature": code.device_signature}
    return e2_text(code.escn, encode_e2(e1, **signed))


_SPELLINGS: dict[Any, str] = {}


def _refuse_second(code: UnverifiedCode, text: str) -> None:
    # Our keys sign a text always alike: a second signature that fits would be another spelling.
    if len(_SPELLINGS) > 10_000:
        _SPELLINGS.clear()
    meaning = (code.escn, code.e1.claims, code.e1.kid, code.shown_at)
    assert _SPELLINGS.setdefault(meaning, text) == text, "a second spelling that is accepted"


def _told(card: VerifiedCard) -> None:
    """What was accepted can be told to people, to machines and in a report."""
    answer = Answer(card, None, NOW)
    json.dumps(as_json(answer, ENGLISH), ensure_ascii=False).encode()
    as_text(answer, ENGLISH, colour=True).encode()
    json.dumps(cells_of(answer), ensure_ascii=False).encode()


def credential(data: bytes) -> None:
    """An SD-JWT VC, with and without key binding."""
    text = _made(
        data,
        text_of,
        forging.presentation,
        forging.bound_presentation,
        forging.credential_with_header,
    )
    parsed = parse_credential(text)
    # In its characters a token has one spelling: what was read is what was signed.
    assert text.strip(" \t\r\n").startswith(parsed.jws.signing_input.decode("ascii") + ".")
    bound = parsed.sd_jwt.key_binding_jwt is not None
    expected = ASKED if bound else None
    _told(verify_credential(text, knowledge=KNOWLEDGE, now=NOW, expected_key_binding=expected))


def status_list(data: bytes) -> None:
    """A status list token's form."""
    text = _made(data, text_of, forging.status_list)
    token = parse_status_list_token(text)
    entries = token.entries
    assert entries.value_at(0) >= 0
    assert entries.value_at(len(entries) - 1) >= 0
    try:
        entries.value_at(len(entries))
    except MalformedDocument:
        return
    raise AssertionError("an entry beyond the end")


def status_delta(data: bytes) -> None:
    """A delta, alone and in a document of changes, applied to what is known."""
    carried = _made(data, bytes, forging.packed, forging.changes)
    if carried[:2] == b"\x1f\x8b":
        take_changes(parse_changes(carried), KNOWLEDGE, now=NOW)
        return
    delta = parse_status_delta(text_of(carried))
    packed = pack_changed(delta.changes)
    written = delta.jws.payload["changes"]
    assert packed == dict(sorted(written.items(), key=lambda item: int(item[0])))
    after = amend(KNOWLEDGE.status_lists.get(delta.uri), delta)
    assert hashlib.sha256(after.entries.data).digest() == delta.sha256


def trust_list(data: bytes) -> None:
    """A trust list, checked and read."""
    text = _made(data, text_of, forging.trust_list, forging.trust_list_with_header)
    trust = verify_trust_list(text, anchors=ANCHORS, now=NOW)
    written = trust_list_payload(trust)
    json.dumps(written, ensure_ascii=False).encode()
    again = parse_trust_list(trust_list_payload(trust), token="")
    assert trust_list_payload(again) == written


def bundle(data: bytes) -> None:
    """A bundle, unpacked and taken in."""
    carried = _made(data, bytes, forging.packed, forging.signed_bundle)
    knowledge = verify_bundle(carried, anchors=ANCHORS, now=NOW)
    again = verify_bundle(repack_bundle(knowledge), anchors=ANCHORS, now=NOW)
    assert not again.problems
    assert again.status_lists.keys() == knowledge.status_lists.keys()


def knowledge_file(data: bytes) -> None:
    """What a verifier keeps between two runs; `@b` stands for a good bundle."""
    good = base64.b64encode(USUAL)
    content = _made(data, bytes, lambda rest: rest.replace(b"@b", good))
    (SCRATCH / "knowledge.json").write_bytes(content)
    stored = load_knowledge(SCRATCH, now=NOW)
    assert stored.source is None or isinstance(stored.source, str)
    assert stored.etag is None or isinstance(stored.etag, str)
    lists = stored.knowledge.status_lists
    assert all(token is None or token.entries for token in map(lists.get, lists))


def rules(data: bytes) -> None:
    """A provider's file of rules."""
    found = parse_rules(text_of(data))
    assert found.name_in("lv").encode()


def batch(data: bytes) -> None:
    """A file of codes, decided and reported."""
    path = SCRATCH / "codes.csv"
    path.write_bytes(data)
    report = Report(io.StringIO())
    for row in read_rows(path, code="code", time="time", now=NOW):
        if row.at is not None:
            answer = _desk().decide(row.code, Policy(), at=row.at)
            report.add(row, cells_of(answer))


_DESKS: list[Desk] = []


def _desk() -> Desk:
    if not _DESKS:
        folder = SCRATCH / "till"
        store_bundle(USUAL, folder, now=NOW, anchors=ANCHORS)
        _DESKS.append(Desk(folder, lambda: NOW, None))
    return _DESKS[0]


def request(data: bytes) -> None:
    """A request of a till to the local service."""
    service = Service(_desk(), {"any": Rules({"": "any"}, Policy())}, ENGLISH, frozenset())
    json.dumps(service.check(data), ensure_ascii=False).encode()


def presentation(data: bytes) -> None:
    """Parts of a presentation, one a line; or a whole, cut into parts by itself."""
    joined = join_parts(_made(data, lambda rest: text_of(rest).split("\n"), forging.parts))
    assert join_parts(split_presentation(joined, part_bytes=MAX_PART_BYTES)) == joined


def asking(data: bytes) -> None:
    """A request for a presentation."""
    text = _made(data, text_of, forging.asking)
    assert encode_request(parse_request(text)) == text.strip(" \t\r\n"), "a second spelling"


TARGETS = {
    "scanned": Target(scanned),
    "credential": Target(credential),
    "status_list": Target(status_list),
    # By its format a document of changes unpacks to 16 MiB before it is too large.
    "status_delta": Target(status_delta, milliseconds=300, megabytes=100),
    "trust_list": Target(trust_list),
    # By its format a bundle unpacks to 64 MiB before it is too large.
    "bundle": Target(bundle, milliseconds=1_000, megabytes=300),
    "knowledge_file": Target(knowledge_file, (KnowledgeError,)),
    "rules": Target(rules, (RulesError,)),
    "batch": Target(batch, (InputError,)),
    "request": Target(request, (Problem,)),
    "presentation": Target(presentation),
    "asking": Target(asking),
}
