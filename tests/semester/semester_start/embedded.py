"""A PostgreSQL for one run, from a Python package, with its usual settings."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import make_url

from tests.embedded_postgresql import start_postgresql
from tests.scratch import scratch


@contextmanager
def embedded_postgresql() -> Iterator[str]:
    """Its URL, of an empty database; every commit waits for the disk, as in operation."""
    with scratch("pg") as folder:
        server = start_postgresql(folder)
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE esc")
            url = make_url(server.get_uri()).set(drivername="postgresql+psycopg", database="esc")
            yield url.render_as_string(hide_password=False)
        finally:
            server.cleanup()
