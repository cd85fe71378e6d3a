"""What the sandbox keeps: its file's versions, a restart, and pages that begin where one ended."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from issuer.esc_router.sandbox.organisations import Organisation, Organisations
from issuer.esc_router.sandbox.paging import Listing, Pages
from issuer.esc_router.sandbox.records import Card, Enrolment
from issuer.esc_router.sandbox.schema import VERSION, UnusableDatabase
from issuer.esc_router.sandbox.store import Store

RIGA, PORTO = "999978433", "888878433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:1"
ESCN = "25539be8-6423-103e-add8-001999978433"
# As the first sandboxes made it, without a version.
VERSION_1 = """
CREATE TABLE person (
  esi_normal TEXT PRIMARY KEY, esi TEXT NOT NULL, full_name TEXT
) WITHOUT ROWID;
CREATE TABLE enrolment (
  esi_normal TEXT NOT NULL REFERENCES person ON DELETE CASCADE, organisation TEXT NOT NULL,
  full_name TEXT, email TEXT, academic_level TEXT, PRIMARY KEY (esi_normal, organisation)
) WITHOUT ROWID;
CREATE TABLE card (
  number TEXT PRIMARY KEY, status TEXT NOT NULL, type TEXT NOT NULL, display_name TEXT,
  issued_at TEXT NOT NULL, expires_at TEXT NOT NULL, issuer TEXT NOT NULL,
  esi_normal TEXT NOT NULL REFERENCES person ON DELETE CASCADE, processor TEXT
) WITHOUT ROWID;
CREATE INDEX card_person ON card (esi_normal, issuer);
INSERT INTO person VALUES ('urn:schac:personaluniquecode:int:esi:lv:1',
  'urn:schac:personalUniqueCode:int:esi:lv:1', NULL);
INSERT INTO enrolment VALUES ('urn:schac:personaluniquecode:int:esi:lv:1', '999978433', 'Zoë',
  NULL, 'MASTER');
INSERT INTO card VALUES ('25539be8-6423-103e-add8-001999978433', 'ACTIVE', 'SMART_PASSIVE', NULL,
  '2026-09-01', '2026-12-31', '999978433', 'urn:schac:personaluniquecode:int:esi:lv:1', NULL);
