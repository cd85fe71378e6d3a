"""`python -m mobile_stub`: see `--help` for the commands and the exit codes."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

from mobile_stub.arguments import language_wanted, parse_arguments
from mobile_stub.commands import run_command
from mobile_stub.errors import PhoneError
from mobile_stub.messages import load_messages
from mobile_stub.phone import Phone


def main(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    clock: Callable[[], datetime],
    out: TextIO,
    complaints: TextIO,
    keyboard: TextIO,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run one command and return its exit code."""
    messages = load_messages(language_wanted(arguments, environment))
    parsed = parse_arguments(arguments, messages, environment)
    phone = Phone(
        messages=messages,
        out=out,
        complaints=complaints,
        keyboard=keyboard,
        environment=environment,
        wallet_path=parsed.wallet,
        passphrase_file=parsed.passphrase_file,
        clock=clock,
        sleep=sleep,
    )
    try:
        return run_command(phone, parsed)
    except PhoneError as error:
        phone.complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:  # the reader of our output has gone: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # Latvian in any locale
    sys.exit(
        main(
            sys.argv[1:],
            environment=os.environ,
            clock=_now,
            out=sys.stdout,
            complaints=sys.stderr,
            keyboard=sys.stdin,
        )
    )
