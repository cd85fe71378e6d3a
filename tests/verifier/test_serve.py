"""The local service, as a real process that real clients ask."""

import hashlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.verifier.world import DAY, World
from verifier.cli.answers import Answer, as_json
from verifier.cli.languages import load_language
from verifier.cli.service import schema
from verifier.edges.knowledge_file import FILE_NAME, store_bundle
from verifier.errors import Revoked
from verifier.jws import b64url_encode
from verifier.presentation_qr import split_presentation
from verifier.presentation_request import parse_request
from verifier.status import CardStatus

ROOT = Path(__file__).parents[2]
JSON = {"Content-Type": "application/json"}


@dataclass
class Running:
    process: subprocess.Popen[str]
    port: int
    first_line: str

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, data, {**(JSON if data else {}), **sent})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text else None, response

    def check(self, code: str, **more: str) -> Any:
        status, answer, _ = self.ask("POST", "/check", {"code": code, **more})
        assert status == 200, answer
        jsonschema.validate(answer, part("answer"))
        return answer


def part(name: str) -> dict[str, Any]:
    return {**schema(), "oneOf": [{"$ref": f"#/$defs/{name}"}]}


def store(world: World, folder: Path, values: dict[int, int] | None = None) -> int:
    now = int(time.time())
    keys = (world.trusted(world.issuer, valid_from=0, valid_until=now + 400 * DAY),)
    trust = world.trust_list(
        world.institution(keys=keys), issued_at=now - 60, expires_at=now + DAY
    )
    lists = world.status_list(values, issued_at=now - 3600)
    anchors = (world.anchor.key.public_key(),)
    store_bundle(world.bundle(trust, lists), folder, now=now, anchors=anchors)
    return now


