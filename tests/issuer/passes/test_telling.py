"""Phones are told by Apple's push service: here, a server of the same protocol on this machine."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.errors import UnusableSecret
from issuer.passes.apns import open_apns
from issuer.passes.telling import Telling
from issuer.sealing import Sealer
from issuer.store import passes
from issuer.tables import Pass, PassRegistration
from tests.conftest import SettableClock, sqlite_only
from tests.issuer.esc_router.http2_server import Asked, Http2Server, Told, http2_served
from tests.issuer.passes.conftest import SEALER, MakePass
from tests.pass_files import PASS_TYPE, PassFolder

Answer = Callable[[Asked], Told]


@dataclass(frozen=True, slots=True)
class Phones:
    """Phones that hold passes, and what tells them."""

    engine: Engine
    clock: SettableClock
    folder: PassFolder
    tmp_path: Path
    monkeypatch: pytest.MonkeyPatch

    @contextmanager
    def told(self, answer: Answer = lambda _: Told()) -> Iterator[tuple[Telling, Http2Server]]:
        """A worker's part, and a push service that lets only holders of the certificate in."""
        clients_of = self.folder.path / "wwdr.pem"
        with http2_served(self.tmp_path, answer, clients_of=clients_of) as server:
            self.monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
            http = open_apns(
                server.url.removesuffix("/esc-rest"),
                certificate_file=self.folder.path / "pass.pem",
                key_file=self.folder.path / "pass.key",
                passphrase_file=None,
            )
            one = Telling(self.engine, http, SEALER, PASS_TYPE)
            yield one, server
            one.close()

    def tell(self, one: Telling) -> tuple[int, list[str]]:
        """One round of the worker: how many were told, and what went wrong."""
        return one.tell_due(clock=self.clock, stop=threading.Event())

    def change(self, row: Pass) -> None:
        """Something that the pass shows changed."""
        with Session(self.engine) as session, session.begin():
            passes.tell_of_card(session, row.escn, now=int(self.clock().timestamp()))

    def rows(self) -> list[PassRegistration]:
        with Session(self.engine) as session:
            return list(session.exec(select(PassRegistration).order_by(col(PassRegistration.id))))


