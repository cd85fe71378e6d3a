"""The wallet API as phones meet it: a real server process, eight connections."""

import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benching.deployment import ROOT, Deployment, running
from benching.measuring import Effort, Figure, Kind, best_of
from benching.world import ES256, MESSAGE, PIC, low_s_signature, new_key
from sqlalchemy import text
from sqlmodel import Session, select

from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.sealing import hash_token
from issuer.store import devices, wallet_sessions
from issuer.tables import AccessToken, Card, Device, Offer
from verifier.jws import assemble_jws, jws_signing_input, public_jwk_of
from wallet_api.demo.free_ports import free_ports

CONNECTIONS = 8
HERE = Path(__file__).parent


def measure(effort: Effort) -> Iterator[Figure]:
    """Rows four and five of the table."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        deployment.import_cards(_runs(effort) * effort.of(300, 10))
        # The credential issuer's identifier is signed into proofs before the port is known.
        url = f"http://127.0.0.1:{free_ports(1)[0]}"
        settings = deployment.wallet_environment(url) | {
            "ESC_WALLET_LISTEN_PORT": url.rpartition(":")[2]
        }
        with running("-m", "wallet_api", "serve", environment=settings) as port:
            yield from _credentials(effort, deployment, port, url)
            yield from _refresh(effort, deployment, port)
        deployment.engine.dispose()


def _runs(effort: Effort) -> int:
    """How often the floor and ours are measured, turn by turn: as often the one as the other."""
    return effort.of(3, 1)


def _credentials(effort: Effort, deployment: Deployment, port: int, url: str) -> Iterator[Figure]:
    texts = [
        _post(token, nonce, kind, url)
        for token, nonces in _sessions(deployment)
        for kind, nonce in zip((Configuration.CARD, Configuration.QR), nonces, strict=True)
    ]
    by_hand, floor, answers = _one_request_by_hand(deployment, 50), float("inf"), []
    size = len(texts) // _runs(effort)
    for begin in range(0, len(texts), size):
        turn = texts[begin : begin + size]  # each is asked once; a tenth of them warms up
        floor = min([floor, *best_of(1, by_hand)])
        warm_up = len(turn) // 10
        _expect(_load(deployment, port, requests=turn[:warm_up]), "200")
        answers.append(_load(deployment, port, requests=turn[warm_up:]))
        _expect(answers[-1], "200")
    answer = max(answers, key=lambda one: one["rate"])
    what = "OpenID4VCI credential endpoint, whole request"
    floor_is = "one verification + two signatures + one commit"
    yield Figure(what, floor_is, 3.0, floor / 50, 1 / answer["rate"], note=_note(answer))
    what = "… its 99th percentile at 8 connections"
    yield Figure(what, "20 ms", 0.02, None, answer["p99"], Kind.LIMIT)


def _refresh(effort: Effort, deployment: Deployment, port: int) -> Iterator[Figure]:
    token, etag = _device(deployment, port)
    headers = f"authorization: Bearer {token}\r\nif-none-match: {etag}\r\n"
    ours, floor = {"rate": 0.0}, {"rate": 0.0}
    seconds = effort.of(3, 1) / 2
    with running(str(HERE / "bytes_server.py")) as floor_port:
        for _ in range(effort.of(4, 1)):
            for request, to, best in (
                (_get(""), floor_port, floor),
                (_get(headers), port, ours),
            ):
                answer = _load(deployment, to, request=request, seconds=seconds)
                _expect(answer, "200" if to == floor_port else "304")
                best.update(max(best, answer, key=lambda one: one["rate"]))
    what = "phone refreshes its card (not modified)"
    floor_is = "Starlette returning bytes"
    yield Figure(what, floor_is, 0.4, floor["rate"], ours["rate"], Kind.RATE, _note(ours))
    what = "… its 99th percentile at 8 connections"
    yield Figure(what, "5 ms", 0.005, None, ours["p99"], Kind.LIMIT)


def _sessions(deployment: Deployment) -> list[tuple[str, tuple[str, str]]]:
    """An access token and two nonces for each card, as the endpoints before would store them."""
    now, made = seconds_of(deployment.now), []
    with Session(deployment.engine) as session, session.begin():
        for escn in session.exec(select(Card.escn)).all():
            token, nonces = secrets.token_urlsafe(32), (secrets.token_hex(), secrets.token_hex())
            offer = wallet_sessions.add_offer(session, _used_offer(escn, now))
            wallet_sessions.add_access_token(
                session,
                AccessToken(
                    token_sha256=hash_token(token),
                    escn=escn,
                    offer_id=offer.id,
                    credentials_left=8,
                    expires_at=now + 300,
                ),
            )
            for nonce in nonces:
                wallet_sessions.add_nonce(
                    session, pic=PIC, nonce_sha256=hash_token(nonce), expires_at=now + 300
                )
            made.append((token, nonces))
    return made


def _used_offer(escn: str, now: int) -> Offer:
    return Offer(
        escn=escn,
        reference_sha256=secrets.token_bytes(32),
        sealed_offer=b"-",
        code_sha256=secrets.token_bytes(32),
        tx_code_hash=b"-",
        attempts_left=4,
        created_at=now,
        expires_at=now + 900,
        used_at=now,
    )


def _post(token: str, nonce: str, kind: Configuration, url: str) -> str:
    key = new_key()
    jwk = public_jwk_of(key.public_key())
    header = {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": jwk}
    claims = {"aud": f"{url}/{PIC}", "iat": int(time.time()), "nonce": nonce}
    message = jws_signing_input(header, claims)
    proof = assemble_jws(message, low_s_signature(key, message))
    body = json.dumps({"credential_configuration_id": kind.value, "proofs": {"jwt": [proof]}})
    return (
        f"POST /{PIC}/credential HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    )


def _get(headers: str) -> str:
    return f"GET /device/card HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n"


def _device(deployment: Deployment, port: int) -> tuple[str, str]:
    """A device's token, and the ETag of its card."""
    token, now = secrets.token_urlsafe(32), seconds_of(deployment.now)
    with Session(deployment.engine) as session, session.begin():
        escn = session.exec(select(Card.escn)).first()
        device = Device(
            escn=escn, token_sha256=hash_token(token), renew_at=now + 86_400, created_at=now
        )
        devices.add(session, device)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(_get(f"authorization: Bearer {token}\r\n").encode())
        answer = connection.recv(65_536).decode()
    etag = next(line for line in answer.split("\r\n") if line.lower().startswith("etag: "))
    return token, etag[6:]