def start(folder: Path, *words: str) -> Running:
    command = [sys.executable, "-m", "verifier", "serve", "--port", "0", "--knowledge", folder]
    process = subprocess.Popen(
        [*command, "--fetch-minutes", "0", "--lang", "en", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    found = re.fullmatch(r"http://127\.0\.0\.1:([0-9]+)\n", line)
    assert found, (line, process.communicate())
    return Running(process, int(found.group(1)), line)


def stop(running: Running) -> str:
    running.process.terminate()
    _, errors = running.process.communicate(timeout=120)
    assert running.process.returncode == 0, errors
    return errors


@pytest.fixture
def now(world: World, tmp_path: Path) -> int:
    return store(world, tmp_path)


@pytest.fixture
def service(now: int, tmp_path: Path) -> Iterator[Running]:
    assert now  # something is known
    running = start(tmp_path)
    yield running
    assert stop(running) == ""


def good(world: World, now: int, **changes: Any) -> str:
    return world.static_code(issued_at=now - DAY, expires_at=now + DAY, **changes)


BAD_REQUESTS = {
    "an unknown path": (404, "GET", "/", None, {}),
    "a path with a question": (404, "GET", "/status?x=1", None, {}),
    "a code asked by GET": (405, "GET", "/check", None, {}),
    "a status by POST": (405, "POST", "/status", {"code": "x"}, {}),
    "a method that is not there": (405, "PUT", "/check", {"code": "x"}, {}),
    "a path of 70,000 characters": (414, "GET", "/" + "x" * 70_000, None, {}),
    "no JSON": (400, "POST", "/check", b"code", {}),
    "a list": (400, "POST", "/check", ["code"], {}),
    "a member twice": (400, "POST", "/check", b'{"code":"x","code":"y"}', {}),
    "a number for a code": (400, "POST", "/check", {"code": 7}, {}),
    "no code": (400, "POST", "/check", {}, {}),
    "an unknown member": (400, "POST", "/check", {"code": "x", "now": "1"}, {}),
    "rules that are not served": (400, "POST", "/check", {"code": "x", "rules": "exam"}, {}),
    "a language there is no file for": (
        400, "POST", "/check", {"code": "x", "language": "xx"}, {},
    ),
    "a challenge that is too long": (
        400, "POST", "/check", {"code": "x", "challenge": "ā" * 33}, {},
    ),
    "a body of another type": (
        415, "POST", "/check", {"code": "x"}, {"Content_Type": "text/plain"},
    ),
    "a body without length": (
        411, "POST", "/check", None, {"Transfer_Encoding": "chunked", **JSON},
    ),
    "a body that is too large": (413, "POST", "/check", {"code": "x" * 70_000}, {}),
    "another host's name": (421, "GET", "/status", None, {"Host": "evil.example"}),
    "a page of a stranger": (403, "GET", "/status", None, {"Origin": "https://evil.example"}),
    "a preflight of a stranger": (
        403, "OPTIONS", "/check", None, {"Origin": "https://evil.example"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_REQUESTS)
def test_a_bad_request_is_refused_with_a_problem(what: str, service: Running) -> None:
    expected, method, path, body, headers = BAD_REQUESTS[what]

    status, problem, response = service.ask(method, path, body, **headers)

    assert (status, problem["status"]) == (expected, expected)
    jsonschema.validate(problem, part("problem"))
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] is None


def test_without_knowledge_it_starts_and_decides_nothing(tmp_path: Path, world: World) -> None:
    running = start(tmp_path)
    try:
        assert running.ask("GET", "/health")[0] == 503
        status, problem, _ = running.ask("POST", "/check", {"code": world.static_code()})
        assert (status, problem["title"]) == (503, "Nothing can be decided")
        known = running.ask("GET", "/status")[1]
        jsonschema.validate(known, part("status"))
        assert known["knowledge"] == []

        now = store(world, tmp_path)

        assert running.check(good(world, now))["outcome"] == "valid"
        assert running.ask("GET", "/health")[:2] == (200, {"ready": True})
    finally:
        assert "nothing is known yet" in stop(running)


def test_a_revoked_card_is_refused_as_soon_as_the_file_says_so(
    service: Running, world: World, now: int, tmp_path: Path
) -> None:
    code = good(world, now)
    assert service.check(code)["outcome"] == "valid"

    store(world, tmp_path, {100: CardStatus.REVOKED})

    refused = service.check(code, language="lv")
    assert refused["refusal"] == "Revoked"
    assert refused["type"] is None
    assert refused["sentence"] == load_language("lv").refusal("Revoked").sentence


def test_the_answer_is_that_of_the_command_line(service: Running, world: World, now: int) -> None:
    answer = service.check(good(world, now))

    language = load_language("en")
    assert answer.keys() == as_json(Answer(None, Revoked(""), now), language).keys()
    assert (answer["name"], answer["evidence"]) == ("Anna Bērziņa", "static")
    assert answer["type"] == "EuropeanStudentCard"


def test_a_live_code_is_taken_once_also_by_two_tills_at_a_time(
    service: Running, world: World, now: int
) -> None:
    code = world.live_code(shown_at=now, issued_at=now - DAY, expires_at=now + DAY)

    outcomes = [service.check(code)["refusal"] for _ in range(2)]

    assert outcomes == [None, "Replayed"]


def test_each_service_has_its_rules(world: World, now: int, tmp_path: Path) -> None:
    file = tmp_path / "baltic.toml"
    file.write_text('rules = 1\nservice = "Baltic days"\ncountries = ["EE"]\n')
    running = start(tmp_path, "--rules", "canteen", "--rules", str(file))
    try:
        code = good(world, now)
        assert running.check(code)["refusal"] == "StaticCode"
        assert running.check(code, rules="baltic")["refusal"] == "CountryNotAccepted"
        services = running.ask("GET", "/status")[1]["services"]
        assert services == {"canteen": "Canteen", "baltic": "Baltic days"}
    finally:
        stop(running)


def test_a_page_that_is_allowed_may_ask(world: World, now: int, tmp_path: Path) -> None:
    page = "https://till.example"
    running = start(tmp_path, "--allow-origin", page)
    try:
        status, _, preflight = running.ask("OPTIONS", "/check", Origin=page)
        assert status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == page
        body = {"code": good(world, now)}
        _, answer, response = running.ask("POST", "/check", body, Origin=page)
        assert answer["outcome"] == "valid"
        assert response.headers["Access-Control-Allow-Origin"] == page
    finally:
        stop(running)


def test_status_says_what_is_known_and_as_of_when(service: Running) -> None:
    status, known, _ = service.ask("GET", "/status")

    assert status == 200
    jsonschema.validate(known, part("status"))
    (usual,) = known["knowledge"]
    assert (usual["list"], usual["sequence"], usual["institutions"]) == ("", 7, 1)


def test_damaged_knowledge_is_told_while_the_old_goes_on(
    service: Running, world: World, now: int, tmp_path: Path
) -> None:
    service.check(good(world, now))

    (tmp_path / FILE_NAME).write_text("{")

    assert service.check(good(world, now))["outcome"] == "valid"
    assert "cannot be read" in service.ask("GET", "/status")[1]["problems"][0]


def test_a_port_that_is_taken_is_said(service: Running, tmp_path: Path) -> None:
    words = ["serve", "--port", str(service.port), "--knowledge", str(tmp_path)]
    second = subprocess.run(
        [sys.executable, "-m", "verifier", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"port {service.port}: Address already in use" in second.stderr


def test_the_schema_that_is_served_is_a_schema(service: Running) -> None:
    served = service.ask("GET", "/schema")[1]

    assert served == schema()
    jsonschema.Draft202012Validator.check_schema(served)


def blocks(language: str) -> list[str]:
    document = (ROOT / "docs/local-service.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)


RUNNERS = {
    "sh": ["sh", "-c"],
    "python": [sys.executable, "-c"],
    "js": ["node", "--input-type=module", "-e"],
}


@pytest.mark.parametrize("language", RUNNERS)
def test_the_clients_of_the_document_work_and_are_ten_lines_at_most(
    language: str, service: Running, world: World, now: int
) -> None:
    if shutil.which(RUNNERS[language][0]) is None:
        pytest.skip(f"no {RUNNERS[language][0]} here")
    (client,) = [block for block in blocks(language) if "/check" in block]
    assert len(client.splitlines()) <= 10
    text = client.replace("http://127.0.0.1:8004", f"http://127.0.0.1:{service.port}")

    for code, said in ((good(world, now), "valid"), ("nonsense", "NotACard")):
        ran = subprocess.run(
            [*RUNNERS[language], text.replace("https://esc.gg/...", code)],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert said in ran.stdout, ran


def bound(world: World, now: int, nonce: str) -> str:
    """A presentation that the wallet made for this gate, in answer to its request."""
    text = world.credential(iat=now - DAY, nbf=now - DAY, exp=now + DAY)
    digest = hashlib.sha256(text.encode("ascii")).digest()
    signed = {"aud": "gate", "nonce": nonce, "iat": now, "sd_hash": b64url_encode(digest)}
    return text + world.phone.jws(signed, typ="kb+jwt")


def test_a_wallets_presentation_is_held_to_what_it_was_asked(
    world: World, now: int, tmp_path: Path
) -> None:
    running = start(tmp_path, "--rules", "canteen")
    try:
        text = bound(world, now, "n-1")
        asked = {"audience": "gate", "nonce": "n-1"}
        # Whether key binding is needed is said by the rules, never by whether it is there.
        assert running.check(text)["refusal"] == "StaticCode"
        assert running.check(text.rpartition("~")[0] + "~", **asked)["refusal"] == "StaticCode"
        assert running.check(text, audience="gate", nonce="n-2")["refusal"] == "BadDeviceSignature"
        assert running.check(text, **asked)["evidence"] == "key-binding"
        status, problem, _ = running.ask("POST", "/check", {"code": text, "nonce": "n-1"})
        assert (status, problem["detail"]) == (400, "audience and nonce go together")
    finally:
        stop(running)


def test_the_command_line_asks_for_key_binding_too(world: World, now: int, tmp_path: Path) -> None:
    def check(text: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "verifier", "check", "--knowledge", str(tmp_path)]
        return subprocess.run(
            [*command, "--live-only", "--lang", "en", *words, text],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    text = bound(world, now, "n-1")
    assert check(text, "--audience", "gate").returncode == 2
    assert "[StaticCode]" in check(text).stdout
    assert "shown by its own wallet" in check(text, "--audience", "gate", "--nonce", "n-1").stdout


def test_a_till_asks_a_phone_and_checks_its_parts(world: World, now: int, tmp_path: Path) -> None:
    running = start(tmp_path, "--rules", "library")
    try:
        asking = {"audience": "gate", "claims": "level"}
        _, asked, _ = running.ask("POST", "/request", asking)
        jsonschema.validate(asked, part("request"))
        request = parse_request(asked["request"])
        assert (request.audience, request.nonce) == ("gate", asked["nonce"])
        assert request.claims == ("name", "academic_level", "schac_personal_unique_code")
        lines = split_presentation(bound(world, now, asked["nonce"]))
        binding = {"audience": "gate", "nonce": asked["nonce"]}
        assert running.check("\n".join(reversed(lines)), **binding)["evidence"] == "key-binding"
        missing = running.check("\n".join(lines[1:]), **binding)
        assert missing["refusal"] == "IncompletePresentation"
        for wrong in ({}, {"audience": "x509_hash:a"}, {"audience": "x", "claims": "birthdate"}):
            status, problem, _ = running.ask("POST", "/request", wrong)
            assert status == 400
            jsonschema.validate(problem, part("problem"))
    finally:
        stop(running)