@pytest.fixture
def phones(
    engine: Engine,
    clock: SettableClock,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Phones:
    return Phones(engine, clock, pass_folder, tmp_path, monkeypatch)


def test_a_key_that_does_not_fit_is_refused(pass_folder: PassFolder) -> None:
    with pytest.raises(UnusableSecret, match="cannot be used for TLS"):
        open_apns(
            "https://127.0.0.1:9",
            certificate_file=pass_folder.path / "wwdr.pem",
            key_file=pass_folder.path / "pass.key",
            passphrase_file=None,
        )


def test_each_phone_is_told_once_of_each_change_and_nothing_else_is_said(
    phones: Phones,
    make_pass: MakePass,
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = make_pass(phones=2)
    with (
        caplog.at_level(logging.DEBUG),
        phones.told() as (one, server),
    ):
        assert phones.tell(one) == (0, [])
        phones.change(row)
        assert phones.tell(one) == (2, [])
        assert phones.tell(one) == (0, [])
    asked = server.asked
    assert [one.headers[":path"] for one in asked] == ["/3/device/00ab", "/3/device/01ab"]
    assert {bytes(one.body) for one in asked} == {b"{}"}
    assert {one.headers["apns-topic"] for one in asked} == {PASS_TYPE}
    assert {one.connection for one in asked} == {1}
    assert asked[0].headers["apns-expiration"] == str(int(phones.clock().timestamp()) + 172_800)
    assert [(one.due_at, one.attempts) for one in phones.rows()] == [(None, 0), (None, 0)]
    assert "00ab" not in caplog.text


GONE = [
    Told(status=410, body=b'{"reason": "Unregistered", "timestamp": 1}'),
    Told(status=400, body=b'{"reason": "BadDeviceToken"}'),
    Told(status=400, body=b'{"reason": "DeviceTokenNotForTopic"}'),
]


@pytest.mark.parametrize("gone", GONE)
@sqlite_only
def test_a_phone_that_is_gone_is_forgotten_and_the_others_are_told(
    phones: Phones,
    make_pass: MakePass,
    gone: Told,
) -> None:
    row = make_pass(phones=2)

    def answer(asked: Asked) -> Told:
        return gone if asked.headers[":path"].endswith("/00ab") else Told()

    with phones.told(answer) as (one, _):
        phones.change(row)
        assert phones.tell(one) == (1, [])
    assert [one.device_library_id for one in phones.rows()] == ["phone1"]


LATER = [
    (Told(status=503), "status 503", 10),
    (Told(status=429, headers={"retry-after": "300"}), "status 429", 300),
    (Told(status=500, body=b"x" * 100_000), "status 500", 10),
    (Told(status=403, body=b'{"reason": "BadCertificate"}'), "status 403 BadCertificate", 10),
    (Told(status=400, body=b'{"reason": "Bad <b>"}'), "status 400", 10),
    (Told(status=302, body=b"[]"), "status 302", 10),
]


@pytest.mark.parametrize(("later", "words", "pause"), LATER)
@sqlite_only
def test_what_fails_is_told_in_words_and_tried_again(
    phones: Phones,
    make_pass: MakePass,
    later: Told,
    words: str,
    pause: int,
) -> None:
    row, answers = make_pass(phones=2), [later]

    def answer(_: Asked) -> Told:
        return answers.pop() if answers else Told()

    with phones.told(answer) as (one, server):
        phones.change(row)
        assert phones.tell(one) == (0, [f"tell phones of passes: {words}"])
        assert len(server.asked) == 1
        assert phones.tell(one) == (1, [])  # the other one
        phones.clock.advance(timedelta(seconds=pause - 1))
        assert phones.tell(one) == (0, [])
        phones.clock.advance(timedelta(seconds=1))
        assert phones.tell(one) == (1, [])
    assert [(one.due_at, one.attempts) for one in phones.rows()] == [(None, 0)] * 2


@sqlite_only
def test_a_worker_with_another_secret_forgets_no_phone(
    phones: Phones, make_pass: MakePass, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_pass(phones=1)
    with phones.told() as (one, server):
        phones.change(row)
        with monkeypatch.context() as patch:
            patch.setattr(one, "_sealer", Sealer(b"another secret for tests, 32 bytes"))
            assert phones.tell(one) == (0, ["tell phones of passes: sealed with another secret"])
        assert server.asked == []
        phones.clock.advance(timedelta(seconds=10))
        assert phones.tell(one) == (1, [])


@sqlite_only
def test_a_push_service_that_is_away_is_asked_ever_more_seldom_until_it_is_back(
    phones: Phones, make_pass: MakePass
) -> None:
    row = make_pass(phones=1)
    with phones.told() as (one, server):
        server.close()
        phones.change(row)
        pauses = []
        for _ in range(12):
            assert phones.tell(one) == (0, ["tell phones of passes: ConnectError"])
            (registration,) = phones.rows()
            pauses.append((registration.due_at or 0) - int(phones.clock().timestamp()))
            phones.clock.advance(timedelta(seconds=pauses[-1]))
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses[-2:] == [3_600, 3_600]
    with phones.told() as (one, server):
        assert phones.tell(one) == (1, [])
    (registration,) = phones.rows()
    assert (registration.due_at, registration.attempts) == (None, 0)


def test_a_change_while_a_phone_is_being_told_is_told_as_well(
    phones: Phones, make_pass: MakePass
) -> None:
    row = make_pass(phones=1)
    changes = [lambda: phones.change(row)]

    def answer(_: Asked) -> Told:
        if changes:
            changes.pop()()
        return Told()

    with phones.told(answer) as (one, server):
        phones.change(row)
        assert phones.tell(one) == (1, [])
        assert phones.tell(one) == (1, [])
        assert phones.tell(one) == (0, [])
    assert len(server.asked) == 2


def test_two_workers_tell_a_phone_once(phones: Phones, make_pass: MakePass) -> None:
    row = make_pass(phones=1)
    told: list[int] = []
    others: list[Telling] = []

    def answer(_: Asked) -> Told:
        if others:
            told.append(phones.tell(others.pop())[0])
        return Told()

    with phones.told(answer) as (one, server):
        others.append(one)
        phones.change(row)
        assert phones.tell(one) == (1, [])
    assert told == [0]
    assert len(server.asked) == 1
