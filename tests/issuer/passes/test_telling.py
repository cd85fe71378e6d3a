"""Phones are told by Apple's push service: here, a server of the same protocol on this machine."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.errors import UnusableSecret
from issuer.passes.apns import open_apns
from issuer.passes.telling import Telling
from issuer.store import passes
from issuer.tables import Pass, PassRegistration
from tests.conftest import SettableClock, sqlite_only
from tests.issuer.esc_router.http2_server import Asked, Http2Server, Told, http2_served
from tests.issuer.passes.conftest import SEALER, MakePass
from tests.pass_files import PASS_TYPE, PassFolder

Answer = Callable[[Asked], Told]


@contextmanager
def telling(
    engine: Engine,
    folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
) -> Iterator[tuple[Telling, Http2Server]]:
    """A worker's part, and a push service that lets only holders of the certificate in."""
    with http2_served(tmp_path, answer, clients_of=folder.path / "wwdr.pem") as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        url = server.url.removesuffix("/esc-rest")
        http = open_apns(
            url,
            certificate_file=folder.path / "pass.pem",
            key_file=folder.path / "pass.key",
            passphrase_file=None,
        )
        one = Telling(engine, http, SEALER, PASS_TYPE)
        yield one, server
        one.close()


def rows(engine: Engine) -> list[PassRegistration]:
    with Session(engine) as session:
        return list(session.exec(select(PassRegistration).order_by(col(PassRegistration.id))))


def change(engine: Engine, row: Pass, clock: SettableClock) -> None:
    with Session(engine) as session, session.begin():
        passes.tell_of_card(session, row.escn, now=int(clock().timestamp()))


def tell(one: Telling, clock: SettableClock) -> tuple[int, list[str]]:
    return one.tell_due(clock=clock, stop=threading.Event())


def test_a_key_that_does_not_fit_is_refused(pass_folder: PassFolder) -> None:
    with pytest.raises(UnusableSecret, match="cannot be used for TLS"):
        open_apns(
            "https://127.0.0.1:9",
            certificate_file=pass_folder.path / "wwdr.pem",
            key_file=pass_folder.path / "pass.key",
            passphrase_file=None,
        )


def test_each_phone_is_told_once_of_each_change_and_nothing_else_is_said(
    engine: Engine,
    make_pass: MakePass,
    clock: SettableClock,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = make_pass(phones=2)
    with (
        caplog.at_level(logging.DEBUG),
        telling(engine, pass_folder, tmp_path, monkeypatch, lambda _: Told()) as (one, server),
    ):
        assert tell(one, clock) == (0, [])
        change(engine, row, clock)
        assert tell(one, clock) == (2, [])
        assert tell(one, clock) == (0, [])
    asked = server.asked
    assert [one.headers[":path"] for one in asked] == ["/3/device/00ab", "/3/device/01ab"]
    assert {bytes(one.body) for one in asked} == {b"{}"}
    assert {one.headers["apns-topic"] for one in asked} == {PASS_TYPE}
    assert {one.connection for one in asked} == {1}
    assert asked[0].headers["apns-expiration"] == str(int(clock().timestamp()) + 172_800)
    assert [(one.due_at, one.attempts) for one in rows(engine)] == [(None, 0), (None, 0)]
    assert "00ab" not in caplog.text


GONE = [
    Told(status=410, body=b'{"reason": "Unregistered", "timestamp": 1}'),
    Told(status=400, body=b'{"reason": "BadDeviceToken"}'),
    Told(status=400, body=b'{"reason": "DeviceTokenNotForTopic"}'),
]


@pytest.mark.parametrize("gone", GONE)
@sqlite_only
def test_a_phone_that_is_gone_is_forgotten_and_the_others_are_told(
    engine: Engine,
    make_pass: MakePass,
    clock: SettableClock,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gone: Told,
) -> None:
    row = make_pass(phones=2)

    def answer(asked: Asked) -> Told:
        return gone if asked.headers[":path"].endswith("/00ab") else Told()

    with telling(engine, pass_folder, tmp_path, monkeypatch, answer) as (one, _):
        change(engine, row, clock)
        assert tell(one, clock) == (1, [])
    assert [one.device_library_id for one in rows(engine)] == ["phone1"]


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
    engine: Engine,
    make_pass: MakePass,
    clock: SettableClock,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    later: Told,
    words: str,
    pause: int,
) -> None:
    row, answers = make_pass(phones=2), [later]

    def answer(_: Asked) -> Told:
        return answers.pop() if answers else Told()

    with telling(engine, pass_folder, tmp_path, monkeypatch, answer) as (one, server):
        change(engine, row, clock)
        assert tell(one, clock) == (0, [f"tell phones of passes: {words}"])
        assert len(server.asked) == 1
        assert tell(one, clock) == (1, [])  # the other one
        clock.advance(timedelta(seconds=pause - 1))
        assert tell(one, clock) == (0, [])
        clock.advance(timedelta(seconds=1))
        assert tell(one, clock) == (1, [])
    assert [(one.due_at, one.attempts) for one in rows(engine)] == [(None, 0)] * 2


@sqlite_only
def test_a_push_service_that_is_away_is_asked_ever_more_seldom_until_it_is_back(
    engine: Engine,
    make_pass: MakePass,
    clock: SettableClock,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = make_pass(phones=1)
    with telling(engine, pass_folder, tmp_path, monkeypatch, lambda _: Told()) as (one, server):
        server.close()
        change(engine, row, clock)
        pauses = []
        for _ in range(12):
            assert tell(one, clock) == (0, ["tell phones of passes: ConnectError"])
            (registration,) = rows(engine)
            pauses.append((registration.due_at or 0) - int(clock().timestamp()))
            clock.advance(timedelta(seconds=pauses[-1]))
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses[-2:] == [3_600, 3_600]
    with telling(engine, pass_folder, tmp_path, monkeypatch, lambda _: Told()) as (one, server):
        assert tell(one, clock) == (1, [])
    (registration,) = rows(engine)
    assert (registration.due_at, registration.attempts) == (None, 0)


def test_a_change_while_a_phone_is_being_told_is_told_as_well(
    engine: Engine,
    make_pass: MakePass,
    clock: SettableClock,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = make_pass(phones=1)
    changes = [lambda: change(engine, row, clock)]

    def answer(_: Asked) -> Told:
        if changes:
            changes.pop()()
        return Told()

    with telling(engine, pass_folder, tmp_path, monkeypatch, answer) as (one, server):
        change(engine, row, clock)
        assert tell(one, clock) == (1, [])
        assert tell(one, clock) == (1, [])
        assert tell(one, clock) == (0, [])
    assert len(server.asked) == 2


def test_two_workers_tell_a_phone_once(
    engine: Engine,
    make_pass: MakePass,
    clock: SettableClock,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = make_pass(phones=1)
    told: list[int] = []
    others: list[Telling] = []

    def answer(_: Asked) -> Told:
        if others:
            told.append(tell(others.pop(), clock)[0])
        return Told()

    with telling(engine, pass_folder, tmp_path, monkeypatch, answer) as (one, server):
        others.append(one)
        change(engine, row, clock)
        assert tell(one, clock) == (1, [])
    assert told == [0]
    assert len(server.asked) == 1
