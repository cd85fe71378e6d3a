"""The phones of a card, as one of them sees them: listed, named, ended."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from issuer.clock import utc_text
from issuer.credential_life import EndReason
from issuer.device_life import end_device, end_device_of_card
from issuer.errors import DeviceNotFound
from issuer.store import devices, institutions
from issuer.tables import Card, Device
from wallet_api.deps import BearerDep, BodyJsonDep, Wallet, WalletDep
from wallet_api.documented import json_body
from wallet_api.errors import NoSuchDevice, NotJson
from wallet_api.holding import PIC_CHARS, find_device, hold_device
from wallet_api.opaque_ids import opaque_id

MAX_NAME_CHARS = 60
_NOT_SHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

router = APIRouter(tags=["devices"])


class DeviceOfCard(BaseModel):
    """A phone that holds the card."""

    id: str = Field(examples=["6f7220657861706c"])
    name: str | None = Field(description="The student's or the phone's words")
    added_at: str = Field(examples=["2026-11-23T12:00:00Z"])
    renewed_at: str | None = Field(description="When it last got new credentials")
    this: bool = Field(description="Whether it is the phone that asks")


class DevicesAnswer(BaseModel):
    """All phones that hold the card, the oldest first."""

    at_once: int = Field(description="So many may hold it; a further one ends the oldest")
    devices: list[DeviceOfCard]


@router.get("/device/devices", summary="The phones that hold this card")
def list_devices(bearer: BearerDep, wallet: WalletDep, response: Response) -> DevicesAnswer:
    """The phones that hold the card of this one, which is among them."""
    with wallet.reading() as session:
        this = find_device(session, bearer)
        institution = institutions.by_pic(session, this.escn[-PIC_CHARS:])
        living = devices.living_of_card(session, this.escn)
        found = [_answer_of(wallet, device, this=device.id == this.id) for device in living]
    response.headers["cache-control"] = "no-store"
    at_once = 1 if institution is None else institution.devices_at_once
    return DevicesAnswer(at_once=at_once, devices=found)


@router.delete(
    "/device/devices/{device_id}", status_code=204, summary="End a phone that holds this card"
)
def end_other_device(
    bearer: BearerDep,
    wallet: WalletDep,
    device_id: Annotated[str, Path(max_length=64, examples=["6f7220657861706c"])],
) -> None:
    """Its token and credentials end; it learns that the student ended it."""
    with wallet.transaction() as session:
        this, card = hold_device(session, bearer)
        end_named(
            wallet, session, card, device_id, reason=EndReason.BY_STUDENT, actor=_actor(this)
        )


@router.put(
    "/device",
    status_code=204,
    summary="Name this phone",
    openapi_extra=json_body(name="Anna's phone"),
)
def name_this_device(bearer: BearerDep, wallet: WalletDep, asked: BodyJsonDep) -> None:
    """Call this phone something; an empty name is none."""
    name = parse_name(asked.get("name"))
    with wallet.transaction() as session:
        device, _ = hold_device(session, bearer)
        device.name = name
        session.add(device)


@router.delete("/device", status_code=204, summary="End this device")
def end_this_device(bearer: BearerDep, wallet: WalletDep) -> None:
    """The device token and every credential of the device end; the card lives on."""
    with wallet.transaction() as session:
        device, _ = hold_device(session, bearer)
        now, actor = wallet.clock(), _actor(device)
        end_device(session, device, reason=EndReason.BY_PHONE, now=now, actor=actor)


def parse_name(text: object) -> str | None:
    """A phone's name as it is stored; None for an empty one.

    Raises:
        NotJson: It is no text, too long, or holds characters that nobody sees.
    """
    if not isinstance(text, str) or len(text) > MAX_NAME_CHARS:
        raise NotJson(f"name is a text of at most {MAX_NAME_CHARS} characters")
    name = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(char) in _NOT_SHOWN for char in name):
        raise NotJson("name has characters that cannot be shown")
    return name or None


def end_named(
    wallet: Wallet, session: Session, card: Card, name: str, *, reason: EndReason, actor: str
) -> None:
    """End the card's phone with this opaque id; the caller holds the card.

    Raises:
        NoSuchDevice: The card has none, or not any more.
    """
    device_id = named(wallet, devices.living_of_card(session, card.escn), name).id or 0
    now = wallet.clock()
    try:
        end_device_of_card(
            session, card.pic, card.escn, device_id, reason=reason, now=now, actor=actor
        )
    except DeviceNotFound as error:
        raise NoSuchDevice("the card has no such phone, or not any more") from error


def named(wallet: Wallet, living: Sequence[Device], name: str) -> Device:
    """The one with this opaque id.

    Raises:
        NoSuchDevice: There is none.
    """
    for device in living:
        if opaque_id(wallet.sealer, device.id or 0) == name:
            return device
    raise NoSuchDevice("the card has no such phone, or not any more")


def _answer_of(wallet: Wallet, device: Device, *, this: bool) -> DeviceOfCard:
    renewed_at = device.renewed_at
    return DeviceOfCard(
        id=opaque_id(wallet.sealer, device.id or 0),
        name=device.name,
        added_at=utc_text(device.created_at),
        renewed_at=None if renewed_at is None else utc_text(renewed_at),
        this=this,
    )


def _actor(device: Device) -> str:
    return f"device:{device.id}"
