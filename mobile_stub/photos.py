"""`photo`: the photo on the card, kept for offline; one's own sent, tried, taken back.

The institution's photo comes with a refresh. One's own counts when the institution has approved
it; until then the card shows what it showed before.
"""

import base64
import hashlib
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mobile_stub.cards import Card, Photo
from mobile_stub.device_routes import note_ended
from mobile_stub.errors import CardNotActive, Refused, WrongUse
from mobile_stub.files import replace_file
from mobile_stub.network import Answer, File, Network
from mobile_stub.phone import Phone
from mobile_stub.refreshing import Refresher
from mobile_stub.sentences import institution_of

MAX_SENT_BYTES = 8 * 1024 * 1024
_MAX_PHOTO_BYTES = 256 * 1024
_JPEG = b"\xff\xd8\xff"
_CROP = ("left", "top", "width", "height")
# The refusals that have a sentence of their own, by the end of their problem type.
_SENTENCES = {
    "picture-too-large": "photo_too_large",
    "too-many-pixels": "photo_too_many_pixels",
    "picture-too-small": "photo_too_small",
    "not-a-picture": "photo_format",
    "picture-format": "photo_format",
    "moving-picture": "photo_moves",
    "picture-damaged": "photo_damaged",
    "malformed-crop": "photo_crop",
    "photos-not-taken": "photos_not_taken",
    "too-many-photos": "too_many_photos",
    "card-not-active": "photo_card_over",
    "device-not-known": "device_unknown",
}


def run_photo(phone: Phone, arguments: Namespace) -> int:
    """Show, save, send, try or take back a photo.

    Raises:
        WrongUse: Options that do not fit together.
        Refused: The card is not taken to its end.
    """
    if (arguments.preview or arguments.crop) and not arguments.send:
        raise WrongUse("photo_needs_send")
    if arguments.save is not None:
        return _save(phone, arguments)
    with phone.changing_wallet() as wallet, phone.network() as network:
        card = wallet.choose_card(arguments.card)
        if card.enrolment is not None:
            raise Refused("unfinished")
        photos = Photos(network, wallet.save)
        if arguments.send is not None:
            _send(phone, photos, card, arguments)
            return 0
        if arguments.take_back:
            photos.take_back(card)
            phone.say("photo_taken_back")
            return 0
        Refresher(network, phone.clock, wallet.save).refresh(card)
        photos.keep(card)
        _tell(phone, card)
    return 0


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos of one wallet's cards; `save` makes changes last."""

    network: Network
    save: Callable[[], None]

    def keep(self, card: Card) -> None:
        """Bring the photo on the phone in line with the card's last report.

        Raises:
            Refused: What came is not the photo that the report names.
        """
        wanted = card.report.photo_sha256
        if wanted == (card.photo and card.photo.sha256):
            return
        if wanted is None:
            card.photo = None
        else:
            body = _jpeg(self._call(card, "GET"))
            if hashlib.sha256(body).hexdigest() != wanted:
                raise Refused("photo_other")
            card.photo = Photo(wanted, base64.b64encode(body).decode())
        self.save()

    def send(self, card: Card, picture: bytes, crop: Mapping[str, str]) -> None:
        """Send a picture for approval."""
        self._call(card, "POST", form=crop, file=picture)

    def preview(self, card: Card, picture: bytes, crop: Mapping[str, str]) -> bytes:
        """The photo that a picture would become."""
        return _jpeg(self._call(card, "POST", "/preview", form=crop, file=picture))

    def take_back(self, card: Card) -> None:
        """Withdraw what waits for approval."""
        self._call(card, "DELETE")

    def _call(
        self,
        card: Card,
        method: str,
        path: str = "",
        *,
        form: Mapping[str, str] | None = None,
        file: bytes | None = None,
    ) -> Answer:
        if card.device_token is None or card.card_uri is None:
            raise Refused("no_refresh")
        if card.ended is not None:
            raise CardNotActive(f"card_ended_{card.ended}")
        # The device is what the card's address is below (docs of the wallet API).
        address = card.card_uri.rsplit("/", 1)[0] + "/photo" + path
        answer = self.network.call(
            method,
            address,
            headers={"Authorization": f"Bearer {card.device_token}"},
            form=form,
            file=None if file is None else File("file", "photo", file),
        )
        if note_ended(card, answer):
            self.save()
            raise CardNotActive(f"card_ended_{card.ended}")
        if not 200 <= answer.status < 300:
            raise _refusal(card, answer)
        return answer


def _save(phone: Phone, arguments: Namespace) -> int:
    """Write the photo that the phone holds to a file; no network is needed.

    Raises:
        Refused: There is none.
    """
    card = phone.open_wallet().choose_card(arguments.card)
    if card.photo is None:
        raise Refused("no_photo")
    replace_file(arguments.save, base64.b64decode(card.photo.body))
    phone.say("photo_saved", path=arguments.save)
    return 0


def _send(phone: Phone, photos: Photos, card: Card, arguments: Namespace) -> None:
    picture, crop = _picture(arguments.send), _crop(arguments.crop)
    if arguments.preview is not None:
        replace_file(arguments.preview, photos.preview(card, picture, crop))
        phone.say("photo_saved", path=arguments.preview)
        return
    photos.send(card, picture, crop)
    phone.say("photo_sent", institution=institution_of(card))


def _tell(phone: Phone, card: Card) -> None:
    phone.say("photo_here" if card.photo else "photo_none", institution=institution_of(card))
    own = card.report.own_photo or "not_taken"
    if f"say.own_photo_{own}" in phone.messages.texts:
        institution = institution_of(card)
        reason = card.report.own_photo_reason or ""
        phone.say(f"own_photo_{own}", institution=institution, reason=reason)


def _picture(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            picture = file.read(MAX_SENT_BYTES + 1)
    except OSError as error:
        raise Refused("file_not_read", path=path, reason=error.strerror) from error
    if len(picture) > MAX_SENT_BYTES:
        raise Refused("photo_too_large")
    return picture


def _crop(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    parts = text.split(",")
    if len(parts) != len(_CROP):
        raise WrongUse("photo_crop")
    return dict(zip(_CROP, (part.strip() for part in parts), strict=True))


def _jpeg(answer: Answer) -> bytes:
    body = answer.body
    if not body.startswith(_JPEG) or len(body) > _MAX_PHOTO_BYTES:
        raise Refused("bad_answer", host=answer.host)
    return body


def _refusal(card: Card, answer: Answer) -> Refused:
    kind = answer.json_object_or_empty().get("type")
    slug = kind.rpartition(":")[2] if isinstance(kind, str) else ""
    sentence = _SENTENCES.get(slug)
    if sentence is None:
        return Refused("server_error", host=answer.host, status=answer.status)
    return Refused(sentence, host=answer.host, institution=institution_of(card))
