"""Keys of staff: made once, stored hashed, with a role."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session, select

from issuer.errors import NotAuthenticated, NotPermitted
from issuer.staff import Role, actor_of, authenticate_staff, create_staff_key, require_role
from issuer.store import staff
from issuer.tables import StaffKey

PIC, OTHER_PIC = "999900001", "999900002"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "esc_", "esc_" + "A" * 43, "A" * 47, "esc_" + "é" * 43])
def test_a_key_that_was_never_made_is_refused(session: Session, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        authenticate_staff(session, text)


def test_an_ended_key_is_refused_and_ends_once(session: Session) -> None:
    key, text = create_staff_key(session, pic=PIC, role=Role.ADMIN, label="IT", now=NOW)
    assert key.id is not None

    assert not staff.end(session, OTHER_PIC, key.id, now=0)
    assert staff.end(session, PIC, key.id, now=0)
    assert not staff.end(session, PIC, key.id, now=0)
    with pytest.raises(NotAuthenticated):
        authenticate_staff(session, text)


def test_a_key_names_its_institution_and_actor(session: Session) -> None:
    key, text = create_staff_key(session, pic=PIC, role=Role.READER, label="Desk", now=NOW)

    found = authenticate_staff(session, text)

    assert (found.pic, actor_of(found)) == (PIC, f"staff:{key.id}")
    assert [k.label for k in staff.of_institution(session, PIC)] == ["Desk"]


def test_the_text_of_a_key_is_not_stored(session: Session) -> None:
    _, text = create_staff_key(session, pic=PIC, role=Role.READER, label="Desk", now=NOW)

    stored = session.exec(select(StaffKey)).one().model_dump()

    assert len(text) == 47
    assert text not in str(stored)


@pytest.mark.parametrize(
    ("role", "needed"),
    [(Role.READER, Role.OFFICER), (Role.READER, Role.ADMIN), (Role.OFFICER, Role.ADMIN)],
)
def test_a_lower_role_is_not_permitted(session: Session, role: Role, needed: Role) -> None:
    key, _ = create_staff_key(session, pic=PIC, role=role, label="x", now=NOW)

    with pytest.raises(NotPermitted):
        require_role(key, needed)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_is_its_own_and_what_is_below(session: Session, role: Role) -> None:
    key, _ = create_staff_key(session, pic=PIC, role=role, label="x", now=NOW)

    require_role(key, role)
    require_role(key, Role.READER)
