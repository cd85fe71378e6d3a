"""What Apple's wallet asks of a pass's maker (PassKit Web Service Reference, version 1).

A phone registers for a pass that it holds, is told by Apple's push service that something
changed, asks which of its passes did, and fetches those. The pass's own token authorises all but
the list, for which the phone's unguessable identifier does, and the log. The tag of a list says
which state of each pass it told of, so that no clock and no order of commits can lose a change.
"""

import hashlib
import hmac
import logging
import re
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.passes.kinds import PassKind
from issuer.store import pass_registrations, passes
from issuer.tables import Pass
from wallet_api.deps import BodyDep, WalletDep, parse_json_body
from wallet_api.errors import NotJson, PassesNotOffered, PassNotAuthorized
from wallet_api.passes.apple_document import MEDIA_TYPE
from wallet_api.passes.apple_package import ApplePasses
from wallet_api.passes.complaints import Complaints
from wallet_api.passes.device_routes import ExportersDep
from wallet_api.passes.exporters import Exporters
from wallet_api.passes.facts import facts_of, logo_body

_REGISTRATION = "/devices/{device}/registrations/{pass_type}/{serial}"
_PACKAGE = "/passes/{pass_type}/{serial}"
_SCHEME = re.compile(r"ApplePass ([A-Za-z0-9_-]{43})")
_PUSH_TOKEN = re.compile(r"[A-Za-z0-9]{1,200}")
_MAX_TAG_CHARS = 4_096
_HEADERS = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/passes/v1", tags=["Apple's wallet"])

Device = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,128}$", description="Of Apple's wallet")]
PassType = Annotated[str, Path(max_length=160)]
Serial = Annotated[str, Path(max_length=64)]


@dataclass(frozen=True, slots=True)
class AskedPass:
    """The pass that a request is for, and may be: it has the token. It may have ended since."""

    serial: str


def _authorize(
    request: Request, pass_type: PassType, serial: Serial, exporters: ExportersDep
) -> AskedPass:
    """Let pass only who has the pass's token; it is computed for any serial number.

    Raises:
        PassesNotOffered: No passes for Apple's wallet are made here.
        PassNotAuthorized: Another token, none, or another pass type.
    """
    apple = _apple(exporters)
    given = _SCHEME.fullmatch(request.headers.get("authorization", ""))
    expected = apple.token_of(serial)
    is_right = hmac.compare_digest(expected, given[1] if given else "")
    if not is_right or pass_type != apple.certificate.pass_type_id:
        raise PassNotAuthorized("the pass's own token is needed")
    return AskedPass(serial)


def _apple(exporters: Exporters) -> ApplePasses:
    if exporters.apple is None:
        raise PassesNotOffered("no passes for Apple's wallet are made here")
    return exporters.apple


AskedDep = Annotated[AskedPass, Depends(_authorize)]


class ChangedPasses(BaseModel):
    """Which passes changed, and the tag to ask with next time."""

    serialNumbers: list[str]  # noqa: N815 Apple's name
    lastUpdated: str  # noqa: N815 Apple's name


@router.post(
    _REGISTRATION,
    response_class=Response,
    responses={
        200: {"description": "Registered before"},
        201: {"description": "Registered"},
        401: {"description": "Not this pass's token"},
    },
    summary="Register for changes of a pass",
)
def register_device(
    request: Request, device: Device, body: BodyDep, asked: AskedDep, wallet: WalletDep
) -> Response:
    """Have a phone told of changes of the pass."""
    token = _push_token(parse_json_body(request, body))
    with wallet.transaction() as session:
        row = _pass(session, asked.serial, lock=True)
        sealed, now = wallet.sealer.seal(token.encode()), seconds_of(wallet.clock())
        is_new = pass_registrations.register(session, row, device, sealed, now=now)
    return Response(status_code=201 if is_new else 200, headers=_HEADERS)


@router.delete(
    _REGISTRATION,
    response_class=Response,
    responses={200: {"description": "Not told any more"}, 401: {"description": "Not its token"}},
    summary="Register no more",
)
def unregister_device(device: Device, asked: AskedDep, wallet: WalletDep) -> Response:
    """Tell the phone no more of the pass; whether it was registered or not."""
    with wallet.transaction() as session:
        pass_registrations.unregister(session, device, asked.serial)
    return Response(status_code=200, headers=_HEADERS)


