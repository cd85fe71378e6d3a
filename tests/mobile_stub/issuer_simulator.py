"""An issuer for the phone's tests: OpenID4VCI 1.0 and the device API, over real HTTP.

It is written from the specifications and shares no code with the phone or with our services. It
verifies proofs with PyJWT. `fail` lets an endpoint fail in a named way for its next requests.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import cbor2
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

PIC = "999853261"
ESCN = "6c0cd14e-c754-11f0-8001-001999853261"
GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "EuropeanStudentCard": {"format": "dc+sd-jwt", "vct": "https://example.org/card"},
    "VerifiableStudentID": {"format": "dc+sd-jwt", "vct": "VerifiableStudentID"},
    "EuropeanStudentCardQr": {"format": "esc-qr"},
}
_PROOFS = {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}


class IssuerSimulator:
    """One institution with one student's card."""

    def __init__(self, port: int, clock: Callable[[], datetime]) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.identifier = f"{self.root}/{PIC}"
        self.clock = clock
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.faults: dict[str, list[str]] = {}
        self.requests: list[str] = []
        self.offers: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.nonces: set[str] = set()
        self.holder_keys: list[dict[str, str]] = []
        self.devices: set[str] = set()
        self.state, self.reason, self.version = "active", None, 1
        self.metadata_changes: dict[str, Any] = {}
        self.device_api = True
        self.needs_renewal = False
        self.bound_to: dict[str, str] | None = None  # another key than the proven one
        self.lifetime = timedelta(days=30)
        self.date_ahead = timedelta(0)  # of the Date header
        self.app = _app(self)

    def fail(self, path: str, *kinds: str) -> None:
        """Let the next requests to what ends with `path` fail so; "fine" lets one pass."""
        self.faults[path] = list(kinds)

    def change_state(self, state: str, reason: str | None = None) -> None:
        self.state, self.reason, self.version = state, reason, self.version + 1

    def offer(self, *, tx_code: str | None = "493536", ids: list[str] | None = None) -> str:
        """A new offer's JSON."""
        code = secrets.token_urlsafe(24)
        grant: dict[str, Any] = {"pre-authorized_code": code}
        if tx_code is not None:
            grant["tx_code"] = {"input_mode": "numeric", "length": len(tx_code)}
        self.codes[code] = {"tx_code": tx_code, "tries": 5}
        return json.dumps(
            {
                "credential_issuer": self.identifier,
                "credential_configuration_ids": ids or list(CONFIGURATIONS),
                "grants": {GRANT: grant},
            }
        )

    def publish(self, offer: str) -> str:
        """The address of an offer by reference."""
        reference = secrets.token_urlsafe(16)
        self.offers[reference] = json.loads(offer)
        return f"{self.identifier}/offers/{reference}"

    def seen(self, path: str) -> int:
        """How many requests ended with this path."""
        return sum(one.endswith(path) for one in self.requests)

    def metadata(self) -> dict[str, Any]:
        bound = {"cryptographic_binding_methods_supported": ["jwk"]}
        return {
            "credential_issuer": self.identifier,
            "credential_endpoint": f"{self.identifier}/credential",
            "nonce_endpoint": f"{self.identifier}/nonce",
            "credential_configurations_supported": {
                name: one | bound | {"proof_types_supported": _PROOFS}
                for name, one in CONFIGURATIONS.items()
            },
        } | self.metadata_changes

    def nonce(self) -> str:
        nonce = secrets.token_urlsafe(16)
        self.nonces.add(nonce)
        return nonce

    def proven_key(self, body: dict[str, Any]) -> dict[str, str]:
        """The key that the request proves; ValueError with the error's code."""
        proofs = body.get("proofs", {}).get("jwt", [])
        if len(proofs) != 1 or set(body["proofs"]) != {"jwt"}:
            raise ValueError("invalid_proof")
        header = jwt.get_unverified_header(proofs[0])
        if header["typ"] != "openid4vci-proof+jwt" or set(header) != {"typ", "alg", "jwk"}:
            raise ValueError("invalid_proof")
        claims = jwt.decode(
            proofs[0],
            jwt.PyJWK(header["jwk"]),
            algorithms=["ES256"],
            audience=self.identifier,
            options={
                "require": ["aud", "iat", "nonce"],
                "verify_iat": False,
                "strict_aud": True,
            },
        )
        if "iss" in claims or abs(claims["iat"] - self.clock().timestamp()) > 60:
            raise ValueError("invalid_proof")
        if claims["nonce"] not in self.nonces:
            raise ValueError("invalid_nonce")
        self.nonces.remove(claims["nonce"])
        self.holder_keys.append(header["jwk"])
        return header["jwk"]

    def credential(self, name: str, holder: dict[str, str]) -> str | dict[str, str]:
        holder = self.bound_to or holder
        if CONFIGURATIONS[name]["format"] == "esc-qr":
            identity = {"n": "Anna Marija Bērziņa-Łukaszewicz", "e": "esi.example.lv:ab12345"}
            return {
                "status": self._e1(holder, {"n": "Anna B."}),
                "identity": self._e1(holder, identity),
            }
        return self._sd_jwt(CONFIGURATIONS[name]["vct"], holder)

    def _sd_jwt(self, vct: str, holder: dict[str, str]) -> str:
        disclosures = [
            _b64url(json.dumps([secrets.token_urlsafe(16), name, value]).encode())
            for name, value in (("esc_number", ESCN), ("given_name", "Anna"))
        ]
        now = self.clock()
        payload = {
            "iss": self.identifier,
            "vct": vct,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(days=180)).timestamp()),
            "cnf": {"jwk": holder},
            "_sd": sorted(_b64url(hashlib.sha256(d.encode()).digest()) for d in disclosures),
        }
        token = jwt.encode(payload, self.key, "ES256", headers={"typ": "dc+sd-jwt"})
        return "~".join([token, *disclosures, ""])

    def _e1(self, holder: dict[str, str], claims: dict[str, Any]) -> str:
        now = self.clock()
        x, y = (base64.urlsafe_b64decode(holder[part] + "=") for part in ("x", "y"))
        payload = cbor2.dumps(
            {
                4: int((now + self.lifetime).timestamp()),
                6: int(now.timestamp()),
                8: {1: {1: 2, -1: 1, -2: x, -3: bool(y[-1] & 1)}},
                "s": [1, secrets.randbelow(131072)],
            }
            | claims,
            canonical=True,
        )
        protected = cbor2.dumps({1: -7, 4: secrets.token_bytes(8)}, canonical=True)
        number = bytes.fromhex(ESCN.replace("-", ""))
        message = cbor2.dumps(["Signature1", protected, number, payload], canonical=True)
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        e1 = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]), canonical=True)
        return f"https://esc.gg/{ESCN}#E1{base64.b32encode(e1).decode().rstrip('=')}"

    def card(self) -> dict[str, Any]:
        renewal = {
            "c_nonce": self.nonce(),
            "renewal_uri": f"{self.root}/device/card/renewal",
            "credential_configuration_ids": list(CONFIGURATIONS),
        }
        return {
            "escn": ESCN,
            "state": self.state,
            "reason": self.reason,
            "institution": {"pic": PIC, "name": "University of Example", "country": "LV"},
            "name": "Anna Bērziņa",
            "academic_level": "BACHELOR",
            "issued_on": "2026-09-01",
            "expires_on": "2027-08-31",
            "last_updated": "2026-11-23T11:40:00Z",
            "renewal": renewal if self.needs_renewal else None,
        }


