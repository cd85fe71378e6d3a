"""What Apple's wallet complains of, and how little of it the log tells."""

import logging
from datetime import timedelta

import pytest

from tests.conftest import sqlite_only
from tests.wallet_api.passes.conftest import PassService
from tests.wallet_api.passes.test_device_routes import problem


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of phones' complaints."""
    said = [record.getMessage() for record in caplog.records]
    return [line for line in said if "complain" in line]


@sqlite_only
def test_of_a_log_only_known_words_are_kept(
    passing: PassService, caplog: pytest.LogCaptureFixture
) -> None:
    messages = [
        "Web service error for pass.example: Anna Bērziņa said Invalid Signature\nINJECTED",
        "GET https://u:p@wallet.example/passes/v1/passes/x/y?secret: status 401",
    ]
    with caplog.at_level(logging.INFO):
        answer = passing.service.http.post(
            f"{passing.service.url}/passes/v1/log", json={"logs": messages}
        )

    assert answer.status_code == 200
    assert complaints(caplog) == [
        "wallets complain of passes, 1 requests, 2 messages: 401 (1), invalid (1), signature (1)"
    ]
    assert "Anna" not in caplog.text
    assert "INJECTED" not in caplog.text


@sqlite_only
def test_however_many_complain_a_line_a_minute_tells_of_all(
    passing: PassService, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{passing.service.url}/passes/v1/log"

    def complain(message: str) -> None:
        assert passing.service.http.post(url, json={"logs": [message]}).status_code == 200

    for _ in range(20):
        complain("status 500")
    passing.service.clock.advance(timedelta(seconds=59))
    complain("status 404")
    told_at_once = complaints(caplog)
    passing.service.clock.advance(timedelta(seconds=1))
    complain("status 404")

    assert told_at_once == ["wallets complain of passes, 1 requests, 1 messages: 500 (1)"]
    assert complaints(caplog)[1:] == [
        "wallets complain of passes, 21 requests, 21 messages: 404 (2), 500 (19)"
    ]


@sqlite_only
def test_a_malformed_log_is_refused(passing: PassService) -> None:
    url = f"{passing.service.url}/passes/v1/log"
    for body in ({}, {"logs": "x"}, {"logs": [5]}):
        assert problem(passing.service.http.post(url, json=body)) == (400, "not-json")
    large = passing.service.http.post(url, json={"logs": ["x" * 70_000]})
    assert problem(large) == (413, "body-too-large")
