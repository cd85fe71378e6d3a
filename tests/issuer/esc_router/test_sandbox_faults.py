"""What a router does on its bad days, on demand: standing conditions, over real HTTP."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.middleware import Middleware

from issuer.esc_router.sandbox.journal import subject_of
from tests.issuer.esc_router.gate import Gate

ESI = "urn:schac:personalUniqueCode:int:esi:lv:280595-1"
RIGA = "999978433"


def person(code: str = "1", name: str = "Zoë") -> dict[str, Any]:
    enrolment = {"organisationIdentifier": RIGA, "fullName": name}
    return {"identifier": ESI + code, "personOrganisationUpdateViews": [enrolment]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [{}],
        [{"kind": "weather"}],
        [{"kind": "latency", "seconds": -1}],
        [{"kind": "latency", "seconds": "1"}],
        [{"kind": "latency", "minutes": 1}],
        [{"kind": "errors", "share": 1.5}],
        [{"kind": "errors", "statuses": []}],
        [{"kind": "errors", "statuses": [200]}],
        [{"kind": "errors", "seed": "1"}],
        [{"kind": "strange_answers", "manners": ["polite"]}],
        [{"kind": "rate_limit", "per_second": 0}],
        [{"kind": "downtime", "from": "2026-11-23T12:00:00", "until": "2026-11-23T13:00:00"}],
        [{"kind": "downtime", "from": "2026-11-23T12:00:00Z"}],
    ],
)
def test_conditions_that_cannot_be_are_refused_and_those_before_stand(
    sandbox: Any, body: Any
) -> None:
    sandbox.condition({"kind": "latency"})
    answer = httpx.put(f"{sandbox.host}/sandbox/conditions", json=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message"}
    assert [found["kind"] for found in _standing(sandbox)] == ["latency"]


def _standing(sandbox: Any) -> Any:
    return httpx.get(f"{sandbox.host}/sandbox/conditions").json()


def _asked(sandbox: Any, count: int, **more: Any) -> list[int]:
    paths = [f"/persons/{ESI}{number}" for number in range(count)]
    return [sandbox.request("GET", path, **more).status_code for path in paths]


def test_conditions_never_touch_their_own_control(sandbox: Any) -> None:
    sandbox.condition({"kind": "errors", "share": 1.0, "statuses": [503]})
    assert sandbox.request("GET", "/persons").status_code == 503
    assert [found["kind"] for found in _standing(sandbox)] == ["errors"]
    sandbox.heal()
    assert sandbox.request("GET", "/persons").status_code == 200


def test_a_share_of_errors_hits_the_same_requests_again_and_others_by_another_seed(
    sandbox: Any,
) -> None:
    answers = []
    for seed in (1, 1, 2):
        sandbox.condition({"kind": "errors", "share": 0.3, "statuses": [500, 503], "seed": seed})
        answers.append(_asked(sandbox, 60))
    assert answers[0] == answers[1] != answers[2]
    counted = Counter(answers[0])
    assert set(counted) == {404, 500, 503}
    assert 6 <= counted[500] + counted[503] <= 32


def test_which_requests_are_hit_does_not_depend_on_what_is_asked_meanwhile(sandbox: Any) -> None:
    condition = {"kind": "errors", "share": 0.5, "seed": 3}
    sandbox.condition(condition)
    alone = _asked(sandbox, 30)
    sandbox.condition(condition)
    paths = [f"/persons/{ESI}{number}" for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda path: sandbox.request("GET", path).status_code, paths))
    assert together == alone


def test_a_condition_can_be_for_some_requests_only(sandbox: Any) -> None:
    broken = {"kind": "errors", "share": 1.0, "statuses": [502]}
    for only, expected in [
        ({"method": "POST"}, (200, 502)),
        ({"path": "/cards"}, (200, 201)),
        ({"authorization": "Bearer porto-key"}, (200, 201)),
        ({"authorization": "Bearer riga-key"}, (502, 502)),
    ]:
        sandbox.condition(broken | only)
        read = sandbox.request("GET", "/persons").status_code
        written = sandbox.request("POST", "/persons", json=person()).status_code
        sandbox.heal()
        sandbox.request("DELETE", f"/persons/{ESI}1")
        assert (read, written) == expected


def test_latency_adds_up_and_the_request_is_served(sandbox: Any) -> None:
    sandbox.condition(
        {"kind": "latency", "seconds": 0.1}, {"kind": "latency", "seconds": 0.1, "share": 1.0}
    )
    begun = time.monotonic()
    assert sandbox.request("POST", "/persons", json=person()).status_code == 201
    assert time.monotonic() - begun >= 0.2


def test_a_spread_of_latency_differs_from_request_to_request(sandbox: Any) -> None:
    sandbox.condition({"kind": "latency", "spread_seconds": 0.2})
    spent = []
    for number in range(8):
        begun = time.monotonic()
        sandbox.request("GET", f"/persons/{ESI}{number}")
        spent.append(time.monotonic() - begun)
    assert max(spent) - min(spent) > 0.02


def test_a_lost_reply_is_the_reply_to_something_that_took_effect(sandbox: Any) -> None:
    sandbox.condition({"kind": "lost_replies", "share": 1.0, "method": "POST"})
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.request("POST", "/persons", json=person())
    assert sandbox.request("GET", f"/persons/{ESI}1").status_code == 200


@pytest.mark.parametrize(("effect", "then"), [(False, 404), (True, 200)])
def test_an_error_takes_effect_only_where_asked_for(sandbox: Any, effect: bool, then: int) -> None:
    sandbox.condition({"kind": "errors", "share": 1.0, "method": "POST", "effect": effect})
    assert sandbox.request("POST", "/persons", json=person()).status_code == 500
    assert sandbox.request("GET", f"/persons/{ESI}1").status_code == then


@pytest.mark.parametrize(("answer", "status"), [("first", 201), ("second", 409)])
def test_a_duplicated_request_is_processed_twice_and_answered_once(
    sandbox: Any, answer: str, status: int
) -> None:
    sandbox.condition({"kind": "duplicates", "share": 1.0, "answer": answer})
    assert sandbox.request("POST", "/persons", json=person()).status_code == status
    sandbox.heal()
    assert sandbox.request("GET", "/persons").json()["page"]["totalElements"] == 1


def test_more_requests_than_allowed_are_told_how_long_to_wait(sandbox: Any, clock: Any) -> None:
    sandbox.condition({"kind": "rate_limit", "per_second": 0.5, "burst": 3})
    assert _asked(sandbox, 5) == [404, 404, 404, 429, 429]
    refused = sandbox.request("GET", "/persons")
    assert refused.headers["retry-after"] == "2"
    assert _asked(sandbox, 1, key="porto-key") == [404]  # each key has its own
    clock.advance(timedelta(seconds=4))
    assert _asked(sandbox, 3) == [404, 404, 429]
    clock.advance(timedelta(days=1))
    assert _asked(sandbox, 4) == [404, 404, 404, 429]


@pytest.mark.parametrize(
    ("manner", "status", "media_type"),
    [("unavailable", 503, "application/json"), ("maintenance_page", 200, "text/html")],
)
def test_a_downtime_begins_and_ends_by_the_sandboxs_clock(
    sandbox: Any, clock: Any, manner: str, status: int, media_type: str
) -> None:
    window = {"from": "2026-11-23T13:00:00+00:00", "until": "2026-11-23T14:00:00Z"}
    sandbox.condition({"kind": "downtime", "manner": manner, "announced": True, **window})
    assert _asked(sandbox, 1) == [404]
    clock.advance(timedelta(hours=1))
    answer = sandbox.request("GET", "/persons")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers.get("retry-after") == ("3600" if status == 503 else None)
    clock.advance(timedelta(hours=1))
    assert _asked(sandbox, 1) == [404]


def test_a_router_that_is_down_may_close_the_connection(sandbox: Any) -> None:
    window = {"from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}
    sandbox.condition({"kind": "downtime", "manner": "closed", **window})
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.request("POST", "/persons", json=person())
    sandbox.heal()
    assert _asked(sandbox, 1) == [404]


@pytest.mark.parametrize(
    ("manner", "status"), [("html", 200), ("empty", 200), ("broken_json", 200), ("redirect", 302)]
)
def test_an_answer_may_be_none_of_a_router(sandbox: Any, manner: str, status: int) -> None:
    sandbox.condition({"kind": "strange_answers", "share": 1.0, "manners": [manner]})
    answer = sandbox.request("GET", "/persons", follow_redirects=False)
    assert answer.status_code == status
    with pytest.raises(ValueError, match="Expecting"):
        answer.json()


def test_the_counts_tell_what_was_asked_and_what_it_met(sandbox: Any) -> None:
    sandbox.condition({"kind": "errors", "share": 1.0, "statuses": [503], "method": "GET"})
    _asked(sandbox, 3)
    sandbox.request("POST", "/persons", json=person())
    counts = sandbox.counts()
    assert (counts["requests"], counts["serving"]) == (4, 0)
    assert counts["statuses"] == {"503": 3, "201": 1}
    assert counts["faults"] == {"errors": 3}
    assert httpx.delete(f"{sandbox.host}/sandbox/counts").status_code == 204
    assert sandbox.counts()["requests"] == 0


def test_two_writes_of_one_person_at_once_are_noticed(sandbox: Any) -> None:
    def write(code: str) -> int:
        status: int = sandbox.request("POST", "/persons", json=person(code)).status_code
        return status

    gates: list[Gate] = []

    def keep_waiting(app: Any) -> Gate:
        gates.append(Gate(app, lambda scope: scope["method"] == "POST"))
        return gates[0]

    sandbox.app.user_middleware.append(Middleware(keep_waiting))  # behind the journal
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, code) for code in "1123"]
        limit = time.monotonic() + 60
        while sandbox.app.state.journal.serving() < 4 and time.monotonic() < limit:
            time.sleep(0.005)
        gates[0].open()
        assert sorted(one.result() for one in writing) == [201, 201, 201, 409]
    assert sandbox.counts()["overlaps"] == {f"persons/{ESI}1".lower(): 1}
    write("1")
    assert sum(sandbox.counts()["overlaps"].values()) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "subject"),
    [
        ("GET", "/esc-rest/api/v2/cards/A", b"", None),
        ("PUT", "/esc-rest/api/v2/cards/A", b"", "cards/a"),
        ("DELETE", "/esc-rest/api/v2/persons/urn%3Ax/picture", b"", "persons/urn:x"),
        ("POST", "/esc-rest/api/v2/cards", b'{"cardNumber": "A"}', "cards/a"),
        ("POST", "/esc-rest/api/v2/cards", b'{"cardNumber": ""}', None),
        ("POST", "/esc-rest/api/v2/cards", b'{"cardNumber": 1}', None),
        ("POST", "/esc-rest/api/v2/persons", b"[]", None),
        ("POST", "/esc-rest/api/v2/persons", b"\xff", None),
        ("POST", "/esc-rest/api/v2/nothing", b"{}", None),
        ("POST", "/elsewhere", b"{}", None),
    ],
)
def test_the_subject_of_a_write_is_a_person_or_a_card(
    method: str, path: str, body: bytes, subject: str | None
) -> None:
    assert subject_of(method, path, body) == subject
