"""Steps d and e: a phone takes one card and shows it."""

import base64
from dataclasses import dataclass
from pathlib import Path

import httpx
import qrcode
import zxingcpp
from PIL import Image

from wallet_api.demo.dressing import dress_cards
from wallet_api.demo.place import Place
from wallet_api.demo.setting_up import Deployment
from wallet_api.demo.telling import StepFailed, Story

PHONE = "phone.wallet"
CARD_NOT_ACTIVE = 4  # exit code of the phone


@dataclass(frozen=True, slots=True)
class Phone:
    """The student's phone and the card on it."""

    pic: str
    escn: str
    live_code: str
    printed_code: str


def take_card(story: Story, place: Place, deployment: Deployment) -> tuple[str, str]:
    """Step d: an offer from staff, the transaction code by another way, OpenID4VCI.

    Returns:
        The institution's PIC and the card's number.
    """
    story.step("d", "A student's phone takes the card")
    pic = deployment.institutions[0]["pic"]
    with deployment.staff(place, pic) as staff:
        found = staff.get("/api/v1/cards", params={"state": "active", "size": 1}).json()
        escn, esi = str(found["items"][0]["escn"]), str(found["items"][0]["esi"])
        headers = staff.headers
    dress_cards(story, place, pic, esi)
    answer = httpx.post(
        f"{place.wallet_url}/api/v1/cards/{escn}/offers",
        headers=headers,
        timeout=30,
        trust_env=False,
    )
    offer = answer.raise_for_status().json()
    picture = place.pictures / "offer.png"
    _draw(offer["credential_offer_uri"], picture)
    story.say("  The student gets a QR code and a link from the portal, and six digits by letter:")
    story.show(f"{picture}\n{offer['credential_offer_uri']}")
    link = _read_back(picture)
    words = [*_phone(place), "take", link, "--tx-code", offer["tx_code"]]
    story.show(story.run("mobile_stub", *words))
    story.show(story.run("mobile_stub", *_phone(place), "list"))
    photo = story.run("mobile_stub", *_phone(place), "photo")
    story.show(photo)
    story.expect("photo on the phone", expected="yes", found=_yes("is on this phone" in photo))
    credential = story.run("mobile_stub", *_phone(place), "credential").strip()
    story.expect("SD-JWT VC on the phone", expected="yes", found=_yes("~" in credential))
    return pic, escn


def show_card(story: Story, place: Place, pic: str, escn: str) -> Phone:
    """Step e: E2 and E1 as pictures, read back by an independent decoder."""
    story.step("e", "The phone shows the card: live (E2) and as printed (E1)")
    live, printed = place.pictures / "live-E2.png", place.pictures / "printed-E1.png"
    drawn = story.run("mobile_stub", *_phone(place), "show", "--png", str(live))
    story.show(drawn)
    words = [*_phone(place), "show", "--print", "--png", str(printed)]
    story.show(story.run("mobile_stub", *words))
    codes = _read_back(live), _read_back(printed)
    for name, path, code in (("E2", live, codes[0]), ("E1", printed, codes[1])):
        kind = code.partition("#")[2][:2]
        story.expect(f"{path.name}, read back by zxing-cpp", expected=name, found=kind)
    return Phone(pic, escn, codes[0], codes[1])


def shown_at(live_code: str) -> int:
    """The time inside of a live code, read as its document says (docs/esc-qr.md, section 3.1).

    Raises:
        StepFailed: There is no such time.
    """
    text = live_code.partition("#E2")[2]
    data = base64.b32decode(text + "=" * (-len(text) % 8))
    # The time is the array's second item: 0x1A and four bytes, before the 66 of the signature.
    if data[-71] != 0x1A:
        raise StepFailed("the live code has no time where its document says")
    return int.from_bytes(data[-70:-66])


def refresh_phone(story: Story, place: Place) -> str:
    """What the phone says after asking its institution."""
    output = story.run("mobile_stub", *_phone(place), "refresh")
    story.show(output)
    return output


def show_nothing(story: Story, place: Place) -> None:
    """The phone shows no code of a card that is not active; it ends with its own exit code."""
    shown = story.run("mobile_stub", *_phone(place), "show", expected_code=CARD_NOT_ACTIVE)
    story.expect("codes that the phone still shows", expected="none", found=shown or "none")


def live_code_of(story: Story, place: Place) -> str:
    """A new live code, as text."""
    words = [*_phone(place), "show", "--text"]
    return story.run("mobile_stub", *words, told=False).strip()


def _draw(text: str, path: Path) -> None:
    qrcode.make(text).save(path)


def _read_back(path: Path) -> str:
    with Image.open(path) as image:
        found = zxingcpp.read_barcodes(image.convert("L"))
    if len(found) != 1:
        raise StepFailed(f"{path} holds {len(found)} codes")
    return found[0].text


def _phone(place: Place) -> list[str]:
    return ["--lang", "en", "--wallet", str(place.folder / PHONE)]


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
