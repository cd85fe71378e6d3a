"""Passes in the worker, on the command line and among the metrics; a misfit stops the start."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.app import create_app
from issuer.errors import UnusableSecret
from issuer.metrics import Metrics
from issuer.settings import IssuerSettings
from issuer.store import passes
from issuer.tables import Pass, PassRegistration
from issuer.worker_opening import open_worker
from tests.conftest import SettableClock, sqlite_only
from tests.issuer.edges.conftest import (
    PASSPHRASE,
    environment,  # noqa: F401 a fixture
    run,  # noqa: F401 a fixture
)
from tests.issuer.esc_router.http2_server import Told, http2_served
from tests.issuer.passes.conftest import MakePass
from tests.pass_files import END, PassFolder, make_pass_folder


def settings_with(
    database_url: str, keys_folder: Path, tmp_path: Path, **more: Any
) -> IssuerSettings:
    secret, passphrase = tmp_path / "secret", tmp_path / "passphrase"
    secret.write_bytes(b"s" * 40)
    passphrase.write_bytes(PASSPHRASE)
    return IssuerSettings(
        database_url=SecretStr(database_url),
        public_url="http://127.0.0.1:8001",
        keys_dir=keys_folder,
        key_passphrase_file=passphrase,
        secret_file=secret,
        esc_router_url="http://127.0.0.1:9/esc-rest",
        **more,
    )


def test_a_certificate_that_does_not_fit_stops_issuer_and_worker_at_their_start(
    sqlite_url: str, tmp_path: Path, clock: SettableClock
) -> None:
    folder = make_pass_folder(tmp_path / "p", team="ZZZZZZZZZZ")
    settings = settings_with(sqlite_url, tmp_path, tmp_path, **folder.apple)

    for start in (create_app, open_worker):
        with pytest.raises(UnusableSecret, match="team ZZZZZZZZZZ, not A1B2C3D4E5"):
            start(settings, clock=clock)  # type: ignore[operator]


@sqlite_only
def test_the_worker_renews_passes_and_tells_phones_in_a_thread_of_its_own(
    database_url: str,
    engine: Engine,
    make_pass: MakePass,
    clock: SettableClock,
    keys_folder: Path,
    pass_folder: PassFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = make_pass(phones=1)
    answer = Told()
    with http2_served(
        tmp_path, lambda _: answer, clients_of=pass_folder.path / "wwdr.pem"
    ) as apns:
        monkeypatch.setenv("SSL_CERT_FILE", str(apns.certificate))
        url = apns.url.removesuffix("/esc-rest")
        settings = settings_with(
            database_url, keys_folder, tmp_path, apns_url=url, **pass_folder.apple
        )
        worker = open_worker(settings, clock=clock)
        try:
            clock.advance(timedelta(days=20))
            done = worker.run_once()
            assert (done.passes_renewed, done.passes_told) == (1, 1)
            with Session(engine) as session, session.begin():
                passes.tell_of_card(session, row.escn, now=int(clock().timestamp()))
            worker.interval = 0.05
            worker.start()
            limit = time.monotonic() + 60
            while len(apns.asked) < 2:
                assert time.monotonic() < limit
                time.sleep(0.02)
        finally:
            worker.stop()
    with Session(engine) as session:
        assert session.exec(select(PassRegistration)).one().due_at is None
        assert session.exec(select(Pass)).one().updated_at > row.updated_at


def test_metrics_count_passes_and_say_when_the_certificate_ends(
    engine: Engine, make_pass: MakePass, clock: SettableClock
) -> None:
    row = make_pass(phones=2)
    with Session(engine) as session, session.begin():
        passes.tell_of_card(session, row.escn, now=int(clock().timestamp()))
    reading = engine.execution_options(read_only=True)

    text = Metrics(reading, clock, "t" * 16, certificate_ends_at=END).render().decode()

    assert 'esc_passes{kind="apple"} 1.0' in text
    assert 'esc_passes{kind="google"} 0.0' in text
    assert "esc_pass_phones_waiting 2.0" in text
    end = f"esc_pass_certificate_end_timestamp_seconds {END.timestamp():.8g}"
    assert end.split()[0] in text
    without = Metrics(reading, clock, "t" * 16).render().decode()
    assert "esc_pass_certificate" not in without


def _set(monkeypatch: pytest.MonkeyPatch, folder: PassFolder) -> None:
    for name, value in folder.apple.items():
        monkeypatch.setenv(f"ESC_ISSUER_{name.upper()}", str(value))


def test_the_command_says_when_the_certificate_ends(
    run: Any,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "passphrase").write_bytes(PASSPHRASE)
    (tmp_path / "secrets" / "secret").write_bytes(os.urandom(40).hex().encode())
    (tmp_path / "keys").mkdir(mode=0o700)
    run("init")
    code, said = run("passes", "status")
    assert (code, said.splitlines()[0]) == (
        0,
        "Apple's passes are not set up here (docs/passes.md)",
    )

    def status(**made: Any) -> tuple[int, str]:
        _set(monkeypatch, make_pass_folder(tmp_path / "p", **made))
        return run("passes", "status")  # type: ignore[no-any-return]

    now = datetime.now(UTC)
    code, said = status(end=now + timedelta(days=100, hours=1))
    assert code == 0
    assert "pass.example.university.card of team A1B2C3D4E5 ends on" in said
    assert "in 100 days" in said
    assert "0 phones follow a pass, 0 of them wait to be told" in said
    code, said = status(end=now + timedelta(days=10, hours=1))
    assert code == 1
    assert "in 10 days: renew it now" in " ".join(said.split())
    code, said = status(end=now - timedelta(days=1))
    assert code == 1
    assert "no pass is signed" in said
    code, said = status(team="ZZZZZZZZZZ")
    assert code == 3
    assert "for the team ZZZZZZZZZZ" in " ".join(said.split())
