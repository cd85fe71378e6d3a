"""Queries, on both databases: what is found, what is not, and who is first."""

import threading
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.errors import DuplicateStudent
from issuer.store import (
    audit,
    bulk,
    cards,
    deliveries,
    devices,
    institutions,
    publications,
    students,
    wallet_sessions,
)
from issuer.store.deliveries import Subject
from issuer.store.paging import Paging
from issuer.store.wallet_sessions import CodeUse
from issuer.tables import (
    AccessToken,
    AuditEntry,
    Card,
    Delivery,
    Device,
    Nonce,
    Offer,
    Processor,
    Student,
)

PIC, OTHER_PIC, NOW = "999900001", "999900002", 1_795_435_200


def offer_row(card: Card, code: bytes = b"code", attempts: int = 5) -> Offer:
    return Offer(
        escn=card.escn,
        reference_sha256=b"ref" + code,
        sealed_offer=b"sealed",
        code_sha256=code,
        tx_code_hash=b"right",
        attempts_left=attempts,
        created_at=NOW,
        expires_at=NOW + 900,
    )


def card_row(student: Student, number: int) -> Card:
    return Card(
        escn=f"{number:08x}-6423-103e-add8-001{PIC}",
        student_id=student.id,
        pic=PIC,
        state="active",
        issued_on=date(2026, 9, 1),
        expires_on=date(2028, 8, 31),
        created_at=NOW,
        updated_at=NOW,
    )


def at_once(engine: Engine, count: int, work: Callable[[Session], None]) -> None:
    def run() -> None:
        with Session(engine) as session, session.begin():
            work(session)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_page_beyond_100_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="100"):
        Paging(size=101)


def test_a_second_student_with_the_same_esi_is_refused_and_the_first_remains(
    session: Session, student: Student
) -> None:
    double = Student(**student.model_dump(exclude={"id"}))

    with pytest.raises(DuplicateStudent):
        students.add(session, double)
    assert students.by_esi(session, PIC, student.esi_normal) == student


def test_nothing_of_another_institution_is_found(session: Session, card: Card) -> None:
    esi = session.exec(select(Student.esi_normal)).one()

    assert cards.by_escn(session, OTHER_PIC, card.escn) is None
    assert cards.with_student(session, OTHER_PIC, card.escn) is None
    assert cards.search(session, OTHER_PIC).total == 0
    assert students.by_esi(session, OTHER_PIC, esi) is None
    assert students.search(session, OTHER_PIC).total == 0


@pytest.mark.parametrize(
    "text", ["berzina", "BĒRZ", "esi:daugava", "S1@DAUGAVA", "-6423-103E-", ""]
)
def test_a_card_is_found_by_any_part(session: Session, card: Card, text: str) -> None:
    assert [found.escn for found, _ in cards.search(session, PIC, text=text).items] == [card.escn]
    assert students.search(session, PIC, text=text).total == 1


@pytest.mark.parametrize("text", ["%", "_", "\\", "kalnina", "1%"])
def test_special_characters_are_searched_as_themselves(
    session: Session, card: Card, text: str
) -> None:
    assert card.pic == PIC
    assert cards.search(session, PIC, text=text).total == 0


def test_pages_follow_one_another(session: Session, five_cards: list[Card]) -> None:
    pages = [cards.search(session, PIC, paging=Paging(page, 2)) for page in range(4)]

    assert [len(page.items) for page in pages] == [2, 2, 1, 0]
    assert {page.total for page in pages} == {5}
    assert len({card.escn for page in pages for card, _ in page.items}) == len(five_cards)


def test_only_cards_of_a_state_are_listed_and_counted(
    session: Session, five_cards: list[Card]
) -> None:
    five_cards[0].state = "revoked"
    session.commit()

    assert cards.search(session, PIC, state="revoked").total == 1
    assert cards.count_by_state(session, PIC) == {"active": 4, "revoked": 1}


