"""Every operation of the client called once, with all it can say, and recorded as it was sent."""

import inspect
import json
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, unquote

from issuer.card_qr import QrColours, QrOrientation, QrSize
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.views import (
    CardStatusType,
    CardType,
    CardUpdateView,
    CsvOperation,
    PersonOrganisationUpdateView,
    PersonUpdateView,
)

PIC = "999978433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:1"
ESCN = "25539be8-6423-103e-add8-001999978433"
PATH_VALUES = {"id": PIC, "esi": ESI, "escn": ESCN}

PERSON = PersonUpdateView(
    identifier=ESI,
    person_organisation_update_views=(
        PersonOrganisationUpdateView(
            organisation_identifier=PIC, full_name="A", email="a@b", academic_level="MASTER"
        ),
    ),
)
CARD = CardUpdateView(
    card_number=ESCN,
    card_status_type=CardStatusType.ACTIVE,
    card_type=CardType.SMART_PASSIVE,
    display_name="A",
    issued_at=date(2026, 9, 1),
    expires_at=date(2027, 8, 31),
    issuer_identifier=PIC,
    person_identifier=ESI,
    processor_identifier="LV40000000000",
)
QR: dict[str, Any] = {
    "size": QrSize.M,
    "orientation": QrOrientation.VERTICAL,
    "colours": QrColours.INVERTED,
}

# Every public method of the client, with all that it can say.
CALLS: dict[str, Callable[[EscRouterClient, bytes], object]] = {
    "create_person": lambda client, _: client.create_person(PERSON),
    "update_person": lambda client, _: client.update_person(PERSON),
    "read_person": lambda client, _: client.read_person(ESI),
    "delete_person": lambda client, _: client.delete_person(ESI),
    "list_persons": lambda client, _: client.list_persons(page=1, search="x"),
    "read_picture": lambda client, _: client.read_picture(ESI, PIC),
    "store_picture": lambda client, image: client.store_picture(ESI, PIC, image, resize=True),
    "delete_picture": lambda client, _: client.delete_picture(ESI, PIC),
    "create_card": lambda client, _: client.create_card(CARD),
    "update_card": lambda client, _: client.update_card(CARD),
    "read_card": lambda client, _: client.read_card(ESCN),
    "delete_card": lambda client, _: client.delete_card(ESCN),
    "list_cards": lambda client, _: client.list_cards(page=1, search="x"),
    "read_csv_columns": lambda client, _: client.read_csv_columns(),
    "validate_csv": lambda client, _: client.validate_csv(b"x", CsvOperation.CREATE),
    "card_status": lambda client, _: client.card_status(ESCN),
    "verify_card_publicly": lambda client, _: client.verify_card_publicly(ESCN),
    "generate_escn": lambda client, _: client.generate_escn(prefix="001", pic=PIC, count=2),
    "draw_qr": lambda client, _: client.draw_qr(ESCN, **QR),
    "draw_qr_as_text": lambda client, _: client.draw_qr_as_text(ESCN, **QR),
}
COMPOSED = {"bring_person", "bring_card", "remove_person"}  # of the others
OUTSIDE = {"verify_card_publicly": "the verification service has no document"}


@dataclass
class Asked:
    """One request as it was sent, and what the method that sent it returns."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    by: str
    returns: object

    @property
    def sent(self) -> object:
        """The body's names and values; a form's parts."""
        if not self.body:
            return None
        kind = self.headers["content-type"]
        if kind == "application/json":
            return json.loads(self.body)
        form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
        parts = typing.cast("list[Any]", form.get_payload())
        names = [part.get_param("name", header="content-disposition") for part in parts]
        return {str(name): "a file" for name in names}


@dataclass
class Recorder:
    """A router that answers each request with the least that is an answer, and keeps it."""

    asked: list[Asked] = field(default_factory=list)
    by: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append(
            Asked(
                scope["method"],
                unquote(scope["raw_path"].decode()),
                dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
                headers,
                body,
                self.by,
                typing.get_type_hints(getattr(EscRouterClient, self.by))["return"],
            )
        )
        answer, kind = _least(self.by, headers["accept"])
        status = 204 if scope["method"] == "DELETE" else 200
        start = {"type": "http.response.start", "status": status}
        await send(start | {"headers": [(b"content-type", kind.encode())]})
        await send({"type": "http.response.body", "body": b"" if status == 204 else answer})


def _least(by: str, accept: str) -> tuple[bytes, str]:
    if accept == "image/svg+xml":
        return b"<svg/>", accept
    if accept == "text/plain":
        return b"PHN2Zy8+", accept
    if by == "read_picture":
        return b"bytes", accept
    is_list = by in ("validate_csv", "generate_escn")
    is_map = by == "read_csv_columns"
    return (b"[]" if is_list else b"{}" if is_map else b'{"identifier": "x"}'), "application/json"


def record(client: EscRouterClient, recorder: Recorder, image: bytes) -> list[Asked]:
    """Call every operation of the client once."""
    for name, call in CALLS.items():
        recorder.by = name
        call(client, image)
    return recorder.asked


def uncalled() -> set[str]:
    """Public methods of the client that no call of ours covers."""
    public = {
        name
        for name, _ in inspect.getmembers(EscRouterClient, inspect.isfunction)
        if not name.startswith("_")
    }
    return public ^ (CALLS.keys() | COMPOSED)