def start_server(app: Any, port: int) -> Callable[[], None]:
    """Serve on loopback until the returned function is called."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_level="critical",
            lifespan="off",
            date_header=False,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.005)

    def stop() -> None:
        server.should_exit = True
        thread.join()

    return stop


def _b64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _error(code: str, status: int = 400, **more: Any) -> JSONResponse:
    body = {"error": code, "error_description": f"this is {code}"} | more
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _app(issuer: IssuerSimulator) -> Any:
    app = FastAPI()
    _add_public(app, issuer)
    _add_issuing(app, issuer)
    _add_device(app, issuer)
    return _Faults(app, issuer)


def _add_public(app: FastAPI, issuer: IssuerSimulator) -> None:
    @app.get(f"/.well-known/openid-credential-issuer/{PIC}")
    def metadata() -> dict[str, Any]:
        return issuer.metadata()

    @app.get(f"/.well-known/oauth-authorization-server/{PIC}")
    def server_metadata() -> dict[str, Any]:
        return {
            "issuer": issuer.identifier,
            "token_endpoint": f"{issuer.identifier}/token",
            "grant_types_supported": [GRANT],
            "pre-authorized_grant_anonymous_access_supported": True,
        }

    @app.get(f"/{PIC}/offers/{{reference}}")
    def offer(reference: str) -> Response:
        found = issuer.offers.get(reference)
        return JSONResponse(found) if found else JSONResponse({}, 404)


def _add_issuing(app: FastAPI, issuer: IssuerSimulator) -> None:
    @app.post(f"/{PIC}/token")
    async def token(request: Request) -> Response:
        form = await request.form()
        known = issuer.codes.get(str(form.get("pre-authorized_code")))
        if form.get("grant_type") != GRANT or "client_id" in form:
            return _error("invalid_request")
        if known is None:
            return _error("invalid_grant")
        if (known["tx_code"] is None) != ("tx_code" not in form):
            return _error("invalid_request")
        if known["tx_code"] is not None and form["tx_code"] != known["tx_code"]:
            known["tries"] -= 1
            return _error("invalid_grant", tries_left=known["tries"])
        del issuer.codes[str(form["pre-authorized_code"])]
        access = secrets.token_urlsafe(32)
        issuer.tokens.add(access)
        body = {"access_token": access, "token_type": "Bearer", "expires_in": 300}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    @app.post(f"/{PIC}/nonce")
    async def nonce(request: Request) -> Response:
        assert await request.body() == b""
        return JSONResponse({"c_nonce": issuer.nonce()}, headers={"Cache-Control": "no-store"})

    @app.post(f"/{PIC}/credential")
    async def credential(request: Request) -> Response:
        if _bearer(request) not in issuer.tokens:
            return _error("invalid_token", 401)
        body = await request.json()
        name = body.get("credential_configuration_id")
        if name not in CONFIGURATIONS:
            return _error("unknown_credential_configuration")
        try:
            holder = issuer.proven_key(body)
        except ValueError as error:
            return _error(str(error))
        answer: dict[str, Any] = {"credentials": [{"credential": issuer.credential(name, holder)}]}
        if issuer.device_api:
            device = hashlib.sha256(_bearer(request).encode()).hexdigest()
            issuer.devices.add(device)
            card_uri = f"{issuer.root}/device/card"
            answer["esc_device"] = {"device_token": device, "card_uri": card_uri}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _add_device(app: FastAPI, issuer: IssuerSimulator) -> None:
    def known(request: Request) -> bool:
        return _bearer(request) in issuer.devices

    @app.get("/device/card")
    async def card(request: Request) -> Response:
        if not known(request):
            return JSONResponse({"title": "no such device"}, 401)
        etag = f'"{issuer.version}-{issuer.needs_renewal}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return JSONResponse(issuer.card(), headers={"ETag": etag})

    @app.middleware("http")
    async def date(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Date"] = format_datetime(issuer.clock() + issuer.date_ahead, True)
        return response

    @app.post("/device/card/renewal")
    async def renewal(request: Request) -> Response:
        body = await request.json()
        if not known(request) or issuer.state != "active":
            return JSONResponse({"title": "no"}, 409)
        holder = issuer.proven_key(body)
        issuer.needs_renewal = False
        names = body["credential_configuration_ids"]
        return JSONResponse(
            {"credentials": {name: issuer.credential(name, holder) for name in names}}
        )

    @app.delete("/device")
    async def forget(request: Request) -> Response:
        issuer.devices.discard(_bearer(request))
        return Response(status_code=204)


class _Faults:
    """Lets requests fail as `IssuerSimulator.fail` was told."""

    def __init__(self, app: FastAPI, issuer: IssuerSimulator) -> None:
        self.app, self.issuer = app, issuer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.issuer.requests.append(f"{scope['method']} {path}")
        waiting = [kinds for end, kinds in self.issuer.faults.items() if path.endswith(end)]
        kind = waiting[0].pop(0) if waiting and waiting[0] else "fine"
        if kind == "fine":
            await self.app(scope, receive, send)
            return
        if kind == "answer lost":  # it took effect, and nobody heard
            await self.app(scope, receive, _nowhere)
        status, headers, body = _FAULTS[kind]
        length = str(len(body) + 1000 * (kind in _CUT)).encode()
        all_headers = [*headers, (b"content-length", length)]
        start = {"type": "http.response.start", "status": status, "headers": all_headers}
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": kind in _CUT})


async def _nowhere(_message: Any) -> None:
    return


_CUT = ("cut", "answer lost")
_JSON = [(b"content-type", b"application/json")]
_FAULTS: dict[str, tuple[int, list[tuple[bytes, bytes]], bytes]] = {
    "cut": (200, _JSON, b"{"),
    "answer lost": (200, _JSON, b"{"),
    "unavailable": (503, [(b"content-type", b"text/html")], b"<h1>away</h1>"),
    "html": (200, [(b"content-type", b"text/html")], b"<h1>welcome to the hotel</h1>"),
    "huge": (200, _JSON, b'"' + b"a" * 1_200_000 + b'"'),
    "packed": (200, [*_JSON, (b"content-encoding", b"gzip")], b"\x1f\x8b"),
    "redirect": (302, [(b"location", b"http://127.0.0.1:1/")], b""),
    "deep": (200, _JSON, b"[" * 100_000),
    "twice": (200, _JSON, b'{"a":1,"a":2}'),
    "deferred": (202, _JSON, b'{"transaction_id":"1","interval":5}'),
    "stale nonce": (400, _JSON, b'{"error":"invalid_nonce"}'),
    "denied": (400, _JSON, b'{"error":"credential_request_denied","error_description":"no"}'),
    "late": (401, _JSON, b'{"error":"invalid_token"}'),
    "unknown device": (401, _JSON, b'{"title":"no such device"}'),
}
