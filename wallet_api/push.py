"""Where a phone is told that something changed: its push subscription (Web Push, RFC 8030).

Only the endpoint is kept, sealed. The keys that a browser gives with it would seal a content,
and a push of ours has none.
"""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from issuer.clock import seconds_of
from issuer.push import MAX_ENDPOINT_CHARS, check_endpoint
from issuer.store import notices
from wallet_api.deps import BearerDep, BodyJsonDep, Wallet, WalletDep
from wallet_api.documented import json_body
from wallet_api.errors import NotJson, PushNotOffered, PushServiceNotAllowed
from wallet_api.holding import find_device, hold_device

_KEYS = ("p256dh", "auth")
_MAX_KEY_CHARS = 200

router = APIRouter(prefix="/device/push", tags=["devices"])


class PushAnswer(BaseModel):
    """What a browser needs to subscribe."""

    application_server_key: str = Field(description="P-256, uncompressed point, base64url")


@router.get("", summary="The key with which to subscribe to notices")
def show_push(bearer: BearerDep, wallet: WalletDep, response: Response) -> PushAnswer:
    """The deployment's key (RFC 8292), if it tells phones of changes at all."""
    with wallet.reading() as session:
        find_device(session, bearer)
    response.headers["cache-control"] = "no-store"
    return PushAnswer(application_server_key=_offered(wallet))


@router.put(
    "",
    status_code=204,
    summary="Have this phone told of changes",
    openapi_extra=json_body(
        endpoint="https://fcm.googleapis.com/fcm/send/c1KrmpTuRm8:APA91bE",
        keys={"p256dh": "BNcRdreALRFXTkOOUHK1EtK2", "auth": "tBHItJI5svbpez7KI4CCXg"},
    ),
)
def subscribe(bearer: BearerDep, wallet: WalletDep, asked: BodyJsonDep) -> None:
    """The subscription as the browser gives it; a new one takes the place of the old."""
    _offered(wallet)
    endpoint = _parse_endpoint(asked)
    _check_allowed(wallet, endpoint)
    sealed = wallet.sealer.seal(endpoint.encode())
    with wallet.transaction() as session:
        device, _ = hold_device(session, bearer)
        notices.subscribe(session, device.id or 0, sealed, now=seconds_of(wallet.clock()))


@router.delete("", status_code=204, summary="Do not tell this phone any more")
def unsubscribe(bearer: BearerDep, wallet: WalletDep) -> None:
    """Where it is reached is forgotten; it can still ask."""
    with wallet.transaction() as session:
        device, _ = hold_device(session, bearer)
        notices.unsubscribe(session, [device.id or 0])


def _offered(wallet: Wallet) -> str:
    if wallet.push_key is None:
        raise PushNotOffered("this deployment tells no phone of changes: ask now and then")
    return wallet.push_key


def _parse_endpoint(asked: dict[str, Any]) -> str:
    endpoint, keys = asked.get("endpoint"), asked.get("keys", {})
    if not isinstance(endpoint, str) or not 0 < len(endpoint) <= MAX_ENDPOINT_CHARS:
        raise NotJson("endpoint is the address that the browser gives")
    known = isinstance(keys, dict) and all(
        isinstance(keys.get(name, ""), str) and len(keys.get(name, "")) <= _MAX_KEY_CHARS
        for name in _KEYS
    )
    if not known:
        raise NotJson("keys has the texts p256dh and auth")
    return endpoint


def _check_allowed(wallet: Wallet, endpoint: str) -> None:
    try:
        check_endpoint(endpoint, wallet.settings.push_hosts)
    except ValueError as error:
        raise PushServiceNotAllowed("none of the push services that are called here") from error
