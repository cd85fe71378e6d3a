"""`institution`, `processor`, `staff-key`, `router-key`: who works here, and with which keys."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import IntegrityError

from issuer.cli import consenting, devices, looks, reconciliation_policy
from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import moment, out, show_facts, show_table
from issuer.cli.refusals import Refused
from issuer.clock import seconds_of
from issuer.staff import Role, create_staff_key
from issuer.store import audit, institutions, publications, staff
from issuer.tables import Institution, Processor
from verifier.identifiers import parse_pic

institution = typer.Typer(help="Institutions that issue cards.", no_args_is_help=True)
processor = typer.Typer(
    help="Processors: who issues for several institutions.", no_args_is_help=True
)
staff_key = typer.Typer(help="API keys of an institution's staff.", no_args_is_help=True)
router_key = typer.Typer(help="An institution's key of the ESC-Router.", no_args_is_help=True)

institution.command("consent")(consenting.set_consent)
institution.command("devices")(devices.set_policy)
institution.command("look")(looks.set_look)
institution.command("student-photos")(looks.set_student_photos)
institution.command("reconciliation")(reconciliation_policy.set_policy)

_INSTITUTION_COLUMNS = (
    *("PIC", "Name", "Country", "Home"),
    *("ESI scopes", "Prefixes", "Processor", "Router key", "Consent", "Phones at once"),
)
PicArgument = Annotated[str, typer.Argument(help="PIC: nine digits")]


@institution.command("add")
def add_institution(
    pic: PicArgument,
    name: Annotated[str, typer.Option(help="For people")],
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2, for example LV")],
    home: Annotated[str, typer.Option(help="schacHomeOrganization: its DNS domain")],
    scope: Annotated[
        list[str] | None, typer.Option(help="ESI scope it may write; repeat; its domain if none")
    ] = None,
    prefix: Annotated[
        list[str] | None, typer.Option(help="Card number prefix, three digits; repeat")
    ] = None,
    processor_vat: Annotated[
        str | None, typer.Option("--processor", help="VAT number of who issues for it")
    ] = None,
    asks_consent: Annotated[
        bool, typer.Option(help="Registration with the ESC-Router waits for the student's consent")
    ] = False,
) -> None:
    """Add an institution; then give it keys (`keys create`) and staff (`staff-key create`)."""
    row = Institution(
        pic=parse_pic(pic),
        name=name.strip(),
        country=country.upper(),
        schac_home_organization=home.lower(),
        esi_scopes=[text.lower() for text in scope or [home]],
        escn_prefixes=prefix or ["001"],
        processor_vat=processor_vat,
        asks_consent=asks_consent,
        created_at=0,
    )
    _check(row)
    with open_deployment() as deployment:
        now = seconds_of(deployment.now)
        row.created_at = now
        taken = "this PIC exists already, or the processor is unknown"
        with _unless_taken(taken), deployment.writing() as session:
            institutions.add(session, row)
            publications.touch_trust_list(session, now=now)
            audit.add(session, now=now, pic=pic, actor=ACTOR, action="institution.add")
    out.print(f"added  institution {pic}")


@institution.command("list")
def list_institutions() -> None:
    """Show all institutions."""
    with open_deployment() as deployment, deployment.reading() as session:
        rows = institutions.every(session)
        show_table(_INSTITUTION_COLUMNS, [_facts(row) for row in rows], title="Institutions")


@institution.command("show")
def show_institution(pic: PicArgument) -> None:
    """Show one institution."""
    with open_deployment() as deployment, deployment.reading() as session:
        facts = _facts(institution_of(session, pic))
        show_facts(list(zip(_INSTITUTION_COLUMNS, facts, strict=True)), title=f"Institution {pic}")


@processor.command("add")
def add_processor(
    vat: Annotated[str, typer.Argument(help="VAT number")],
    name: Annotated[str, typer.Option(help="For people")],
) -> None:
    """Add a processor."""
    with open_deployment() as deployment:
        taken = "this VAT number exists already"
        with _unless_taken(taken), deployment.writing() as session:
            institutions.add_processor(session, Processor(vat=vat, name=name.strip()))
    out.print(f"added  processor {vat}")


@staff_key.command("create")
def create_staff_key_command(
    pic: PicArgument,
    role: Annotated[Role, typer.Option(help="What it may do")] = Role.OFFICER,
    label: Annotated[str, typer.Option(help="Whose it is, for the list")] = "",
) -> None:
    """Make an API key and print it, once: only its hash is kept."""
    with open_deployment() as deployment, deployment.writing() as session:
        institution_of(session, pic)
        row, text = create_staff_key(session, pic=pic, role=role, label=label, now=deployment.now)
        audit.add(
            session,
            now=row.created_at,
            pic=pic,
            actor=ACTOR,
            action="staff-key.create",
            detail=f"key {row.id}, {role}",
        )
    typer.echo(text)


@staff_key.command("list")
def list_staff_keys(pic: PicArgument) -> None:
    """Show an institution's API keys (not their text, which nobody has)."""
    with open_deployment() as deployment, deployment.reading() as session:
        show_table(
            ("Number", "Role", "Label", "Made", "Ended"),
            [
                (row.id, row.role, row.label, moment(row.created_at), moment(row.ended_at))
                for row in staff.of_institution(session, pic)
            ],
            title=f"Staff keys of {pic}",
        )


