"""Options that several commands share."""

import argparse
from pathlib import Path

from verifier.cli.languages import available_languages, preferred_language
from verifier.cli.values import default_folder, whole_number


def add_batch(check: argparse.ArgumentParser) -> None:
    """A file of codes."""
    batch = check.add_argument_group("a file of codes, in CSV with a heading")
    batch.add_argument("--csv", type=Path, metavar="FILE", help="decide every row of it")
    batch.add_argument("--column", default="code", help="heading of the codes (default code)")
    batch.add_argument(
        "--time-column",
        metavar="COLUMN",
        help="heading of the moments of the scans, as 2026-11-23T17:04:05Z or seconds since 1970; "
        "left out, all are checked for now",
    )
    batch.add_argument(
        "--report", type=Path, metavar="FILE", help="write a CSV with an answer a row; a new file"
    )
    batch.add_argument(
        "--jobs",
        type=whole_number(1, 256),
        metavar="N",
        help="processes (default: one for each core)",
    )


def add_list(parser: argparse.ArgumentParser) -> None:
    """Which trust list, if not the usual one."""
    parser.add_argument(
        "--list", metavar="NAME", help="a further trust list, kept under this name"
    )


def add_code(parser: argparse.ArgumentParser) -> None:
    """Where a code comes from."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "code", nargs="*", default=[], help="the text of a code, or several; - for standard input"
    )
    group.add_argument("--file", type=Path, help="a file with one code a line")
    group.add_argument("--image", type=Path, nargs="+", help="pictures of codes (needs zxing-cpp)")


def add_output(parser: argparse.ArgumentParser) -> None:
    """How answers look."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_language(parser)


def add_language(parser: argparse.ArgumentParser) -> None:
    """In which language."""
    parser.add_argument(
        "--lang",
        choices=available_languages(),
        default=preferred_language(),
        help="language of the answers (default: of the environment)",
    )


def add_knowledge(parser: argparse.ArgumentParser) -> None:
    """Where knowledge is kept."""
    parser.add_argument(
        "--knowledge",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="where bundle and memory are kept (default: $ESC_VERIFIER_DIR or %(default)s)",
    )
