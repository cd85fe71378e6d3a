"""An issuer for the phone's tests: OpenID4VCI 1.0 and the device API, over real HTTP.

It is written from the specifications and shares no code with the phone or with our services. It
verifies proofs with PyJWT. `fail` lets an endpoint fail in a named way for its next requests.
"""

import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tests.mobile_stub.card_credentials import e1, sd_jwt
from tests.mobile_stub.faults import Faults

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
        self.requests: list[str] = []
        self.offers: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.nonces: set[str] = set()
        self.holder_keys: list[dict[str, str]] = []
        self.devices: set[str] = set()
        self.state, self.version = "active", 1
        self.reason: str | None = None
        self.metadata_changes: dict[str, Any] = {}
        self.device_api = True
        self.needs_renewal = False
        self.bound_to: dict[str, str] | None = None  # another key than the proven one
        self.lifetime = timedelta(days=30)
        self.date_ahead = timedelta(0)  # of the Date header
        self.app = _app(self)

    def fail(self, path: str, *kinds: str) -> None:
        """See `Faults.fail`."""
        self.app.fail(path, *kinds)

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
        header: dict[str, Any] = jwt.get_unverified_header(proofs[0])
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
        holder: dict[str, str] = header["jwk"]
        self.holder_keys.append(holder)
        return holder

    def credential(self, name: str, holder: dict[str, str]) -> str | dict[str, str]:
        bound: dict[str, Any] = {
            "escn": ESCN,
            "holder": self.bound_to or holder,
            "now": self.clock(),
        }
        if CONFIGURATIONS[name]["format"] == "dc+sd-jwt":
            return sd_jwt(self.key, iss=self.identifier, vct=CONFIGURATIONS[name]["vct"], **bound)
        profiles = {
            "status": {"n": "Anna B."},
            "identity": {"n": "Anna Marija Bērziņa-Łukaszewicz", "e": "esi.example.lv:ab12345"},
        }
        return {
            profile: e1(self.key, claims, lifetime=self.lifetime, **bound)
            for profile, claims in profiles.items()
        }

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


def start_server(app: Any, listener: socket.socket) -> Callable[[], None]:
    """Serve at an address of loopback until the returned function is called."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="critical", lifespan="off", date_header=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)

    def stop() -> None:
        server.should_exit = True
        thread.join()
        listener.close()

    return stop


def _error(code: str, status: int = 400, **more: Any) -> JSONResponse:
    body = {"error": code, "error_description": f"this is {code}"} | more
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _app(issuer: IssuerSimulator) -> Faults:
    app = FastAPI()
    _add_public(app, issuer)
    _add_issuing(app, issuer)
    _add_device(app, issuer)
    return Faults(app, seen=lambda request: issuer.requests.append(request))


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