def test_a_wanted_delivery_is_not_doubled_while_it_waits(session: Session, card: Card) -> None:
    for now in (NOW, NOW + 5):
        deliveries.want(session, pic=PIC, student_id=card.student_id, escn=card.escn, now=now)

    assert [d.next_attempt_at for d in session.exec(select(Delivery))] == [NOW + 5]


def test_a_delivery_under_way_does_not_cover_a_later_change(session: Session, card: Card) -> None:
    subject = Subject(PIC, card.student_id, card.escn)
    deliveries.want_all(session, [subject], now=NOW)
    session.exec(select(Delivery)).one().leased_until = NOW + 60
    session.flush()

    deliveries.want_all(session, [subject], now=NOW)

    assert len(session.exec(select(Delivery)).all()) == 2


def test_persons_are_wanted_before_their_cards(session: Session, card: Card) -> None:
    person = Subject(PIC, card.student_id)
    deliveries.want_all(session, [Subject(PIC, card.student_id, card.escn), person], now=NOW)
    deliveries.want_all(session, [person], now=NOW)

    statement = select(Delivery.escn).order_by("id")
    assert list(session.exec(statement)) == [None, card.escn]
    assert deliveries.search(session, PIC, state="waiting").total == 2
    assert deliveries.search(session, OTHER_PIC).total == 0


def test_a_code_is_taken_by_exactly_one_of_many(
    engine: Engine, session: Session, card: Card
) -> None:
    wallet_sessions.add_offer(session, offer_row(card))
    session.commit()
    uses: list[CodeUse] = []

    def take(own: Session) -> None:
        use, _ = wallet_sessions.take_offer_code(
            own, pic=PIC, code_sha256=b"code", tx_code_hash=b"right", now=NOW
        )
        uses.append(use)

    at_once(engine, 8, take)

    assert uses.count(CodeUse.TAKEN) == 1
    assert uses.count(CodeUse.DEAD) == 7


def test_many_guesses_at_once_get_no_more_attempts_than_there_are(
    engine: Engine, session: Session, card: Card
) -> None:
    wallet_sessions.add_offer(session, offer_row(card))
    session.commit()
    uses: list[CodeUse] = []

    def guess(own: Session) -> None:
        use, _ = wallet_sessions.take_offer_code(
            own, pic=PIC, code_sha256=b"code", tx_code_hash=b"wrong", now=NOW
        )
        uses.append(use)

    at_once(engine, 12, guess)

    assert uses.count(CodeUse.WRONG_TX_CODE) == 5
    use, offer = wallet_sessions.take_offer_code(
        session, pic=PIC, code_sha256=b"code", tx_code_hash=b"right", now=NOW
    )
    assert (use, offer) == (CodeUse.DEAD, None)


@pytest.mark.parametrize(("pic", "now"), [(OTHER_PIC, NOW), (PIC, NOW + 900)])
def test_a_code_of_another_institution_or_time_is_dead(
    session: Session, card: Card, pic: str, now: int
) -> None:
    wallet_sessions.add_offer(session, offer_row(card))

    use, _ = wallet_sessions.take_offer_code(
        session, pic=pic, code_sha256=b"code", tx_code_hash=b"right", now=now
    )

    assert use is CodeUse.DEAD
    assert wallet_sessions.offer_by_reference(session, pic, b"refcode", now=now) is None


def test_offers_of_a_card_can_be_ended(session: Session, card: Card) -> None:
    wallet_sessions.add_offer(session, offer_row(card))
    assert wallet_sessions.offer_by_reference(session, PIC, b"refcode", now=NOW) is not None

    wallet_sessions.end_offers_of_card(session, card.escn, now=NOW)

    assert wallet_sessions.offer_by_reference(session, PIC, b"refcode", now=NOW) is None


