"""A semester's start, in small: what goes wrong in it is looked at, how fast it is is not."""

import asyncio
import importlib
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
CUT = b""  # in place of an answer


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The load generator's connections."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "semester"))
    return importlib.import_module("semester_start.connection")


def talking(connections: Any, answers: list[bytes], talk: Callable[[Any], Any]) -> tuple[Any, int]:
    """Talk to a service that gives these answers, and resets the connection for each `CUT`."""
    return asyncio.run(_talking(connections, answers, talk))


async def _talking(
    connections: Any, answers: list[bytes], talk: Callable[[Any], Any]
) -> tuple[Any, int]:
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while answers and await reader.readuntil(b"\r\n\r\n"):
            asked += 1
            given = answers.pop(0)
            if given == CUT:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
                break
            writer.write(given)
            if given != ANSWER:
                break
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    book = connections.Book()
    connection = connections.Connection(server.sockets[0].getsockname()[1], book)
    try:
        await talk(connection)
    finally:
        connection.close()
        server.close()
        await server.wait_closed()
    return book, asked


def test_a_connection_that_ends_before_its_first_answer_is_a_fault(connections: Any) -> None:
    with pytest.raises(ConnectionError):
        talking(connections, [CUT, ANSWER], lambda one: one.get("a", "/"))


def test_a_connection_that_ends_twice_is_a_fault(connections: Any) -> None:
    async def talk(connection: Any) -> None:
        await connection.get("a", "/")
        await connection.get("b", "/")

    with pytest.raises(ConnectionError):
        talking(connections, [ANSWER, CUT, CUT, ANSWER], talk)


def test_an_answer_that_ends_in_its_middle_is_a_fault(connections: Any) -> None:
    async def talk(connection: Any) -> None:
        await connection.get("a", "/")
        await connection.get("b", "/")

    with pytest.raises(asyncio.IncompleteReadError):
        talking(connections, [ANSWER, ANSWER[:-2], CUT, ANSWER], talk)


def test_what_may_not_be_repeated_is_not(connections: Any) -> None:
    async def talk(connection: Any) -> None:
        await connection.get("a", "/")
        with pytest.raises(connections.AnswerLost):
            await connection.post_once("b", "/", b"")

    book, asked = talking(connections, [ANSWER, CUT, ANSWER], talk)

    assert (asked, [one.kind for one in book.asked_again]) == (2, ["b"])


def test_on_a_kept_connection_that_ended_a_phone_asks_once_more(connections: Any) -> None:
    async def talk(connection: Any) -> None:
        await connection.get("a", "/")
        await connection.post("b", "/")

    book, asked = talking(connections, [ANSWER, CUT, ANSWER], talk)

    assert (asked, [one.kind for one in book.asked_again]) == (3, ["b"])
    assert {kind: len(seconds) for kind, seconds in book.seconds.items()} == {"a": 1, "b": 1}


@pytest.mark.timeout(600)
def test_every_phone_gets_its_card_and_what_has_to_be_refused_is(tmp_path: Path) -> None:
    document = tmp_path / "semester-start.md"
    program = [str(ROOT / "tests" / "semester" / "run.py"), "--phones", "100", "--seconds", "3"]
    done = subprocess.run(
        [sys.executable, *program, "--processes", "2", "--output", str(document)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = document.read_text("utf-8")
    assert "**100 of 100 phones have their card" in text
    for refused in ("too late", "a second time: invalid_grant", "invalid_nonce", "invalid_proof"):
        assert refused in text
