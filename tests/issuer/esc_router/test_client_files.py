"""Pictures, files of cards, codes and removal, between the client and the sandbox."""

import base64
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from issuer.card_qr import QrColours, QrOrientation, QrSize, draw_svg
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import (
    RouterAccessDenied,
    RouterKeyRefused,
    RouterRefused,
    RouterUnavailable,
)
from issuer.esc_router.views import CsvOperation, PersonOutcome
from tests.issuer.esc_router.test_client import ESCN, ESI, PORTO, RIGA, card, person
from tests.issuer.esc_router.wire import picture
from verifier.identifiers import parse_escn


def sized(image: bytes | None) -> tuple[int, int]:
    assert image is not None
    return Image.open(BytesIO(image)).size


def test_a_picture_of_nobody_is_not_kept(riga: EscRouterClient) -> None:
    with pytest.raises(RouterRefused):
        riga.store_picture(ESI, RIGA, picture())
    assert riga.read_picture(ESI, RIGA) is None


def test_a_picture_of_another_institution_is_out_of_reach(
    riga: EscRouterClient, porto: EscRouterClient
) -> None:
    riga.create_person(person())
    riga.store_picture(ESI, RIGA, picture())
    with pytest.raises(RouterAccessDenied):
        porto.read_picture(ESI, RIGA)
    with pytest.raises(RouterAccessDenied):
        porto.delete_picture(ESI, RIGA)
    assert sized(riga.read_picture(ESI, RIGA)) == (200, 300)


def test_a_picture_is_kept_replaced_and_removed(riga: EscRouterClient) -> None:
    riga.create_person(person())
    riga.store_picture(ESI, RIGA, picture())
    assert riga.read_picture(ESI, RIGA) == picture()
    riga.store_picture(ESI, RIGA, picture(form="PNG"))
    assert riga.read_picture(ESI, RIGA) == picture(form="PNG")
    found = riga.read_person(ESI)
    assert found is not None
    assert [enrolment.has_picture for enrolment in found.organisations] == [True]
    for _ in range(2):
        riga.delete_picture(ESI, RIGA)
    assert riga.read_picture(ESI, RIGA) is None


def test_a_picture_of_another_size_is_cropped_there(riga: EscRouterClient) -> None:
    riga.create_person(person())
    riga.store_picture(ESI, RIGA, picture((1000, 800)), resize=True)
    assert sized(riga.read_picture(ESI, RIGA)) == (200, 300)


def test_a_lost_answer_to_a_picture_is_made_up_for(sandbox: Any, riga: EscRouterClient) -> None:
    riga.create_person(person())
    for attempt in (
        lambda: riga.store_picture(ESI, RIGA, picture()),
        lambda: riga.delete_picture(ESI, RIGA),
    ):
        sandbox.fault(path="/picture", effect=True, cut=True)
        with pytest.raises(RouterUnavailable):
            attempt()
        attempt()
    assert riga.read_picture(ESI, RIGA) is None


def test_the_columns_of_a_file_are_read(riga: EscRouterClient) -> None:
    columns = riga.read_csv_columns()
    assert {"cardNumber", "personIdentifier", "expiresAt"} <= columns.keys()
    assert sorted(columns.values()) == list(range(len(columns)))


def test_a_files_faults_are_found_and_nothing_is_written(riga: EscRouterClient) -> None:
    riga.create_person(person())
    columns = riga.read_csv_columns()
    names = sorted(columns, key=columns.__getitem__)
    faulty = ",".join(names) + "\n" + "x," * (len(names) - 1) + "x\n"
    faults = riga.validate_csv(faulty.encode(), CsvOperation.CREATE)
    assert faults
    assert all(fault.row_number is not None and fault.error_message for fault in faults)
    assert riga.list_cards().content == ()


def test_files_need_a_key(sandbox: Any, http: httpx.Client) -> None:
    with pytest.raises(RouterKeyRefused):
        EscRouterClient(sandbox.url, None, http).read_csv_columns()
    with pytest.raises(RouterKeyRefused):
        EscRouterClient(sandbox.url, "nobodys", http).validate_csv(b"x", CsvOperation.CREATE)


def test_the_code_of_no_card_is_not_drawn(sandbox: Any, http: httpx.Client) -> None:
    anyone = EscRouterClient(sandbox.url, None, http)
    with pytest.raises(RouterRefused):
        anyone.draw_qr(ESCN)


@pytest.mark.parametrize("size", QrSize)
@pytest.mark.parametrize("orientation", QrOrientation)
@pytest.mark.parametrize("colours", QrColours)
def test_anyone_has_a_cards_code_drawn(
    sandbox: Any,
    riga: EscRouterClient,
    http: httpx.Client,
    size: QrSize,
    orientation: QrOrientation,
    colours: QrColours,
) -> None:
    riga.create_person(person())
    riga.create_card(card())
    anyone = EscRouterClient(sandbox.url, None, http)
    drawn = anyone.draw_qr(ESCN, size=size, orientation=orientation, colours=colours)
    text = anyone.draw_qr_as_text(ESCN, size=size, orientation=orientation, colours=colours)
    assert base64.b64decode(text).decode() == drawn
    ours = draw_svg(parse_escn(ESCN), size=size, orientation=orientation, colours=colours)
    assert drawn == ours


def test_a_person_is_removed_by_the_last_institution_that_has_them(
    riga: EscRouterClient, porto: EscRouterClient
) -> None:
    assert riga.remove_person(ESI, RIGA) is PersonOutcome.WAS_NOT_THERE
    riga.create_person(person())
    assert porto.remove_person(ESI, PORTO) is PersonOutcome.WAS_NOT_THERE
    porto.create_person(person(pic=PORTO))
    assert riga.remove_person(ESI, RIGA) is PersonOutcome.KEPT_FOR_OTHERS
    assert riga.read_person(ESI) is None
    assert porto.read_person(ESI) is not None
    assert porto.remove_person(ESI, PORTO) is PersonOutcome.REMOVED
    assert porto.remove_person(ESI, PORTO) is PersonOutcome.WAS_NOT_THERE
