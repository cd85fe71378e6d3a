"""Signing and storing cards in bulk, and status lists."""

import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from benching.deployment import Deployment, bulk_insert, copy_database, rows_of
from benching.measuring import Effort, Figure, best_of
from benching.world import DAY, ES256, ISSUER_URL, MESSAGE, NOW, PIC, new_key
from sqlmodel import Session, select

from issuer.configurations import Configuration
from issuer.issuing import IssuingPolicy
from issuer.keys import FileSigner
from issuer.orders import Order, issue_many
from issuer.publishing.signing import sign_document
from issuer.store import devices
from issuer.tables import Card, Device, Student
from verifier.jws import public_jwk_of
from verifier.status import STATUS_LIST_TYP, pack_entries, status_list_payload

# Shares of the processor's time, by `thread_time` around each step.
_BEYOND = (
    "beyond the floor: half is what else checks each of the three (form, trust, claims, status), "
    "a third claims, disclosures and encodings, the rest facts, indices and rows"
)
SIGNATURES = 3  # of a card: the SD-JWT VC and the two profiles of the QR code


def measure(effort: Effort) -> Iterator[Figure]:
    """Rows three and six of the table."""
    yield from _bulk(effort)
    yield _status_list(effort, 1_000_000, "1 M")
    yield _status_list(effort, 10_000_000, "10 M")


def _bulk(effort: Effort) -> Iterator[Figure]:
    count = effort.of(1_000, 10)
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        deployment.import_cards(count)
        _add_devices(deployment)
        before = Path(folder) / "before.db"
        copy_database(deployment.path, before)
        issue = _issuing(deployment)
        issue()
        insert = bulk_insert(before, rows_of(deployment.path, "status_entry", "credential"))
        floor, checked_floor, ours = best_of(
            effort.of(4, 1),
            _raw_signing(insert, count, checks=False),
            _raw_signing(insert, count, checks=True),
            issue,
        )
        deployment.engine.dispose()
    what = "sign one card (SD-JWT VC + both E1) and store it, in bulk"
    floor_is = "three ES256 signatures + a bulk insert of the rows"
    note = "ours also verifies each of the three before its release"
    yield Figure(what, floor_is, 2.5, floor, ours, count=count, note=note)
    floor_is = "three ES256 signatures, three verifications + a bulk insert of the rows"
    what = "… with the same verifications in the floor"
    yield Figure(what, floor_is, 2.5, checked_floor, ours, count=count, note=_BEYOND)


def _add_devices(deployment: Deployment) -> None:
    with Session(deployment.engine) as session, session.begin():
        for number, escn in enumerate(session.exec(select(Card.escn)).all()):
            token = number.to_bytes(32)
            devices.add(
                session, Device(escn=escn, token_sha256=token, renew_at=NOW, created_at=NOW)
            )


def _issuing(deployment: Deployment) -> Callable[[], None]:
    jwk = public_jwk_of(new_key().public_key())
    with Session(deployment.engine, expire_on_commit=False) as session:
        found = session.exec(
            select(Card, Student, Device.id)
            .join(Student, Student.id == Card.student_id)
            .join(Device, Device.escn == Card.escn)
        )
        orders = [
            Order(card, student, device_id, kind, jwk)
            for card, student, device_id in found
            for kind in (Configuration.CARD, Configuration.QR)
        ]

    def work() -> None:
        keys, now = deployment.keys, deployment.now
        with Session(deployment.engine) as session, session.begin():
            issue_many(session, PIC, orders, keys=keys, policy=IssuingPolicy(ISSUER_URL), now=now)

    return work


def _raw_signing(insert: Callable[[], None], count: int, *, checks: bool) -> Callable[[], None]:
    key = new_key()
    public_key = key.public_key()

    def work() -> None:
        for _ in range(SIGNATURES * count):
            signature = key.sign(MESSAGE, ES256)
            if checks:
                public_key.verify(signature, MESSAGE, ES256)
        insert()

    return work


def _status_list(effort: Effort, size: int, words: str) -> Figure:
    size = effort.of(size, size // 100)
    random, signer = Random(20261123), FileSigner(new_key())
    marked = {random.randrange(size): 1 for _ in range(size // 100)}
    marked |= {random.randrange(size): 2 for _ in range(size // 500)}
    data = pack_entries(marked, width=2, size=size).data

    def work() -> None:
        payload = status_list_payload(
            pack_entries(marked, width=2, size=size),
            uri=ISSUER_URL + "/status-lists/1",
            issued_at=NOW,
            expires_at=NOW + DAY,
            ttl=3_600,
            aggregation_uri=ISSUER_URL + "/status-lists",
        )
        sign_document(payload, typ=STATUS_LIST_TYP, signer=signer)

    rounds = effort.of(10 if size == 1_000_000 else 4, 1)
    floor, ours = best_of(rounds, lambda: zlib.compress(data, 6), work)
    what = f"status list of {words} entries, 1.2 % marked: build and sign"
    return Figure(what, "zlib level 6 of the same bytes", 1.5, floor, ours)
