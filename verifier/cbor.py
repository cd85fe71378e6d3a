"""CBOR of a form that is not known beforehand: an item without tags, read by cbor2.

What has one form, as all that a QR code of a card carries, is read by its places
(`verifier.cose`): a till starts without cbor2.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import cbor2

from verifier.errors import MalformedCode

MAX_DEPTH = 6  # containers; a presentation's deepest are its pieces, at 1


class _RefusedTags(dict[int, Callable[..., Any]]):
    """No tag is part of our formats, and some expand: a big decimal is a few bytes here."""

    def __missing__(self, tag: int) -> Callable[..., NoReturn]:
        def refuse(*_: object) -> NoReturn:
            raise ValueError(f"tag {tag} is not expected")

        return refuse


_NO_TAGS = _RefusedTags()


def read_cbor(data: bytes) -> Any:
    """Read one CBOR item without tags; the caller compares its own encoding of it.

    Raises:
        MalformedCode: Not CBOR, or with a tag, a duplicate key, or nested too deep.
    """
    try:
        return cbor2.loads(
            data,
            semantic_decoders=_NO_TAGS,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedCode("not CBOR as this format uses it") from error
