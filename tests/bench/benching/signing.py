"""Signing and storing cards in bulk, and status lists."""

import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from benching.deployment import Deployment
from benching.measuring import Effort, Figure, best_of
from benching.world import DAY, ES256, ISSUER_URL, MESSAGE, NOW, PIC, new_key
from sqlalchemy import text
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

SIGNATURES = 3  # of a card: the SD-JWT VC and the two profiles of the QR code


def measure(effort: Effort) -> Iterator[Figure]:
    """Rows three and six of the table."""
    yield _bulk(effort)
    yield _status_list(effort, 1_000_000, "1 M")
    yield _status_list(effort, 10_000_000, "10 M")


def _bulk(effort: Effort) -> Figure:
    count = effort.of(1_000, 10)
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        deployment.import_cards(count)
        _add_devices(deployment)
        floor, ours = best_of(
            effort.of(4, 1), _raw_signing(deployment, count), _issuing(deployment)
        )
        deployment.engine.dispose()
    what = "sign one card (SD-JWT VC + both E1) and store it, in bulk"
    floor_is = "three ES256 signatures + a bulk insert"
    note = "each credential is verified before its release"
    return Figure(what, floor_is, 2.5, floor, ours, count=count, note=note)


def _add_devices(deployment: Deployment) -> None:
    with Session(deployment.engine) as session, session.begin():
        for number, escn in enumerate(session.exec(select(Card.escn)).all()):
            token = number.to_bytes(32)
            devices.add(
                session, Device(escn=escn, token_sha256=token, renew_at=NOW, created_at=NOW)
            )


def _issuing(deployment: Deployment) -> Callable[[], None]:
    jwk = public_jwk_of(new_key().public_key())

    def work() -> None:
        with Session(deployment.engine) as session, session.begin():
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
            policy = IssuingPolicy(ISSUER_URL)
            issue_many(
                session, PIC, orders, keys=deployment.keys, policy=policy, now=deployment.now
            )

    return work


def _raw_signing(deployment: Deployment, count: int) -> Callable[[], None]:
    """The floor: as many signatures, and as many rows in tables of the same shape."""
    key = new_key()
    with deployment.engine.connect() as connection:
        for table in ("credential", "status_entry"):
            copy = f"CREATE TABLE floor_{table} AS SELECT * FROM {table} WHERE 0"
            connection.execute(text(copy))
        connection.commit()
    entry = {"list_id": 1, "idx": 1, "value": 0}
    row = {"escn": "0" * 36, "device_id": 1, "configuration": "EuropeanStudentCard"}
    row |= {"kid": "k" * 43, "holder_thumbprint": "t" * 43, "list_id": 1, "idx": 1}
    row |= {"issued_at": NOW, "expires_at": NOW + DAY}

    def work() -> None:
        for _ in range(SIGNATURES * count):
            key.sign(MESSAGE, ES256)
        with deployment.engine.begin() as connection:
            for table, values in (("floor_status_entry", entry), ("floor_credential", row)):
                names = ", ".join(values)
                holders = ", ".join(f":{name}" for name in values)
                insert = text(f"INSERT INTO {table} ({names}) VALUES ({holders})")
                connection.execute(insert, [values] * (SIGNATURES * count))

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
