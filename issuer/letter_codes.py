"""The code on a student's letter: 80 random bits in a form that people type without mistakes.

Sixteen characters of Crockford's base32 in groups of four. Typed in capitals or not, with any
spaces and dashes, O for 0, I and L for 1, U for V: all the same code.
"""

import re
import secrets

from issuer.sealing import Sealer

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARS = 16
_GROUP = 4
_MEANT = str.maketrans("OILU", "011V")
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212._]+")
MAX_TYPED_CHARS = 64


def new_code() -> str:
    """A code, in groups."""
    return grouped("".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS)))


def grouped(code: str) -> str:
    """As it is printed: `7K3M-9QXA-...`."""
    return "-".join(code[first : first + _GROUP] for first in range(0, len(code), _GROUP))


def normal_code(typed: str) -> str | None:
    """The code that somebody typed, without groups; None if it cannot be one."""
    if len(typed) > MAX_TYPED_CHARS:
        return None
    code = _BETWEEN.sub("", typed).upper().translate(_MEANT)
    return code if len(code) == CODE_CHARS and set(code) <= set(ALPHABET) else None


def hash_code(sealer: Sealer, code: str) -> bytes:
    """What is stored of a code, grouped or not: whoever has the database alone learns nothing."""
    return sealer.derive("letter", (normal_code(code) or "").encode())
