"""Files of photos in a folder or a ZIP archive, and whose each one is by its name.

An archive is read file by file and never unpacked to the disk. What it says of itself is checked
first: no file in it is larger than a photo may be, together they do not take more room in it than
it has, so that nothing in it can overlap, and nothing is encrypted.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from issuer.errors import PictureDamaged, PictureTooLarge, UnusableArchive
from issuer.photos import MAX_PHOTO_BYTES
from verifier.identifiers import ESI_PREFIX

MAX_FILES: Final = 200_000
_ENCRYPTED: Final = 0x1  # in the flags of an entry
_LEFT_BEHIND: Final = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
# Characters that file systems do not take, as `_` in names of files.
_AS_LINES: Final = str.maketrans(dict.fromkeys(':*?"<>|/\\', "_"))
_NOT_UNPACKED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
)
_TOO_LARGE: Final = f"a photo has at most {MAX_PHOTO_BYTES // 1024 // 1024} MiB"


class PhotoFile(Protocol):
    """A file that may hold a photo."""

    @property
    def name(self) -> str:
        """Where it is in the folder or archive."""
        ...

    def read(self) -> bytes:
        """All of it, no more than a photo may have."""
        ...


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file of a folder."""

    name: str
    path: Path

    def read(self) -> bytes:
        """All of it.

        Raises:
            PictureTooLarge: It is larger than a photo may be.
            PictureDamaged: It cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_PHOTO_BYTES + 1)
        except OSError as error:
            raise PictureDamaged(f"the file cannot be read: {error.strerror}") from error
        if len(data) > MAX_PHOTO_BYTES:
            raise PictureTooLarge(_TOO_LARGE)
        return data


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of a ZIP archive."""

    name: str
    archive: zipfile.ZipFile
    entry: zipfile.ZipInfo

    def read(self) -> bytes:
        """All of it.

        Raises:
            PictureTooLarge: It is larger than a photo may be, or says so.
            PictureDamaged: It cannot be unpacked.
        """
        if self.entry.file_size > MAX_PHOTO_BYTES:
            raise PictureTooLarge(_TOO_LARGE)
        try:
            with self.archive.open(self.entry) as file:
                return file.read(MAX_PHOTO_BYTES)
        except _NOT_UNPACKED as error:
            raise PictureDamaged("the file in the archive is damaged") from error


@contextmanager
def photo_files(path: Path) -> Iterator[Sequence[PhotoFile]]:
    """The files of a folder, with those of the folders in it, or of an archive; by name.

    Args:
        path: A folder or a ZIP archive.

    Raises:
        UnusableArchive: Neither of them, or one that pretends to hold more than it can.
    """
    if path.is_dir():
        yield _of_folder(path)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield _of_archive(archive, size=path.stat().st_size)
    except zipfile.BadZipFile as error:
        raise UnusableArchive("photos come in a folder or a ZIP archive") from error


def esis_of(name: str, scopes: Sequence[str]) -> list[str]:
    """The ESIs, in lower case, that a file of this name may mean.

    `<scope>_<code>.jpg`, `<code>.jpg` for every scope of the institution, or the whole ESI with
    its colons as `_`.

    Args:
        name: Where the file is.
        scopes: Of the ESIs that the institution writes, lower case.
    """
    stem = PurePosixPath(name).stem.lower()
    plain = stem.translate(_AS_LINES)
    prefix = ESI_PREFIX.translate(_AS_LINES).lower()
    short = plain.removeprefix(prefix)
    found = [stem] if stem.startswith(ESI_PREFIX.lower()) else []
    for scope in scopes:
        if short.startswith(f"{scope}_"):
            found.append(f"{ESI_PREFIX}{scope}:{stem[-(len(short) - len(scope) - 1) :]}".lower())
        if not plain.startswith(prefix):
            found.append(f"{ESI_PREFIX}{scope}:{stem}".lower())
    return list(dict.fromkeys(found))


def number_of(name: str) -> int | None:
    """The student's number that a file is named by."""
    stem = PurePosixPath(name).stem
    return int(stem) if stem.isascii() and stem.isdecimal() and len(stem) < 19 else None


def _of_folder(folder: Path) -> list[PhotoFile]:
    found: list[PhotoFile] = []
    for parent, below, names in os.walk(folder):
        below[:] = [one for one in below if _is_wanted(one)]
        for name in filter(_is_wanted, names):
            path = Path(parent, name)
            # A link may lead anywhere, and a pipe never ends.
            if stat.S_ISREG(path.lstat().st_mode):
                found.append(FolderFile(path.relative_to(folder).as_posix(), path))
    _check_count(len(found))
    return sorted(found, key=lambda one: one.name)


def _of_archive(archive: zipfile.ZipFile, *, size: int) -> list[PhotoFile]:
    entries = archive.infolist()
    _check_count(len(entries))
    if sum(entry.compress_size for entry in entries) > size:
        raise UnusableArchive("the archive pretends to hold more than it can")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnusableArchive("the archive is encrypted")
    found: list[PhotoFile] = [
        ArchiveFile(entry.filename, archive, entry)
        for entry in entries
        if not entry.is_dir() and all(map(_is_wanted, PurePosixPath(entry.filename).parts))
    ]
    return sorted(found, key=lambda one: one.name)


def _is_wanted(name: str) -> bool:
    """Not what file managers leave behind."""
    is_hidden = name.startswith(".") and name != ".."
    return not is_hidden and name.lower() not in _LEFT_BEHIND


def _check_count(count: int) -> None:
    if count > MAX_FILES:
        raise UnusableArchive(f"at most {MAX_FILES:,} photos at a time")
