"""What the bytes of a picture say of it, read by ourselves before a decoder is asked.

A decoder trusts what it reads: it reserves memory for the canvas that a WebP names, passes over
all of a JPEG once for each of its scans, and looks at each part of a file, be there a million.
Pure: bytes in, a refusal or nothing out.
"""

import re
from typing import Final

from issuer.errors import ForeignPicture, NotAPicture, PictureDamaged

_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_FOREIGN: Final = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"%PDF": "PDF",
}
_FOREIGN_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif", b"avis")
_MOST_PARTS: Final = 20_000  # segments of a JPEG, chunks of a PNG: a camera makes some hundreds
_MOST_SCANS: Final = 64  # of a progressive JPEG, which has ten
_SCAN, _END = 0xDA, 0xD9  # markers (ITU-T T.81, table B.1)
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
# What ends the data of a scan: a marker that is neither stuffing, nor padding, nor a restart.
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def check_beginning(data: bytes) -> None:
    """Let pass what begins as a JPEG, PNG or WebP file.

    Raises:
        ForeignPicture: It is a picture of a format that we do not read.
        NotAPicture: It is nothing that we know.
    """
    if data.startswith((_JPEG, _PNG)) or _is_webp(data):
        return
    kind = next((name for start, name in _FOREIGN.items() if data.startswith(start)), None)
    if data[4:8] == b"ftyp" and data[8:12] in _FOREIGN_BRANDS:
        kind = "AVIF" if data[8:10] == b"av" else "HEIC"
    if kind is not None:
        raise ForeignPicture(f"a picture is a JPEG, PNG or WebP file; this one is {kind}")
    raise NotAPicture("this is no JPEG, PNG or WebP file")


def webp_pixels(data: bytes) -> int:
    """How many pixels a WebP says that it has; 0 for another file.

    Its container (RFC 9649, section 2): the canvas of VP8X, else the size of the only frame.
    """
    if not _is_webp(data):
        return 0
    kind, head = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        width = int.from_bytes(head[4:7], "little") + 1
        height = int.from_bytes(head[7:10], "little") + 1
    elif kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width = int.from_bytes(head[6:8], "little") & 0x3FFF
        height = int.from_bytes(head[8:10], "little") & 0x3FFF
    return width * height


def check_parts(data: bytes) -> None:
    """Refuse a file of so many parts that only reading them would be an attack.

    Raises:
        PictureDamaged: It has more than any camera or program makes.
    """
    if data.startswith(_JPEG):
        _check_segments(data)
    elif data.startswith(_PNG):
        _check_chunks(data)


def _check_segments(data: bytes) -> None:
    """Walk along the markers of a JPEG (ITU-T T.81, annex B) to its end.

    Raises:
        PictureDamaged: It is too far, or there are too many scans.
    """
    at, scans = 2, 0
    for _ in range(_MOST_PARTS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data) or data[at + 1] == _END:
            return
        marker = data[at + 1]
        if marker in (0x00, 0xFF):  # stuffing and padding between segments
            at += 1
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            scans += 1
            ended = _AFTER_SCAN.search(data, at)
            if ended is None:
                return
            at = ended.start()
        if scans > _MOST_SCANS:
            break
    raise PictureDamaged("the picture has more parts than any camera makes")


def _check_chunks(data: bytes) -> None:
    """Walk along the chunks of a PNG (section 5.3) to its end.

    Raises:
        PictureDamaged: It is too far.
    """
    at = len(_PNG)
    for _ in range(_MOST_PARTS):
        if at + 12 > len(data) or data[at + 4 : at + 8] == b"IEND":
            return
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    raise PictureDamaged("the picture has more parts than any camera makes")


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
