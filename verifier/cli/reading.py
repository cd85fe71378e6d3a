"""Where codes come from: the command line, a file, a picture, or a scanner that types."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from verifier.edges.images import read_codes

# A line that a scanner types; the longest credential has 32,768 characters.
MAX_LINE_CHARS = 40_000
MAX_FILE_BYTES = 64 * 1024 * 1024


class InputError(Exception):
    """The codes cannot be read; the message says why."""


def read_texts(arguments: argparse.Namespace) -> Iterator[str]:
    """The texts to look at, one by one as they come; empty lines are passed over.

    Raises:
        InputError: The file cannot be read.
        ImageError: The picture cannot be read.
    """
    if arguments.image is not None:
        for path in arguments.image:
            yield from read_codes(path)
    elif arguments.file is not None:
        yield from _lines_of_file(arguments.file)
    elif arguments.code and arguments.code != ["-"]:
        yield from arguments.code
    else:
        yield from _lines_of_standard_input()


def _lines_of_file(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    yield from (line for line in text.splitlines() if line.strip())


def _lines_of_standard_input() -> Iterator[str]:
    stream = sys.stdin.buffer
    while line := stream.readline(MAX_LINE_CHARS):
        text = line.decode("utf-8", errors="replace").lstrip("\ufeff")
        if text.strip():
            yield text
