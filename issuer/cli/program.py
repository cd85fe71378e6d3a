"""The commands put together, and refusals turned into words and exit codes."""

import sys

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from issuer import errors
from issuer.cli import (
    cards,
    importing,
    installing,
    institutions,
    keys,
    passes,
    photos,
    pushing,
    refusals,
    router,
    running,
    students,
)
from issuer.cli.printing import err
from issuer.cli.refusals import Refused
from verifier.errors import MalformedIdentifier

_EPILOG = (
    "Exit codes: 0 done, 1 refused, 2 wrong command line, 3 settings, keys or database cannot be "
    "used, 4 imported but rows were left out. Settings come from ESC_ISSUER_... variables."
)
_UNUSABLE = (
    errors.DatabaseOutOfDate,
    errors.UnusableKey,
    errors.UnusableSecret,
    errors.NotUnsealable,
)

program = typer.Typer(
    help="Issue European Student Cards.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _flat in (installing, importing, running):
    program.registered_commands.extend(_flat.app.registered_commands)
program.add_typer(institutions.institution, name="institution")
program.add_typer(institutions.processor, name="processor")
program.add_typer(keys.app, name="keys")
program.add_typer(institutions.staff_key, name="staff-key")
program.add_typer(institutions.router_key, name="router-key")
program.add_typer(students.app, name="students")
program.add_typer(cards.app, name="cards")
program.add_typer(photos.app, name="photos")
program.add_typer(router.app, name="esc-router")
program.add_typer(passes.app, name="passes")
program.add_typer(pushing.app, name="push")


def main() -> None:
    """Run the command line."""
    try:
        program()
    except (Refused, errors.IssuerError, MalformedIdentifier) as error:
        code = refusals.UNUSABLE if isinstance(error, _UNUSABLE) else refusals.REFUSED
        _end(str(error), code)
    except ValidationError as error:
        _end(f"the settings cannot be used: {_settings_words(error)}", refusals.UNUSABLE)
    except SQLAlchemyError as error:
        # The class only: a database's words repeat rows.
        _end(f"the database cannot be used: {type(error).__name__}", refusals.UNUSABLE)
    except OSError as error:
        _end(f"{error.filename or 'a file'}: {error.strerror}", refusals.UNUSABLE)


def _settings_words(error: ValidationError) -> str:
    """Which setting, and why; never its value."""
    return "; ".join(
        f"ESC_ISSUER_{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}"
        for item in error.errors()
    )


def _end(words: str, code: int) -> None:
    err.print(words, markup=False, style="red")
    sys.exit(code)