@router.get(
    "/devices/{device}/registrations/{pass_type}",
    response_model=ChangedPasses,
    responses={204: {"description": "None changed"}},
    summary="Which passes of a phone changed",
)
def list_changed_passes(
    device: Device,
    pass_type: PassType,
    wallet: WalletDep,
    exporters: ExportersDep,
    since: Annotated[str, Query(alias="passesUpdatedSince", max_length=_MAX_TAG_CHARS)] = "",
) -> Response:
    """The passes that changed since the tag of an earlier answer; without one, all of them."""
    apple = _apple(exporters)
    found = []
    if pass_type == apple.certificate.pass_type_id:
        with wallet.reading() as session:
            found = list(pass_registrations.passes_of(session, device))
    known = set(since.split("."))
    states = {serial: _state_tag(serial, updated_at) for serial, updated_at in found}
    changed = [serial for serial, tag in states.items() if tag not in known]
    if not changed:
        return Response(status_code=204, headers=_HEADERS)
    answer = ChangedPasses(serialNumbers=changed, lastUpdated=".".join(states.values()))
    return Response(
        answer.model_dump_json().encode(), headers=_HEADERS, media_type="application/json"
    )


@router.get(
    _PACKAGE,
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "The pass as it is now"},
        304: {"description": "Not changed since"},
        401: {"description": "Not its token"},
        404: {"description": "Passes cannot be signed at present"},
    },
    summary="A pass as it is now",
)
def show_pass(
    request: Request, asked: AskedDep, wallet: WalletDep, exporters: ExportersDep
) -> Response:
    """The pass, signed anew, unless it has not changed since `If-Modified-Since`."""
    apple = exporters.signing_apple(wallet.clock())
    with wallet.reading() as session:
        row = _pass(session, asked.serial)
        headers = _HEADERS | {"last-modified": formatdate(row.updated_at, usegmt=True)}
        if _is_known(request, row.updated_at):
            return Response(status_code=304, headers=headers)
        facts = facts_of(session, row, sealer=wallet.sealer, now=wallet.clock())
        package = apple.package(facts, logo=lambda sha256: logo_body(session, facts.pic, sha256))
    return Response(package, headers=headers, media_type=MEDIA_TYPE)


@router.post("/log", response_class=Response, summary="What a phone complains of")
def take_log(
    request: Request, body: BodyDep, exporters: ExportersDep, wallet: WalletDep
) -> Response:
    """Counted and told in the log, a line a minute at most; nothing else is kept."""
    _apple(exporters)
    complaints: Complaints = request.app.state.complaints
    logs = _logs(parse_json_body(request, body))
    told = complaints.note(logs, now=seconds_of(wallet.clock()))
    if told is not None:
        logger.warning("wallets complain of passes, %s", told)
    return Response(status_code=200, headers=_HEADERS)


def _pass(session: Session, serial: str, *, lock: bool = False) -> Pass:
    row = passes.by_serial(session, serial, lock=lock)
    if row is None or row.kind != PassKind.APPLE:
        raise PassNotAuthorized("no such pass, or not any more")
    return row


def _push_token(body: dict[str, Any]) -> str:
    token = body.get("pushToken")
    if not isinstance(token, str) or not _PUSH_TOKEN.fullmatch(token):
        raise NotJson("pushToken is a text of letters and digits")
    return token


def _logs(body: dict[str, Any]) -> list[str]:
    logs = body.get("logs")
    if not isinstance(logs, list) or not all(isinstance(one, str) for one in logs):
        raise NotJson("logs is an array of texts")
    return logs


def _state_tag(serial: str, updated_at: int) -> str:
    return hashlib.sha256(f"{serial} {updated_at}".encode()).hexdigest()[:16]


def _is_known(request: Request, updated_at: int) -> bool:
    try:
        known = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
        return known.tzinfo is not None and int(known.timestamp()) >= updated_at
    except (ValueError, OverflowError):
        return False
