"""Codes as the phone shows them, read back by an independent decoder and checked by hand."""

import base64
import hashlib
import io
from datetime import datetime, timedelta
from pathlib import Path

import cbor2
import pytest
import zxingcpp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from PIL import Image

from mobile_stub.drawing import Medium, draw_png, draw_terminal
from tests.conftest import SettableClock
from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.issuer_simulator import ESCN, IssuerSimulator

HALF_ORDER = 0x7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_no_code_of_a_card_that_is_not_active_is_shown(
    phone: PhoneUser, card: IssuerSimulator, state: str
) -> None:
    card.change_state(state, "studies interrupted")
    assert phone("refresh").code == 0
    run = phone("show")
    assert (run.code, run.out) == (4, "")
    assert run.err == f"The card is {state}; no code is shown. Reason: studies interrupted\n"


def test_no_code_of_a_card_past_its_last_day_is_shown(
    phone: PhoneUser, card: IssuerSimulator, clock: SettableClock
) -> None:
    card.lifetime = timedelta(days=400)
    card.needs_renewal, card.version = True, 2
    assert phone("refresh").code == 0
    clock.advance(timedelta(days=282))  # 1 September 2027
    assert phone("show").err == "The card has expired; no code is shown.\n"


def test_a_code_that_has_ended_is_not_shown(
    phone: PhoneUser, card: IssuerSimulator, clock: SettableClock
) -> None:
    clock.advance(card.lifetime)
    run = phone("show", "--text")
    assert (run.code, run.out) == (4, "")
    assert "ended at 2026-12-23 12:00 UTC" in run.err


def test_a_card_that_is_not_taken_to_its_end_shows_nothing(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "cut")
    phone("take", issuer.publish(issuer.offer()), "--tx-code", "493536")
    run = phone("show")
    assert run.code == 1
    assert "not taken to its end" in run.err


def test_a_profile_that_the_card_lacks_is_named(phone: PhoneUser, issuer: IssuerSimulator) -> None:
    ids = ["EuropeanStudentCard"]
    phone("take", issuer.publish(issuer.offer(ids=ids)), "--tx-code", "493536")
    run = phone("show", "--profile", "identity")
    assert (run.code, run.err) == (1, "This card has no QR code of the profile identity.\n")


@pytest.mark.parametrize("other", ["--static", "--print", "--text"])
@pytest.mark.usefixtures("card")
def test_watching_is_for_live_codes(phone: PhoneUser, other: str) -> None:
    assert phone("show", "--watch", other).code == 2


@pytest.mark.usefixtures("card")
def test_a_challenge_over_64_bytes_is_refused(phone: PhoneUser) -> None:
    assert phone("show", "--challenge", "ē" * 33).code == 2


