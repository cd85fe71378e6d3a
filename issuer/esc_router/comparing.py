"""A stretch of what the router answered, compared with our side.

Our side is read after the router's, in one transaction that only reads: whatever changed here
since the router was asked has a delivery that waits or was delivered since, and is no difference.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from issuer.esc_router.differences import Difference, DifferenceKind, enrolment_of
from issuer.esc_router.judging import judge_card, judge_person, needs_person
from issuer.esc_router.presence import Presence, presence_of
from issuer.esc_router.reading_there import Stretch
from issuer.esc_router.views import CardView, PersonView
from issuer.store import compared
from issuer.tables import Card, Institution, Student

_GONE = DifferenceKind.SHOULD_BE_GONE


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference, and whose it is.

    Attributes:
        subject: A card number, "student:<id>", or "esi:<esi>" for a person unknown here.
        difference: What differs.
        student_id: The student whom it concerns, if known here.
        escn: Our card that it concerns, if one.
        is_there: The router has the record.
    """

    subject: str
    difference: Difference
    student_id: int | None = None
    escn: str | None = None
    is_there: bool = False


@dataclass(slots=True)
class Comparison:
    """One stretch being compared.

    Args:
        session: Reads.
        run_id: For which run.
        institution: Whose sides are compared.
        read_at: Seconds; before the router was asked.
        today: In UTC.

    Attributes:
        findings: What differs.
        seen: Subjects that need no further look in this run.
        in_motion: Records that differ because they are changing at this moment.
    """

    session: Session
    run_id: int
    institution: Institution
    read_at: int
    today: date
    findings: list[Finding] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    in_motion: int = 0
    _moving: set[tuple[int, str | None]] = field(default_factory=set)

    def compare(self, stretch: Stretch, *, was_listed: bool) -> None:
        """Find what differs.

        Args:
            stretch: What was read.
            was_listed: It came from the router's list. A card that is gone when it is read is
                then left for the phase that asks for what the list did not show.
        """
        self._compare_cards(stretch, was_listed=was_listed)
        self._compare_persons(stretch)

    def _compare_cards(self, stretch: Stretch, *, was_listed: bool) -> None:
        numbers = [*stretch.cards, *stretch.refused_cards]
        ours = compared.cards_by_number(self.session, self.institution.pic, numbers)
        self._learn_moving({card.student_id for card, _student in ours.values()})
        self._find_unknown_cards({n: v for n, v in stretch.cards.items() if v and n not in ours})
        for number, refusal in stretch.refused_cards.items():
            told = Difference(DifferenceKind.UNREADABLE, None, str(refusal))
            holder = ours[number][1].id if number in ours else None
            self.findings.append(Finding(number, told, holder))
        for number, (card, student) in ours.items():
            if number in stretch.cards:
                self._compare_card(card, student, stretch.cards[number])
        done = {n for n, view in stretch.cards.items() if view is not None or not was_listed}
        self.seen |= done | stretch.refused_cards.keys()

    def _compare_card(self, card: Card, student: Student, there: CardView | None) -> None:
        differences = judge_card(
            self.institution,
            card,
            student,
            there,
            was_sent=self._was_sent(student),
            today=self.today,
        )
        is_changing = (
            (card.student_id, card.escn) in self._moving
            or card.updated_at >= self.read_at
            or (_kinds(differences) == {_GONE} and (card.student_id, None) in self._moving)
        )
        if is_changing:
            self.in_motion += bool(differences)
            return
        self.findings += [
            Finding(card.escn, one, student.id, card.escn, is_there=there is not None)
            for one in differences
        ]

    def _find_unknown_cards(self, unknown: dict[str, CardView]) -> None:
        holders = self._students({_holder_of(view).lower() for view in unknown.values()})
        for number, view in unknown.items():
            holder = holders.get(_holder_of(view).lower())
            told = Difference(DifferenceKind.MISSING_HERE, None, _told_card(view))
            self.findings.append(Finding(number, told, holder.id if holder else None))

    def _compare_persons(self, stretch: Stretch) -> None:
        ours = self._students({*stretch.persons, *stretch.refused_persons})
        cards: dict[int, list[Card]] = {student.id or 0: [] for student in ours.values()}
        self._learn_moving(cards)
        for card in compared.cards_of_students(self.session, cards):
            cards[card.student_id].append(card)
        for esi, view in stretch.persons.items():
            if (student := ours.get(esi)) is not None:
                self._compare_person(student, view, cards)
            elif view is not None:
                told = Difference(
                    DifferenceKind.PERSON_MISSING_HERE, None, _told_person(view, self.institution)
                )
                self.findings.append(Finding(f"esi:{view.identifier}", told))
        for esi in stretch.refused_persons.keys() & ours.keys():
            told = Difference(DifferenceKind.UNREADABLE, None, str(stretch.refused_persons[esi]))
            self.findings.append(Finding(_subject(ours[esi]), told, ours[esi].id))
        self.seen |= {_subject(student) for student in ours.values()}

    def _compare_person(
        self, student: Student, there: PersonView | None, cards: dict[int, list[Card]]
    ) -> None:
        id_ = student.id or 0
        differences = judge_person(
            self.institution,
            student,
            there,
            is_expected=needs_person(self.institution, student, cards[id_]),
            was_sent=self._was_sent(student),
        )
        if (id_, None) in self._moving or student.updated_at >= self.read_at:
            self.in_motion += bool(differences)
            return
        self.findings += [
            Finding(_subject(student), one, id_, is_there=there is not None) for one in differences
        ]

    def _was_sent(self, student: Student) -> bool:
        if presence_of(self.institution, student) != Presence.AWAITING_CONSENT:
            return True  # it makes no difference
        return compared.ever_delivered(self.session, student.id or 0)

    def _students(self, esis: Collection[str]) -> dict[str, Student]:
        return compared.students_by_esi(self.session, self.institution.pic, esis) if esis else {}

    def _learn_moving(self, ids: Collection[int]) -> None:
        if ids:
            self._moving |= compared.moving(
                self.session, ids, since=self.read_at, besides_run=self.run_id
            )


def _kinds(differences: list[Difference]) -> set[DifferenceKind]:
    return {difference.kind for difference in differences}


def _subject(student: Student) -> str:
    return compared.subject_of(student.id or 0)


def _holder_of(view: CardView) -> str:
    return view.person.identifier if view.person else ""


def _told_card(view: CardView) -> str:
    status = view.card_status_type.key if view.card_status_type else None
    days = f"{view.issued_at or 'no date'} to {view.expires_at or 'no date'}"
    return f"{status or 'no status'}, {days}, of {_holder_of(view) or 'nobody'}"


def _told_person(view: PersonView, institution: Institution) -> str:
    held = enrolment_of(view, institution.pic)
    return (held.full_name if held else None) or view.identifier