"""


def a_card(number: str = ESCN, esi: str = ESI, issuer: str = RIGA) -> Card:
    return Card(
        number=number,
        status="ACTIVE",
        type="SMART_PASSIVE",
        display_name=None,
        issued_at=date(2026, 9, 1),
        expires_at=date(2026, 12, 31),
        issuer=issuer,
        esi=esi,
        processor=None,
    )


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("CREATE TABLE student (id INTEGER)", "another program"),
        ("PRAGMA user_version = 2; CREATE TABLE student (id INTEGER)", "another program"),
        (f"{VERSION_1} PRAGMA user_version = {VERSION + 1}", "a newer sandbox: version"),
    ],
)
def test_another_database_is_refused_with_a_sentence_and_left_alone(
    tmp_path: Path, script: str, sentence: str
) -> None:
    file = tmp_path / "router.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)
    before = file.read_bytes()
    with pytest.raises(UnusableDatabase, match=sentence):
        Store(file)
    assert file.read_bytes() == before


def test_what_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    for path in (tmp_path / "text", tmp_path, tmp_path / "missing" / "router.db"):
        with pytest.raises(UnusableDatabase, match=re.escape(str(path))):
            Store(path)


def test_the_command_refuses_it_with_the_same_sentence(tmp_path: Path) -> None:
    (tmp_path / "router.db").write_text("no database " * 100)
    command = [sys.executable, "-m", "issuer.esc_router.sandbox", "--port", "0"]
    done = subprocess.run(
        [*command, "--database", str(tmp_path / "router.db")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot be used as a sandbox's" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_older_database_is_upgraded_with_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "router.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(VERSION_1)
    for _ in range(2):
        with closing(Store(file)) as store:
            with store.transaction() as stored:
                assert stored.cards.by_number(ESCN) == a_card()
                person = stored.persons.by_esi(ESI)
                stored.pictures.save(ESI, RIGA, b"picture")
            assert person is not None
            assert person.enrolments[0].full_name == "Zoë"
            assert store.counts().pictures == 1


@contextmanager
def running(database: Path) -> Iterator[str]:
    """The sandbox as a program, killed at the end."""
    command = [sys.executable, "-m", "issuer.esc_router.sandbox", "--port", "0", "--faults"]
    given = ["--database", str(database), "--organisation", f"{RIGA}:Riga:riga-key"]
    with subprocess.Popen([*command, *given], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"(http://[0-9.:]+)/esc-rest", process.stdout.readline())
            assert found
            yield found[1]
        finally:
            process.kill()


def test_everything_survives_that_the_program_is_killed(tmp_path: Path) -> None:
    written = BytesIO()
    Image.new("RGB", (200, 300), "navy").save(written, "PNG")
    headers = {"Authorization": "Bearer riga-key"}
    body = {"identifier": ESI, "personOrganisationUpdateViews": [{"organisationIdentifier": RIGA}]}
    picture = f"/esc-rest/api/v2/organisations/{RIGA}/person/{ESI}/picture"
    with running(tmp_path / "router.db") as host, httpx.Client(base_url=host) as client:
        client.headers.update(headers)
        assert client.post("/esc-rest/api/v2/persons", json=body).status_code == 201
        sent = client.post(picture, files={"file": ("a.png", written.getvalue())})
        assert sent.status_code == 201
    with running(tmp_path / "router.db") as host, httpx.Client(base_url=host) as client:
        client.headers.update(headers)
        found = client.get(f"/esc-rest/api/v2/persons/{ESI}").json()
        assert found["organisations"][0]["hasPicture"] is True
        assert client.get(picture).content == written.getvalue()


def test_a_revoked_key_is_still_revoked_after_a_restart(tmp_path: Path) -> None:
    known = [Organisation(RIGA, "Riga", "riga-key"), Organisation(PORTO, "Porto", "porto-key")]
    with closing(Store(tmp_path / "router.db")) as store:
        assert Organisations(known, store).revoke(RIGA)
        assert not Organisations(known, store).revoke("nobody")
    with closing(Store(tmp_path / "router.db")) as store:
        organisations = Organisations(known, store)
        assert [one.identifier for one in organisations.everyone()] == [RIGA, PORTO]
        assert (organisations.is_revoked(RIGA), organisations.is_revoked(PORTO)) == (True, False)
        organisations.reinstate(RIGA)
        assert not organisations.is_revoked(RIGA)


def test_what_changes_behind_our_back_says_whether_it_was_there() -> None:
    with closing(Store(None)) as store:
        assert not store.alter_card(ESCN, lambda card: card)
        assert not store.alter_enrolment(ESI, RIGA, lambda enrolment: enrolment)
        assert not store.drop_card(ESCN)
        assert not store.drop_person(ESI)
        assert not store.drop_picture(ESI, RIGA)
        with store.transaction() as stored:
            stored.persons.save(ESI, None)
            stored.persons.save_enrolment(ESI, Enrolment(RIGA, "Zoë", None, None))
            stored.cards.save(a_card())
            stored.pictures.save(ESI, RIGA, b"picture")
        assert store.alter_card(ESCN, lambda card: replace(card, status="INACTIVE"))
        assert store.alter_enrolment(ESI, RIGA, lambda one: replace(one, full_name="Zoe"))
        with store.reading() as stored:
            assert stored.cards.by_number(ESCN) == replace(a_card(), status="INACTIVE")
            person = stored.persons.by_esi(ESI)
        assert person is not None
        assert person.enrolments == (Enrolment(RIGA, "Zoe", None, None, has_picture=True),)
        assert store.drop_card(ESCN)
        assert store.drop_person(ESI)
        counts = store.counts()
        assert (counts.persons, counts.enrolments, counts.pictures, counts.cards) == (0,) * 4


def test_a_refusal_inside_of_a_transaction_undoes_it() -> None:
    def write_and_fail(store: Store) -> None:
        with store.transaction() as stored:
            stored.persons.save(ESI, None)
            raise ValueError("no")

    with closing(Store(None)) as store:
        with pytest.raises(ValueError, match="no"):
            write_and_fail(store)
        assert store.counts().persons == 0


def test_a_full_disk_fails_one_transaction_and_not_the_next(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "router.db")) as store:
        connection = store._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            hold_picture(store, bytes(1_000_000))
        connection.execute("PRAGMA max_page_count = 1000000")
        hold_picture(store, b"picture")
        assert store.counts().pictures == 1


def hold_picture(store: Store, image: bytes) -> None:
    with store.transaction() as stored:
        stored.persons.save(ESI, None)
        stored.persons.save_enrolment(ESI, Enrolment(RIGA, "Zoë", None, None))
        stored.pictures.save(ESI, RIGA, image)


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(0, 12), st.integers(1, 10), st.booleans()),
            st.tuples(st.just("put"), st.integers(0, 60)),
            st.tuples(st.just("drop"), st.integers(0, 60)),
        ),
        max_size=40,
    )
)
def test_every_page_is_what_is_held_at_that_moment(steps: list[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE thing (key TEXT PRIMARY KEY, kind TEXT)")
        pages, held = Pages(connection), set()
        for what, *given_step in steps:
            if what == "read":
                page, size, descending = given_step
                listing = Listing("key", "FROM thing WHERE kind = ?", ("a",), "key", descending)
                keys = sorted(held, reverse=bool(descending))
                start = page * size
                assert pages.read(listing, page, size) == (keys[start : start + size], len(keys))
            elif what == "put":
                key = f"{given_step[0]:02}"
                connection.execute("REPLACE INTO thing VALUES (?, 'a')", (key,))
                held.add(key)
            else:
                key = f"{given_step[0]:02}"
                connection.execute("DELETE FROM thing WHERE key = ?", (key,))
                held.discard(key)


def test_a_page_is_new_after_another_program_wrote(tmp_path: Path) -> None:
    file = tmp_path / "router.db"
    with closing(Store(file)) as one, closing(Store(file)) as other:
        with one.reading() as stored:
            assert stored.persons.page(None, 0) == ([], 0)
        with other.transaction() as stored:
            stored.persons.save(ESI, None)
        with one.reading() as stored:
            persons, total = stored.persons.page(None, 0)
        assert (persons[0].esi, total) == (ESI, 1)


@pytest.mark.parametrize("several", [False, True])
def test_pages_are_read_from_an_index_and_never_sorted(several: bool) -> None:
    issuers = frozenset({RIGA, PORTO}) if several else frozenset({RIGA})
    with closing(Store(None)) as store:
        queries: list[str] = []
        store._connection.set_trace_callback(queries.append)
        with store.transaction() as stored:
            for number in range(25):
                esi = f"{ESI}{number:02}"
                stored.persons.save(esi, None)
                stored.persons.save_enrolment(esi, Enrolment(RIGA, None, None, None))
                stored.cards.save(a_card(f"{number:08x}{ESCN[8:]}", esi))
        queries.clear()
        with store.reading() as stored:
            for page in range(3):
                stored.cards.page(issuers, page)
                stored.persons.page(issuers, page)
        store._connection.set_trace_callback(None)
        selects = [query for query in queries if query.startswith("SELECT")]
        assert sum("count(*)" in query for query in selects) == 2
        for query in selects:
            plan = store._connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
            steps = " ".join(row[3] for row in plan)
            assert "TEMP B-TREE" not in steps, (query, steps)
        assert not [query for query in selects if "OFFSET" in query and "OFFSET 0" not in query]
