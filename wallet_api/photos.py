"""The student's photo on the phone: fetched, tried, sent for approval, taken back.

Who asks is looked at before anything of a body is read. A picture becomes a photo on a thread of
its own (`darkroom`); what is stored is that photo, never the picture.
"""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session

from issuer import photo_life
from issuer.card_states import CardState
from issuer.clock import seconds_of, today_of
from issuer.errors import CardNotFound, PhotoNotFound, PhotosNotTaken
from issuer.photo_life import PhotoState
from issuer.photos import MEDIA_TYPE, Portrait
from issuer.store import cards, photos
from issuer.tables import Card
from wallet_api.card_reading import CardOnDevice
from wallet_api.darkroom import Darkroom, Senders
from wallet_api.deps import BearerDep, Wallet, WalletDep, bearer_token, wallet_of
from wallet_api.errors import CardNotActive, DeviceNotKnown
from wallet_api.holding import PIC_CHARS, find_device
from wallet_api.photo_answers import PHOTO_PATH, OwnPhoto, own_photo_facts
from wallet_api.photo_forms import FORM_SCHEMA, crop_of, picture_of, take_form
from wallet_api.refresh import card_of, state_on

PREVIEW_PATH = PHOTO_PATH + "/preview"
_PRIVATE = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_JPEG = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}

router = APIRouter(tags=["photos"])


@router.get(
    PHOTO_PATH,
    response_class=Response,
    responses={
        200: {"description": "A JPEG of 200x300 pixels, with an ETag", "content": _JPEG},
        304: {"description": "Nothing changed since the ETag given in If-None-Match"},
        404: {"description": "No photo counts"},
    },
    summary="The photo of this card",
)
def show_photo(request: Request, bearer: BearerDep, wallet: WalletDep) -> Response:
    """The photo that counts, for a phone of the student's card and nobody else."""
    found = _approved(wallet, bearer)
    headers = _PRIVATE | {"etag": f'"{found.sha256}"'}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.body, headers=headers, media_type=MEDIA_TYPE)


@router.post(
    PHOTO_PATH,
    status_code=202,
    response_model=OwnPhoto,
    openapi_extra=FORM_SCHEMA,
    summary="Send a photo for approval",
)
async def send_photo(request: Request, response: Response) -> dict[str, object]:
    """It waits for staff, in place of one that waits already; until then nothing changes."""
    wallet, bearer = wallet_of(request), bearer_token(request)
    found = await _may_send(wallet, bearer)
    portrait = await _drawn(request, wallet, found)
    state = await run_in_threadpool(_store, wallet, bearer, portrait)
    response.headers.update(_NO_STORE)
    return own_photo_facts(wallet.settings.public_url, state, None)


@router.post(
    PREVIEW_PATH,
    response_class=Response,
    responses={200: {"description": "A JPEG of 200x300 pixels", "content": _JPEG}},
    openapi_extra=FORM_SCHEMA,
    summary="Try a photo",
)
async def preview_photo(request: Request) -> Response:
    """The photo as it would be; nothing is stored."""
    wallet = wallet_of(request)
    found = await _may_send(wallet, bearer_token(request))
    portrait = await _drawn(request, wallet, found)
    return Response(portrait.body, headers=_NO_STORE, media_type=MEDIA_TYPE)


@router.delete(PHOTO_PATH, status_code=204, summary="Take the waiting photo back")
def take_photo_back(bearer: BearerDep, wallet: WalletDep) -> None:
    """The photo that waits is gone; the one that counts stays."""
    with wallet.transaction() as session:
        actor, card = _sender(session, bearer)
        photo_life.take_back(session, card.pic, card.student_id, now=wallet.clock(), actor=actor)


def _approved(wallet: Wallet, bearer: str) -> photos.Stored:
    """The photo that counts.

    Raises:
        PhotoNotFound: None does.
    """
    with wallet.reading() as session:
        device = find_device(session, bearer)
        found = photos.of_card(session, device.escn, PhotoState.APPROVED)
    if found is None:
        raise PhotoNotFound("no photo counts")
    return found


async def _may_send(wallet: Wallet, bearer: str) -> CardOnDevice:
    """The card of a phone that may send a photo now.

    Raises:
        DeviceNotKnown: The student was erased.
        CardNotActive: The card is over.
        PhotosNotTaken: The institution takes no photos from students.
    """
    found = await card_of(wallet, bearer)
    if found.is_erased:
        raise DeviceNotKnown("no such device")
    if state_on(found, today_of(wallet.clock())) in (CardState.REVOKED, CardState.EXPIRED):
        raise CardNotActive("the card is over")
    if not found.takes_student_photos:
        raise PhotosNotTaken("the institution does not take photos from its students")
    return found


async def _drawn(request: Request, wallet: Wallet, found: CardOnDevice) -> Portrait:
    darkroom: Darkroom = request.app.state.darkroom
    senders: Senders = request.app.state.senders
    darkroom.check_room()
    senders.count(found.device_id, now=seconds_of(wallet.clock()))
    form = await take_form(request)
    try:
        return await darkroom.draw(await picture_of(form), crop_of(form))
    finally:
        await form.close()


def _store(wallet: Wallet, bearer: str, portrait: Portrait) -> str:
    with wallet.transaction() as session:
        actor, card = _sender(session, bearer)
        row = photo_life.send_photo(
            session, card.pic, card.student_id, portrait, now=wallet.clock(), actor=actor
        )
        return row.state


def _sender(session: Session, bearer: str) -> tuple[str, Card]:
    """Who sends, for the audit, and the card.

    The card is not held: the student is, and whoever erases one holds the student first.

    Raises:
        CardNotFound: It is gone.
    """
    device = find_device(session, bearer)
    card = cards.by_escn(session, device.escn[-PIC_CHARS:], device.escn)
    if card is None:
        raise CardNotFound("no such card at this institution")
    return f"device:{device.id}", card