@pytest.mark.usefixtures("card")
def test_a_terminal_too_narrow_for_the_code_is_told_instead_of_a_torn_code(
    phone: PhoneUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    run = phone("show", terminal=True)
    assert "too narrow" in run.out
    assert "▀" not in run.out


@pytest.mark.usefixtures("card")
def test_a_live_code_is_signed_by_the_phone_for_this_second(
    phone: PhoneUser, clock: SettableClock
) -> None:
    static = phone("show", "--static", "--text").out.strip()
    live = phone("show", "--text").out.strip()
    e1, time = _check_live_code(live)
    assert static == f"https://esc.gg/{ESCN}#E1{base64.b32encode(e1).decode().rstrip('=')}"
    assert time == int(clock().timestamp())
    with pytest.raises(InvalidSignature):
        _check_live_code(live, challenge=b"1234")


@pytest.mark.usefixtures("card")
def test_a_challenge_is_signed_too(phone: PhoneUser) -> None:
    _check_live_code(phone("show", "--text", "--challenge", "1234").out.strip(), b"1234")


def _check_live_code(text: str, challenge: bytes = b"") -> tuple[bytes, int]:
    """Check an E2 as docs/esc-qr.md says, with nothing but a CBOR reader and ECDSA."""
    prefix = f"https://esc.gg/{ESCN}#E2"
    assert text.startswith(prefix)
    encoded = text.removeprefix(prefix)
    e2 = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    e1, time, signature = cbor2.loads(e2)
    assert cbor2.dumps([e1, time, signature], canonical=True) == e2
    key = cbor2.loads(cbor2.loads(e1).value[2])[8][1]
    point = bytes([3 if key[-3] else 2]) + key[-2]
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    assert len(signature) == 64
    assert s <= HALF_ORDER
    message = b"ESC-E2\x00" + hashlib.sha256(e1).digest() + time.to_bytes(8, "big")
    message += bytes([len(challenge)]) + challenge
    public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    return e1, time


@pytest.mark.parametrize("profile", ["status", "identity"])
@pytest.mark.parametrize("kind", [(), ("--static",), ("--print",)])
@pytest.mark.usefixtures("card")
def test_an_image_is_read_back_by_an_independent_decoder(
    phone: PhoneUser, tmp_path: Path, profile: str, kind: tuple[str, ...]
) -> None:
    png = tmp_path / "card.png"
    run = phone("show", "--profile", profile, "--png", str(png), *kind)
    assert run.code == 0
    assert f"Image written to {png}" in run.out
    with Image.open(png) as image:
        (found,) = zxingcpp.read_barcodes(image)
    if kind:
        assert found.text == phone("show", "--profile", profile, "--static", "--text").out.strip()
    else:
        _check_live_code(found.text)
    assert found.ec_level == ("M" if kind == ("--print",) else "L")


@pytest.mark.usefixtures("card")
def test_the_status_profile_holds_no_identifier_and_is_the_default(phone: PhoneUser) -> None:
    claims = cbor2.loads(
        cbor2.loads(_check_live_code(phone("show", "--text").out.strip())[0]).value[2]
    )
    assert "e" not in claims
    identity = phone("show", "--profile", "identity", "--text").out.strip()
    assert "e" in cbor2.loads(cbor2.loads(_check_live_code(identity)[0]).value[2])


@pytest.mark.parametrize("medium", list(Medium))
def test_an_image_keeps_the_quiet_zone_and_the_pixels_that_scanners_need(medium: Medium) -> None:
    image = Image.open(io.BytesIO(draw_png("https://esc.gg/x#E1" + "A2" * 150, medium))).convert(
        "L"
    )
    box = Image.eval(image, lambda value: 255 - value).getbbox()
    assert box is not None
    quiet = box[0]
    pixels = quiet // 4
    assert pixels >= 4
    assert box == (quiet, quiet, image.width - quiet, image.height - quiet)
    assert (image.width - 2 * quiet) % pixels == 0


@pytest.mark.parametrize("colours", [True, False])
def test_the_terminal_drawing_is_the_code(colours: bool) -> None:
    text = "https://esc.gg/6c0cd14e-c754-11f0-8001-001999853261#E1" + "AB234567" * 30
    drawing = draw_terminal(text, Medium.SCREEN, colours=colours)
    (found,) = zxingcpp.read_barcodes(_as_image(drawing, colours=colours))
    assert found.text == text


def _as_image(drawing: str, *, colours: bool) -> Image.Image:
    """What eyes see: black on white with colours, light blocks on a dark window without."""
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    lines = [
        line.removeprefix("\x1b[38;5;16;48;5;231m").removesuffix("\x1b[0m")
        for line in drawing.split("\n")
    ]
    rows = [[halves[char][half] for char in line] for line in lines for half in (0, 1)]
    image = Image.new("L", (len(rows[0]), len(rows)))
    drawn, empty = (0, 255) if colours else (255, 0)
    image.putdata([drawn if value else empty for row in rows for value in row])
    return image.resize((image.width * 6, image.height * 6), Image.Resampling.NEAREST)


@pytest.mark.usefixtures("card")
def test_watching_draws_a_new_code_every_15_seconds_until_ctrl_c(
    phone: PhoneUser, clock: SettableClock, tmp_path: Path
) -> None:
    png, texts = tmp_path / "live.png", []

    def wait(seconds: float) -> None:
        assert seconds == 15
        with Image.open(png) as image:
            texts.append(zxingcpp.read_barcodes(image)[0].text)
        if len(texts) == 3:
            raise KeyboardInterrupt
        clock.advance(timedelta(seconds=seconds))

    run = phone("show", "--watch", "--png", str(png), sleep=wait)
    assert run.code == 0
    times = [_check_live_code(text)[1] for text in texts]
    assert [time - times[0] for time in times] == [0, 15, 30]


@pytest.mark.usefixtures("card")
def test_ctrl_c_while_a_code_is_drawn_ends_watching_as_well(
    phone: PhoneUser, clock: SettableClock
) -> None:
    waited: list[float] = []

    def interrupted_after_the_first() -> datetime:
        if waited:
            raise KeyboardInterrupt
        return clock()

    phone.clock = interrupted_after_the_first
    assert phone("show", "--watch", sleep=waited.append).code == 0


@pytest.mark.usefixtures("card")
def test_watching_stops_when_the_code_ends(phone: PhoneUser, clock: SettableClock) -> None:
    run = phone("show", "--watch", sleep=lambda _: clock.advance(timedelta(days=31)))
    assert run.code == 4


@pytest.mark.usefixtures("card")
def test_the_screen_says_whose_card_it_is_and_how_old_the_knowledge(phone: PhoneUser) -> None:
    run = phone("show")
    assert run.out.startswith("University of Example\nAnna Bērziņa · profile status, live code\n")
    assert "Card valid until 2027-08-31 · last updated 2026-11-23 12:00 UTC" in run.out
