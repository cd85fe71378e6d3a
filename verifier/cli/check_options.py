"""The options of `python -m verifier check`, and what they ask for."""

import argparse
from pathlib import Path

from verifier.cli.options import add_batch, add_code, add_knowledge, add_output
from verifier.cli.values import challenge, claim_list, listed, whole_number
from verifier.edges.rules_file import load_rules, preset_names
from verifier.policy import DAY, HOUR, Policy
from verifier.verify_sd_jwt_vc import ExpectedKeyBinding


def add_check(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", exit_codes: str
) -> None:
    """The command `check`."""
    check = commands.add_parser(
        "check",
        help="decide whether codes are valid",
        description="Decide whether codes are valid. Without a code, lines are read from standard "
        "input as a keyboard scanner types them; each is answered at once.",
        epilog=exit_codes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_code(check)
    _add_policy(check)
    check.add_argument(
        "--challenge", type=challenge, default=b"", metavar="TEXT", help="what the phone signed"
    )
    check.add_argument(
        "--audience", metavar="TEXT", help="whom a wallet's presentation must be made for"
    )
    check.add_argument(
        "--nonce",
        metavar="TEXT",
        help="and in answer to which request; both or neither; "
        'as --nonce=TEXT where it begins with "-"',
    )
    check.add_argument(
        "--forget",
        action="store_true",
        help="do not remember live codes: a copy shown within a minute then passes",
    )
    add_batch(check)
    add_output(check)
    add_knowledge(check)


def add_request(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", exit_codes: str
) -> None:
    """The command `request`."""
    request = commands.add_parser(
        "request",
        help="ask a phone for a presentation, and check its answer",
        description="Show a code that asks a phone for a presentation with key binding, then read "
        "the codes of its answer, as check does, and decide. Each request is answered once.",
        epilog=exit_codes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_code(request)
    request.add_argument(
        "--audience", required=True, metavar="NAME", help="who asks, as the student reads it"
    )
    request.add_argument(
        "--claims",
        type=claim_list,
        default=(),
        metavar="LIST",
        help="ask for these as well as for what the rules need: name, level, esi",
    )
    _add_policy(request)
    request.add_argument("--png", type=Path, metavar="FILE", help="write the code that asks")
    request.add_argument(
        "--ask-only",
        action="store_true",
        help="read no answer: check it later with the --audience and --nonce that are printed",
    )
    add_output(request)
    add_knowledge(request)


def _add_policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rules",
        metavar="RULES",
        help=f"what the service accepts: a file, or {listed(preset_names())}",
    )
    parser.add_argument("--live-only", action="store_true", help="refuse printed and static codes")
    parser.add_argument(
        "--identity-only", action="store_true", help="refuse codes without a student identifier"
    )
    parser.add_argument(
        "--fresh-hours",
        type=whole_number(1, 10_000),
        metavar="N",
        help="status is fresh (default 24)",
    )
    parser.add_argument(
        "--stale-days",
        type=whole_number(1, 10_000),
        metavar="N",
        help="then warn until (default 7)",
    )


def refuse_mixed(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End the program where options do not go together."""
    if bool(arguments.audience) != bool(arguments.nonce):
        parser.error("--audience and --nonce go together")
    if arguments.csv is not None:
        _refuse_with_csv(parser, arguments)


def policy_of(arguments: argparse.Namespace) -> Policy:
    """The policy that the options of `check` ask for: rules, made stricter by the others.

    Raises:
        RulesFileError: The file cannot be read, or is not one of rules.
    """
    policy = load_rules(arguments.rules).policy if arguments.rules else Policy()
    hours, days = arguments.fresh_hours, arguments.stale_days
    return policy._replace(
        live_only=policy.live_only or arguments.live_only,
        identity_only=policy.identity_only or arguments.identity_only,
        fresh_for=policy.fresh_for if hours is None else hours * HOUR,
        stale_until=policy.stale_until if days is None else days * DAY,
    )


def binding_of(arguments: argparse.Namespace) -> ExpectedKeyBinding | None:
    """What the options of `check` say that a wallet was asked to sign."""
    if arguments.audience is None:
        return None
    return ExpectedKeyBinding(arguments.audience, arguments.nonce)


def _refuse_with_csv(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.code or arguments.file or arguments.image:
        parser.error("--csv is a source of codes by itself")
    if arguments.challenge or arguments.audience or arguments.json:
        parser.error(
            "--csv goes without --challenge, --audience and --json; --report has every answer"
        )