def test_a_nonce_is_burnt_by_exactly_one_of_many(engine: Engine, session: Session) -> None:
    wallet_sessions.add_nonce(session, pic=PIC, nonce_sha256=b"nonce", expires_at=NOW + 300)
    session.commit()
    burnt: list[set[bytes]] = []

    def burn(own: Session) -> None:
        nonces = {b"nonce", b"unknown"}
        burnt.append(wallet_sessions.burn_nonces(own, pic=PIC, nonces_sha256=nonces, now=NOW))

    at_once(engine, 8, burn)

    assert sorted(burnt, key=len) == [set()] * 7 + [{b"nonce"}]


@pytest.mark.parametrize(("pic", "now"), [(OTHER_PIC, NOW), (PIC, NOW + 300)])
def test_a_nonce_of_another_institution_or_time_does_not_burn(
    session: Session, pic: str, now: int
) -> None:
    wallet_sessions.add_nonce(session, pic=PIC, nonce_sha256=b"nonce", expires_at=NOW + 300)

    assert not wallet_sessions.burn_nonces(session, pic=pic, nonces_sha256={b"nonce"}, now=now)


def test_an_access_token_is_spent_as_often_as_it_says(
    engine: Engine, session: Session, card: Card
) -> None:
    offer = wallet_sessions.add_offer(session, offer_row(card))
    token = AccessToken(
        token_sha256=b"token",
        escn=card.escn,
        offer_id=offer.id,
        credentials_left=3,
        expires_at=NOW + 300,
    )
    wallet_sessions.add_access_token(session, token)
    for pic, now in ((OTHER_PIC, NOW), (PIC, NOW + 300)):
        assert wallet_sessions.spend_access_tokens(session, pic, {b"token": 1}, now=now) == {}
    assert wallet_sessions.spend_access_tokens(session, PIC, {b"token": 4}, now=NOW) == {}
    session.commit()
    spent: list[bool] = []

    def spend(own: Session) -> None:
        counts = {b"token": 1, b"unknown": 2}
        found = wallet_sessions.spend_access_tokens(own, PIC, counts, now=NOW)
        spent.append(found.keys() == {b"token"})

    at_once(engine, 8, spend)

    assert spent.count(True) == 3


def test_expired_sessions_are_purged_and_living_ones_stay(session: Session, card: Card) -> None:
    old = wallet_sessions.add_offer(session, offer_row(card, b"old"))
    living = wallet_sessions.add_offer(session, offer_row(card, b"living"))
    living_token = AccessToken(
        token_sha256=b"t",
        escn=card.escn,
        offer_id=living.id,
        credentials_left=1,
        expires_at=NOW + 9000,
    )
    wallet_sessions.add_access_token(session, living_token)
    wallet_sessions.add_nonce(session, pic=PIC, nonce_sha256=b"n", expires_at=NOW)
    old.expires_at = living.expires_at = NOW
    session.flush()

    wallet_sessions.purge_expired(session, now=NOW + 3601, keep=3600)

    assert session.exec(select(Nonce)).all() == []
    assert session.exec(select(Offer.code_sha256)).all() == [b"living"]


def test_an_ended_device_is_not_found_any_more(session: Session, card: Card) -> None:
    row = Device(escn=card.escn, token_sha256=b"d", renew_at=NOW + 9, created_at=NOW)
    device = devices.add(session, row)
    assert device.id is not None
    devices.renew_now(session, [card.escn], now=NOW)
    session.refresh(device)
    assert (device.renew_at, device.version) == (NOW, 2)

    devices.end(session, device.id, reason="by_phone", now=NOW)

    assert devices.living_of_card(session, card.escn) == []


def publish(session: Session, path: str, body: bytes = b"{}") -> None:
    publications.put(
        session,
        path=path,
        media_type="application/json",
        body=body,
        etag='"1"',
        max_age=60,
        now=NOW,
    )


def test_a_reader_of_publications_misses_none_while_many_publish(
    engine: Engine, session: Session
) -> None:
    numbers = iter(range(100))
    lock = threading.Lock()

    def work(own: Session) -> None:
        with lock:
            number = next(numbers)
        publish(own, f"/{number}")

    at_once(engine, 6, work)

    assert [p.sequence for p in publications.newer_than(session, 0)] == [1, 2, 3, 4, 5, 6]