def _one_request_by_hand(deployment: Deployment, times: int) -> Callable[[], None]:
    key = new_key()
    public_key, signature = key.public_key(), key.sign(MESSAGE, ES256)
    with deployment.engine.begin() as connection:
        connection.execute(text("CREATE TABLE floor_commit (a INTEGER, b TEXT)"))

    def work() -> None:
        for number in range(times):
            public_key.verify(signature, MESSAGE, ES256)
            key.sign(MESSAGE, ES256)
            key.sign(MESSAGE, ES256)
            with deployment.engine.begin() as connection:
                connection.exec_driver_sql("INSERT INTO floor_commit VALUES (?, 'x')", (number,))

    return work


def _load(deployment: Deployment, port: int, **work: Any) -> dict[str, Any]:
    plan = {"host": "127.0.0.1", "port": port, "connections": CONNECTIONS, **work}
    path = deployment.folder / "plan.json"
    path.write_text(json.dumps(plan))
    command = [sys.executable, str(HERE / "load.py"), str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, timeout=120)
    return json.loads(answer.stdout)


def _expect(answer: dict[str, Any], status: str) -> None:
    if answer["statuses"].keys() != {status}:
        raise RuntimeError(f"expected {status} only, got {answer['statuses']}")


def _note(answer: dict[str, Any]) -> str:
    return f"{answer['rate']:,.0f} a second, load generator busy {answer['busy']:.0%}"