@staff_key.command("end")
def end_staff_key(
    pic: PicArgument, number: Annotated[int, typer.Argument(help="From `staff-key list`")]
) -> None:
    """End an API key at once."""
    with open_deployment() as deployment, deployment.writing() as session:
        now = seconds_of(deployment.now)
        _require(staff.end(session, pic, number, now=now), "no such key that still lives")
        audit.add(
            session,
            now=now,
            pic=pic,
            actor=ACTOR,
            action="staff-key.end",
            detail=f"key {number}",
        )
    out.print(f"ended  staff key {number}")


@router_key.command("set")
def set_router_key(
    pic: PicArgument,
    file: Annotated[
        Path | None, typer.Option(help="Holds the key; standard input if left out")
    ] = None,
) -> None:
    """Store the institution's ESC-Router key, sealed; waiting deliveries go on."""
    text = file.read_text("ascii") if file else sys.stdin.readline()
    _require(bool(text.strip()) and text.isascii(), "the key is empty, or no key")
    with open_deployment() as deployment, deployment.writing() as session:
        institution_of(session, pic)
        sealed = deployment.sealer.seal(text.strip().encode("ascii"))
        institutions.store_router_key(session, pic, sealed)
        now = seconds_of(deployment.now)
        audit.add(session, now=now, pic=pic, actor=ACTOR, action="router-key.set")
    out.print(f"stored router key of {pic}")


def _check(row: Institution) -> None:
    _require(len(row.country) == 2 and row.country.isalpha(), "a country is two letters")
    prefixes = all(len(prefix) == 3 and prefix.isdecimal() for prefix in row.escn_prefixes)
    _require(prefixes, "a prefix is three digits")
    _require(bool(row.name), "an institution has a name")
    _require("." in row.schac_home_organization, "an institution's home is a domain")


def _require(holds: bool, words: str) -> None:
    if not holds:
        raise Refused(words)


@contextmanager
def _unless_taken(words: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Refused(words) from error


def _facts(row: Institution) -> tuple[object, ...]:
    return (
        row.pic,
        row.name,
        row.country,
        row.schac_home_organization,
        ", ".join(row.esi_scopes),
        ", ".join(row.escn_prefixes),
        row.processor_vat,
        _router_key_state(row),
        "required" if row.asks_consent else "not required",
        row.devices_at_once,
    )


def _router_key_state(row: Institution) -> str:
    if row.router_key_refused_at is not None:
        return "refused"
    return "stored" if row.sealed_router_key else "missing"