def test_a_document_published_again_is_newer(session: Session) -> None:
    for body in (b"1", b"2"):
        publish(session, "/trust-list", body)
    session.commit()

    found = publications.newer_than(session, 1)

    assert [(p.sequence, p.body) for p in found] == [(2, b"2")]
    assert publications.newer_than(session, 2) == []


def test_a_change_in_the_second_of_publishing_leaves_the_trust_list_behind(
    session: Session,
) -> None:
    assert publications.take_trust_list_sequence(session, now=NOW) == 1
    publications.touch_trust_list(session, now=NOW)

    state = publications.trust_list_state(session, now=NOW)

    assert state.changed_at > state.published_at
    assert publications.take_trust_list_sequence(session, now=NOW) == 2


def test_audit_entries_are_found_by_card_and_institution(session: Session) -> None:
    for subject in ("a", "b"):
        audit.add(session, now=NOW, pic=PIC, actor="cli", action="card.revoke", subject=subject)
    row = {"at": NOW, "pic": PIC, "actor": "cli", "action": "x", "subject": None, "detail": None}
    audit.add_all(session, [row])

    assert audit.search(session, PIC).items[0].action == "x"
    assert audit.search(session, PIC, subject="a").total == 1
    assert audit.search(session, OTHER_PIC).total == 0
    assert len(session.exec(select(AuditEntry)).all()) == 3


def test_a_router_key_is_stored_and_its_refusal_ends_with_a_new_one(session: Session) -> None:
    institutions.store_router_key(session, PIC, b"old")
    assert institutions.mark_router_key_refused(session, PIC, sealed_key=b"old", now=NOW)
    assert not institutions.mark_router_key_refused(session, PIC, sealed_key=b"old", now=NOW + 5)
    found = institutions.by_pic(session, PIC)
    assert found is not None
    session.refresh(found)
    assert found.router_key_refused_at == NOW

    institutions.store_router_key(session, PIC, b"sealed")

    session.refresh(found)
    assert (found.sealed_router_key, found.router_key_refused_at) == (b"sealed", None)


def test_processors_and_institutions_are_listed(session: Session) -> None:
    for vat in ("LV2", "LV1"):
        institutions.add_processor(session, Processor(vat=vat, name="Service centre"))

    assert [processor.vat for processor in institutions.processors(session)] == ["LV1", "LV2"]
    assert institutions.processor_by_vat(session, "LV1") is not None
    assert institutions.processor_by_vat(session, "LV3") is None
    assert [found.pic for found in institutions.every(session)] == [PIC, OTHER_PIC]


def test_deliveries_and_devices_are_found_by_their_own_institution_and_id(
    session: Session, card: Card
) -> None:
    deliveries.want(session, pic=PIC, student_id=card.student_id, escn=None, now=NOW)
    delivery = session.exec(select(Delivery)).one()
    device = devices.add(
        session, Device(escn=card.escn, token_sha256=b"d", renew_at=NOW, created_at=NOW)
    )
    assert delivery.id is not None
    assert device.id is not None

    assert deliveries.by_id(session, PIC, delivery.id) == delivery
    assert deliveries.by_id(session, OTHER_PIC, delivery.id) is None
    assert devices.living_among(session, {device.id, 999}) == {device.id}


def test_cards_of_a_student_are_listed_the_newest_last(session: Session, student: Student) -> None:
    for number in (2, 1):
        row = card_row(student, number)
        row.created_at = NOW + number
        cards.add(session, row)

    assert student.id is not None
    assert [card.created_at - NOW for card in cards.of_student(session, student.id)] == [1, 2]


def test_numbers_reserved_for_rows_are_not_taken_by_others(
    session: Session, student: Student
) -> None:
    table = Student.__table__  # type: ignore[attr-defined]
    ids = bulk.reserve_ids(session, table, 3)
    bulk.insert_rows(session, table, [])

    assert len(set(ids) - {student.id}) == 3
    assert list(ids) == sorted(ids)
