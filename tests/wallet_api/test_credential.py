"""The credential endpoint: what is refused by which code, and what is given out."""

from tests.wallet_api.conftest import CARD, QR, STUDENT_ID, Service


def test_a_phone_takes_all_three_kinds_on_one_access_token(service: Service) -> None:
    taken = service.take(CARD, STUDENT_ID, QR)

    assert taken.credentials[CARD].count("~") > 5
    assert taken.credentials[STUDENT_ID].endswith("~")
    assert set(taken.credentials[QR]) == {"status", "identity"}
