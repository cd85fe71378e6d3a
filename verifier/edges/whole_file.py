"""A file that is read whole, and replaced whole or not at all.

Written beside and moved into place: a crash or a full disk leaves the old one working.
"""

import os
from pathlib import Path

from verifier.edges.folder_lock import KnowledgeError
from verifier.errors import CardError
from verifier.jws import Json
from verifier.strict_json import parse_json_object

MAX_FILE_BYTES = 32 * 1024 * 1024


def read_object(path: Path) -> Json:
    """The JSON object in a file.

    Raises:
        KnowledgeError: There is none, or it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise KnowledgeError(f"{path} is damaged: too large")
        return parse_json_object(path.read_bytes())
    except FileNotFoundError as error:
        raise KnowledgeError("nothing is known yet; run: python -m verifier fetch") from error
    except (OSError, CardError) as error:
        raise KnowledgeError(f"{path} cannot be read; fetch again") from error


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file; by the only writer of its folder (`folder_lock`).

    Raises:
        KnowledgeError: It cannot be written; what was there stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Who holds the folder is its only writer, so this name is nobody else's.
        write_beside(path, data, beside=path.with_name(f".knowledge-{os.getpid()}"))
    except OSError as error:
        raise KnowledgeError(f"{path} cannot be written: {error.strerror}") from error


def write_beside(path: Path, data: bytes, *, beside: Path) -> None:
    """Write a file under another name of its folder, and move it into place once it is stored.

    Raises:
        OSError: It cannot be written; what was there stays, and nothing is left beside it.
    """
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
