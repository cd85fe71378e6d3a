"""Phones, the letter's page, staff and an erasure at the same moment: nobody waits in a circle."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlmodel import Session, select

from issuer import consent, photo_life
from issuer.credential_life import EndReason
from issuer.device_life import end_device_of_card
from issuer.erasure import request_erasure
from issuer.errors import IssuerError
from issuer.letters import make_letter
from issuer.lifecycle import reinstate_card, suspend_card
from issuer.photos import draw_portrait
from issuer.store import notices
from issuer.tables import Device, Letter, Photo, PushSubscription, Student
from tests.issuer.photos.pictures import encoded, quarters
from tests.wallet_api.conftest import CARD, PIC, QR, Service
from tests.wallet_api.test_self_service import Browser, letter_for

PHONES = 3
PICTURES = [encoded(quarters(200, 300 + number)) for number in range(6)]
STAFF = {"actor": "staff:1"}


def test_whatever_happens_at_the_moment_of_an_erasure_all_are_answered_and_nothing_stays(
    service: Service,
) -> None:
    service.allow(PHONES)
    tokens = [service.take(CARD, QR).device_token for _ in range(PHONES)]
    with Session(service.engine) as session, session.begin():
        told = consent.Registered.CONSENTED_ALREADY
        consent.ask_for_consent(session, PIC, registered=told, now=service.clock(), actor="cli")
        photo_life.take_student_photos(session, PIC, taken=True, now=service.clock(), actor="cli")
        for device in session.exec(select(Device)).all():
            notices.subscribe(session, device.id or 0, b"sealed", now=service.now)
    browser = Browser(service)
    assert browser.enter(letter_for(service)).status_code == 200

    tasks = [*_of_phones(service, tokens), *_of_staff(service), lambda: browser.go().status_code]
    random.Random(7).shuffle(tasks)
    tasks.insert(len(tasks) // 2, lambda: _staff(service, request_erasure, PIC, 1))
    with ThreadPoolExecutor(12) as threads:
        answers = [one.result() for one in [threads.submit(task) for task in tasks]]

    assert not [status for status in answers if status >= 500]
    with Session(service.engine) as session:
        assert session.get_one(Student, 1).full_name == ""
        for emptied in (Photo, Letter, PushSubscription):
            assert session.exec(select(emptied)).all() == []
        devices = session.exec(select(Device)).all()
        assert len(devices) == PHONES
        assert all(device.ended_at is not None and device.name is None for device in devices)


def _of_phones(service: Service, tokens: list[str]) -> list[Callable[[], int]]:
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/device/card", {}),
        ("GET", "/device/devices", {}),
        ("PUT", "/device", {"json": {"name": "Anna's phone"}}),
        ("PUT", "/device/consent", {}),
        ("DELETE", "/device/consent", {}),
        ("DELETE", "/device/photo", {}),
        ("GET", "/device/photo", {}),
        *(("POST", "/device/photo", {"files": {"file": picture}}) for picture in PICTURES),
    ]

    def call(token: str, method: str, path: str, more: dict[str, Any]) -> int:
        headers = {"authorization": f"Bearer {token}"}
        url = service.url + path
        return service.http.request(method, url, headers=headers, **more).status_code

    return [
        *(lambda token=token, one=one: call(token, *one) for token in tokens for one in asked),
        *(
            lambda token=token: service.renew(token, service.proof()).status_code
            for token in tokens
        ),
        lambda: call(tokens[0], "DELETE", "/device", {}),
    ]


def _of_staff(service: Service) -> list[Callable[[], int]]:
    portraits = [draw_portrait(picture) for picture in PICTURES[:3]]
    sealer = service.app.state.wallet.sealer

    def approve(session: Session, **more: Any) -> None:
        for photo in session.exec(select(Photo).where(Photo.state == "waiting")).all():
            photo_life.approve_photo(session, PIC, photo.id or 0, **more)

    changes: list[tuple[Any, ...]] = [
        *((photo_life.set_photo, PIC, 1, portrait) for portrait in portraits),
        *((approve,) for _ in range(4)),
        (photo_life.remove_photo, PIC, 1),
        (consent.give_consent, PIC, 1),
        (consent.withdraw_consent, PIC, 1),
    ]

    def write_letter() -> int:
        return _staff(service, make_letter, PIC, 1, address="", sealer=sealer)

    def suspend_and_reinstate() -> int:
        _staff(service, suspend_card, PIC, service.escn, reason="a fee")
        return _staff(service, reinstate_card, PIC, service.escn)

    def end_phone() -> int:
        named = (PIC, service.escn, PHONES)
        return _staff(service, end_device_of_card, *named, reason=EndReason.BY_STAFF)

    return [
        *(lambda one=one: _staff(service, *one) for one in changes),
        *([write_letter] * 3),
        *([suspend_and_reinstate] * 3),
        end_phone,
    ]


def _staff(service: Service, change: Callable[..., object], *what: Any, **more: Any) -> int:
    """A change by staff in a transaction of its own: 200, or 409 where it is refused."""
    try:
        with Session(service.engine) as session, session.begin():
            change(session, *what, now=service.clock(), **STAFF, **more)
    except IssuerError:
        return 409
    return 200
