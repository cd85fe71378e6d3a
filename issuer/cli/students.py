"""`students`: found by number, their consent, their erasure."""

from typing import Annotated

import typer
from sqlmodel import Session

from issuer import consent
from issuer.cli import lettering
from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import moment, out, show_facts, show_table
from issuer.cli.refusals import Refused
from issuer.cli.whom import with_esi
from issuer.erasure import request_erasure
from issuer.erasure_steps import waits_for
from issuer.errors import StudentNotFound
from issuer.esc_router.presence import presence_of
from issuer.store import cards, erasures, students
from issuer.store.paging import Paging
from issuer.tables import Student

app = typer.Typer(help="Students: consent, letters and erasure.", no_args_is_help=True)
app.command("letter")(lettering.write_letter)
app.command("letters")(lettering.write_letters)

NumberArgument = Annotated[int, typer.Argument(help="From `students list`")]
PageOption = Annotated[int, typer.Option(min=0, help="From 0")]


@app.command("list")
def list_students(
    institution: Annotated[str, typer.Argument(help="PIC")],
    search: Annotated[str, typer.Option(help="Part of name, ESI, e-mail or card number")] = "",
    page: PageOption = 0,
) -> None:
    """Show an institution's students, by name; erased ones are nobody any more."""
    with open_deployment() as deployment, deployment.reading() as session:
        institution_of(session, institution)
        found = students.search(session, institution, text=search, paging=Paging(page))
        show_table(
            ("Number", "Name", "ESI", "Level", "Consents since", "Router knows since"),
            [
                (
                    *(row.id, row.full_name, row.esi, row.academic_level),
                    *(moment(row.consented_at), moment(row.router_registered_at)),
                )
                for row in found.items
            ],
            title=f"{found.total} students, page {page}",
        )


@app.command("show")
def show_student(number: NumberArgument) -> None:
    """Show one student."""
    with open_deployment() as deployment, deployment.reading() as session:
        student = _student(session, number)
        institution = institution_of(session, student.pic)
        held = cards.of_student(session, number)
        show_facts(
            [
                ("Institution", f"{institution.pic} {institution.name}"),
                ("Name", student.full_name),
                ("ESI", student.esi),
                ("Level", student.academic_level),
                ("Consents since", moment(student.consented_at)),
                ("Router knows since", moment(student.router_registered_at)),
                ("At the router", presence_of(institution, student)),
                ("Being erased since", moment(student.erasing_since)),
                ("Erased", moment(student.erased_at)),
                *(("Card", f"{card.escn} {card.state}") for card in held),
            ],
            title=f"Student {number}",
        )


@app.command("consent")
def give_consent(number: NumberArgument) -> None:
    """The student consents to registration with the ESC-Router."""
    with open_deployment() as deployment, deployment.writing() as session:
        pic = _student(session, number).pic
        consent.give_consent(session, pic, number, now=deployment.now, actor=ACTOR)
    out.print(f"consents  student {number}")


@app.command("withdraw-consent")
def withdraw_consent(number: NumberArgument) -> None:
    """The student takes consent back: the ESC-Router forgets, the card lives on."""
    with open_deployment() as deployment, deployment.writing() as session:
        pic = _student(session, number).pic
        consent.withdraw_consent(session, pic, number, now=deployment.now, actor=ACTOR)
    out.print(f"consents no more  student {number}")


@app.command("erase")
def erase(
    number: Annotated[int | None, typer.Argument(help="From `students list`")] = None,
    esi: Annotated[str | None, typer.Option(help="In place of the number")] = None,
    institution: Annotated[
        str | None, typer.Option(help="PIC; needed with --esi if several have the student")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Erase a student: cards end now, then the ESC-Router forgets, then this database.

    Nothing takes it back. The card numbers and the audit stay; they name nobody.
    """
    with open_deployment() as deployment:
        with deployment.reading() as session:
            student = _meant(session, number, esi, institution)
            pic, found = student.pic, student.id or 0
            count = len(cards.of_student(session, found))
        if not yes:
            words = f"Erase student {found} of {pic} with {count} cards, for good?"
            typer.confirm(words, abort=True)
        with deployment.writing() as session:
            erasure = request_erasure(session, pic, found, now=deployment.now, actor=ACTOR)
            erasure_id = erasure.id
    out.print(f"erasing  student {found}, erasure {erasure_id}: see `students erasures`")


@app.command("erasures")
def list_erasures(
    institution: Annotated[str | None, typer.Argument(help="PIC; all if left out")] = None,
    page: PageOption = 0,
) -> None:
    """Show erasures, the newest first, and when each of their steps was done."""
    with open_deployment() as deployment, deployment.reading() as session:
        found = erasures.search(session, institution, paging=Paging(page))
        show_table(
            (
                *("Number", "PIC", "Student", "Ended here", "Cards gone", "Picture gone"),
                *("Person", "Enrolment gone", "Finished", "Waits for", "Delivery", "Last error"),
            ),
            [
                (
                    *(row.id, row.pic, row.student_id, moment(row.requested_at)),
                    *(moment(row.cards_removed_at), moment(row.picture_removed_at)),
                    *(row.person_outcome, moment(row.person_removed_at), moment(row.finished_at)),
                    *(waits_for(row, removal), removal and removal.id),
                    removal and removal.last_error,
                )
                for row, removal in found.items
            ],
            title=f"{found.total} erasures, page {page}",
        )


def _student(session: Session, number: int) -> Student:
    student = students.by_id(session, number)
    if student is None:
        raise StudentNotFound("no such student in this deployment")
    return student


def _meant(
    session: Session, number: int | None, esi: str | None, institution: str | None
) -> Student:
    if (number is None) == (esi is None):
        raise Refused("name the student by number or by --esi")
    if number is not None:
        return _student(session, number)
    return with_esi(session, esi or "", institution)
