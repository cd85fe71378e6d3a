"""The life of a card: what may follow what, and what each change leaves behind."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from issuer import credential_life, lifecycle
from issuer.card_states import CardState
from issuer.credential_life import EndReason
from issuer.errors import CardNotFound, CardStateConflict, ReasonRequired, UnknownPrefix
from issuer.store import (
    audit,
    cards,
    credentials,
    devices,
    keys,
    status,
    status_indices,
    wallet_sessions,
)
from issuer.tables import (
    Card,
    Credential,
    Delivery,
    Device,
    Offer,
    SigningKey,
    Student,
)
from tests.issuer.conftest import order_card
from verifier.identifiers import pic_of, prefix_of

PIC, OTHER_PIC = "999900001", "999900002"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
Change = Callable[[Session, Card], Card]


def suspend(session: Session, card: Card) -> Card:
    return lifecycle.suspend_card(
        session, card.pic, card.escn, reason="lost", now=NOW, actor="cli"
    )


def reinstate(session: Session, card: Card) -> Card:
    return lifecycle.reinstate_card(session, card.pic, card.escn, now=NOW, actor="cli")


def revoke(session: Session, card: Card) -> Card:
    return lifecycle.revoke_card(
        session, card.pic, card.escn, reason="left", now=NOW, actor="staff:7"
    )


def activate(session: Session, card: Card) -> Card:
    return lifecycle.activate_card(session, card.pic, card.escn, now=NOW, actor="cli")


@pytest.fixture
def credential(session: Session, card: Card) -> Credential:
    """A credential of `card` on a phone."""
    device = devices.add(
        session, Device(escn=card.escn, token_sha256=b"d", renew_at=SECONDS, created_at=SECONDS)
    )
    key = SigningKey(
        kid="k", pic=PIC, public_jwk={}, state="active", valid_from=0, valid_until=SECONDS + 9
    )
    keys.add(session, key)
    row, index = status_indices.take_indices(session, PIC, 1, now=SECONDS)[0]
    added = credentials.add(
        session,
        Credential(
            escn=card.escn,
            device_id=device.id,
            configuration="EuropeanStudentCard",
            kid="k",
            holder_thumbprint="t",
            list_id=row.id,
            index=index,
            issued_at=SECONDS,
            expires_at=SECONDS + 86_400,
        ),
    )
    session.commit()
    return added


def marks(session: Session) -> list[int]:
    """The values other than 0 in all status lists."""
    lists = status.lists(session, PIC)
    return [value for row in lists for _, value in status.marked_entries(session, row.id or 0)]


ALLOWED: dict[str, tuple[Change, set[CardState]]] = {
    "activate": (activate, {CardState.ORDERED}),
    "suspend": (suspend, {CardState.ACTIVE}),
    "reinstate": (reinstate, {CardState.SUSPENDED}),
    "revoke": (revoke, {CardState.ORDERED, CardState.ACTIVE, CardState.SUSPENDED}),
}
FORBIDDEN = [
    pytest.param(state, change, id=f"{name} {state}")
    for name, (change, allowed) in ALLOWED.items()
    for state in CardState
    if state not in allowed
]


@pytest.mark.parametrize(("state", "change"), FORBIDDEN)
def test_a_change_that_the_state_does_not_allow_is_refused_and_changes_nothing(
    session: Session, card: Card, state: CardState, change: Change
) -> None:
    card.state = state
    session.commit()

    with pytest.raises(CardStateConflict):
        change(session, card)

    assert (card.state, card.version) == (state, 1)
    assert session.exec(select(Delivery)).all() == []


@pytest.mark.parametrize("change", [suspend, reinstate, revoke, activate])
def test_a_card_of_another_institution_does_not_exist(
    session: Session, card: Card, change: Change
) -> None:
    foreign = Card(**card.model_dump() | {"pic": OTHER_PIC})

    with pytest.raises(CardNotFound):
        change(session, foreign)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "line\nbreak", "\x00"])
def test_without_a_proper_reason_nothing_is_suspended_or_revoked(
    session: Session, card: Card, reason: str
) -> None:
    for change in (lifecycle.suspend_card, lifecycle.revoke_card):
        with pytest.raises(ReasonRequired):
            change(session, PIC, card.escn, reason=reason, now=NOW, actor="cli")


@pytest.mark.parametrize("change", [suspend, revoke])
def test_a_card_past_its_last_day_is_not_changed_by_staff(
    session: Session, card: Card, change: Change
) -> None:
    card.expires_on = date(2026, 11, 22)
    session.commit()

    with pytest.raises(CardStateConflict, match="expired"):
        change(session, card)


def test_suspending_and_reinstating_reach_the_list_the_router_and_the_phone(
    session: Session, card: Card, credential: Credential
) -> None:
    assert credential.ended_at is None

    suspend(session, card)

    assert (card.state, card.reason, card.version) == ("suspended", "lost", 2)
    assert marks(session) == [2]
    assert [d.escn for d in session.exec(select(Delivery))] == [None, card.escn]

    reinstate(session, card)

    assert (card.state, card.reason, card.version) == ("active", None, 3)
    assert marks(session) == []
    assert len(session.exec(select(Delivery)).all()) == 2


def test_revoking_is_final_and_says_why_and_who(
    session: Session, card: Card, credential: Credential
) -> None:
    assert credential.ended_at is None
    suspend(session, card)

    revoke(session, card)

    assert marks(session) == [1]
    entry = audit.search(session, PIC, subject=card.escn).items[0]
    assert (entry.action, entry.actor, entry.detail) == ("card.revoke", "staff:7", "left")
    for change in (suspend, reinstate, revoke, activate):
        with pytest.raises(CardStateConflict):
            change(session, card)


def test_open_offers_end_with_the_card(session: Session, card: Card) -> None:
    offer = Offer(
        escn=card.escn, reference_sha256=b"r", sealed_offer=b"o", code_sha256=b"c",
        tx_code_hash=b"t", attempts_left=5, created_at=SECONDS, expires_at=SECONDS + 900,
    )  # fmt: skip
    wallet_sessions.add_offer(session, offer)

    revoke(session, card)

    assert wallet_sessions.offer_by_reference(session, PIC, b"r", now=SECONDS) is None


def test_a_credential_that_was_replaced_stays_revoked_when_the_card_is_reinstated(
    session: Session, card: Card, credential: Credential
) -> None:
    credential_life.end_credentials(session, [credential], now=NOW)
    suspend(session, card)
    reinstate(session, card)

    assert marks(session) == [1]


def test_a_phone_that_is_forgotten_takes_its_credentials_with_it(
    session: Session, card: Card, credential: Credential
) -> None:
    credential_life.end_device(session, credential.device_id, reason=EndReason.BY_PHONE, now=NOW)

    session.refresh(credential)
    assert credential.ended_at == SECONDS
    assert marks(session) == [1]
    assert devices.living_of_card(session, card.escn) == []


def test_a_card_past_its_last_day_expires_without_a_mark_or_a_delivery(
    session: Session, card: Card, credential: Credential
) -> None:
    assert credential.ended_at is None
    the_last_day = datetime(2028, 8, 31, 23, 59, 59, tzinfo=UTC)
    assert lifecycle.expire_due_cards(session, now=the_last_day) == 0

    assert lifecycle.expire_due_cards(session, now=the_last_day + timedelta(seconds=1)) == 1

    session.refresh(card)
    assert (card.state, card.version) == ("expired", 2)
    assert marks(session) == []
    assert session.exec(select(Delivery)).all() == []


def issue(session: Session, student: Student, first: date, last: date = date(2028, 9, 1)) -> Card:
    return order_card(session, student.id or 0, first=first, last=last, prefix="002")


def test_a_prefix_of_another_is_refused(session: Session, student: Student) -> None:
    with pytest.raises(UnknownPrefix):
        order_card(session, student.id or 0, prefix="003")


@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2026, 9, 1), date(2026, 11, 22)), (date(2027, 9, 1), date(2027, 8, 31))],
)
def test_a_card_that_ends_before_it_begins_is_refused(
    session: Session, student: Student, first: date, last: date
) -> None:
    with pytest.raises(CardStateConflict):
        issue(session, student, first, last)


def test_a_new_card_is_registered_after_its_person(session: Session, student: Student) -> None:
    card = issue(session, student, date(2026, 11, 23))

    assert card.state == CardState.ACTIVE
    escn = card.escn
    assert (pic_of(escn), prefix_of(escn)) == (PIC, "002")  # type: ignore[arg-type]
    wanted = [d.escn for d in session.exec(select(Delivery).order_by("id"))]
    assert wanted == [None, escn]


def test_an_ordered_card_begins_on_its_day_and_only_then_reaches_the_router(
    session: Session, student: Student
) -> None:
    card = issue(session, student, date(2026, 11, 24))
    assert card.state == CardState.ORDERED
    assert session.exec(select(Delivery)).all() == []
    assert lifecycle.activate_due_cards(session, now=NOW) == 0

    assert lifecycle.activate_due_cards(session, now=NOW + timedelta(days=1)) == 1

    assert card.state == CardState.ACTIVE
    assert len(session.exec(select(Delivery)).all()) == 2


def test_an_ordered_card_that_staff_activate_begins_today(
    session: Session, student: Student
) -> None:
    card = issue(session, student, date(2027, 2, 1))

    activate(session, card)

    assert (card.state, card.issued_on) == ("active", date(2026, 11, 23))


def test_an_ordered_card_that_is_revoked_never_reaches_the_router(
    session: Session, student: Student
) -> None:
    card = issue(session, student, date(2027, 2, 1))

    revoke(session, card)

    assert cards.count_by_state(session, PIC) == {"revoked": 1}
    assert session.exec(select(Delivery)).all() == []
