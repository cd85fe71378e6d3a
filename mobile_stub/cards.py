"""What the phone keeps of each card, and how it becomes the JSON inside the sealed file."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mobile_stub.errors import Refused

_VERSION = 1
# Why a phone is not one of its card's any more, as the institution says it; the first stands for
# reasons of later versions.
ENDINGS = ("replaced", "by_student", "by_staff", "by_phone")


class CardState(StrEnum):
    """A card's state as the institution last told it."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(slots=True)
class Credential:
    """One credential as issued: text for SD-JWT VC, an object of texts for the ESC QR."""

    format: str
    value: str | dict[str, str]


@dataclass(slots=True)
class Enrolment:
    """An offer that is not taken to its end: what a retry needs to go on."""

    link: str
    offer: str  # its JSON: an offer by reference may be gone at the retry
    # Of the token request, so that a lost answer can be asked for again; "" in older wallets.
    request_name: str = ""
    access_token: str | None = None
    # Where the token answer names them (OpenID4VCI 1.0, Section 6.2), by configuration.
    identifiers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Renewal:
    """A renewal that was begun: until its answer has come, the old credentials may be over."""

    address: str
    configuration_ids: list[str] | None


@dataclass(slots=True)
class Report:
    """The institution's last word on the card (GET /device/card)."""

    state: CardState = CardState.ACTIVE
    reason: str | None = None
    institution: str | None = None
    name: str | None = None
    expires_on: str | None = None
    last_updated: str | None = None  # as the institution wrote it
    checked_at: int | None = None  # when the phone last got an answer
    etag: str | None = None
    photo_sha256: str | None = None  # of the photo that counts
    own_photo: str | None = None  # where the student's own stands; None: none is taken
    own_photo_reason: str | None = None  # why it was refused


@dataclass(slots=True)
class Photo:
    """The card's photo, kept for offline."""

    sha256: str
    body: str  # a JPEG file, in Base64


@dataclass(slots=True)
class Card:
    """A card with its key; one that is still being taken has an enrolment."""

    credential_issuer: str
    key: str  # device_key.encode_key
    escn: str | None = None  # None until the first credential has come
    credentials: dict[str, Credential] = field(default_factory=dict)
    device_token: str | None = None
    card_uri: str | None = None
    report: Report = field(default_factory=Report)
    enrolment: Enrolment | None = None
    renewal: Renewal | None = None
    ended: str | None = None  # of ENDINGS: this phone holds the card no more
    photo: Photo | None = None

    def of_format(self, wanted: str) -> Credential | None:
        """The first credential of a format, in the order they were offered."""
        return next((one for one in self.credentials.values() if one.format == wanted), None)


@dataclass(slots=True)
class Wallet:
    """Everything in the sealed file."""

    cards: list[Card] = field(default_factory=list)


def encode_wallet(wallet: Wallet) -> bytes:
    """The wallet as JSON."""
    return json.dumps({"version": _VERSION} | asdict(wallet), ensure_ascii=False).encode()


def decode_wallet(content: bytes) -> Wallet:
    """The wallet from the JSON that this program sealed.

    Raises:
        Refused: Another version of this program wrote it.
    """
    try:
        value = json.loads(content)
        if value["version"] != _VERSION:
            raise Refused("wallet_content")
        return Wallet(cards=[_card(one) for one in value["cards"]])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("wallet_content") from error


def _card(value: dict[str, Any]) -> Card:
    enrolment, renewal, report = value["enrolment"], value["renewal"], dict(value["report"])
    photo = value.get("photo")
    report["state"] = CardState(report["state"])
    return Card(
        **value
        | {
            "credentials": {k: Credential(**one) for k, one in value["credentials"].items()},
            "report": Report(**report),
            "enrolment": None if enrolment is None else Enrolment(**enrolment),
            "renewal": None if renewal is None else Renewal(**renewal),
            "photo": None if photo is None else Photo(**photo),
        }
    )
