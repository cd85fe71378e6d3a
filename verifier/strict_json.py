"""JSON (RFC 8259) read strictly: no name twice, no NaN, not deep, no half characters."""

import json
from typing import Any

from verifier.errors import MalformedJws

MAX_JSON_DEPTH = 16  # no format of ours nests deeper than 8


def parse_json_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object (RFC 8259) strictly.

    Raises:
        MalformedJws: Not UTF-8, not JSON, not an object, a name twice, a NaN, too deep, or an
            escape that is half a character.
    """
    value = _parse_json(data, MAX_JSON_DEPTH)
    if not isinstance(value, dict):
        raise MalformedJws("not a JSON object")
    return value


def parse_json_array(data: bytes) -> list[Any]:
    """Read a JSON array as strictly as `parse_json_object`; it nests one level less.

    Raises:
        MalformedJws: As there.
    """
    value = _parse_json(data, MAX_JSON_DEPTH - 1)
    if not isinstance(value, list):
        raise MalformedJws("not a JSON array")
    return value


def _parse_json(data: bytes, depth: int) -> object:
    try:
        text = data.decode("utf-8")
        value, end = _STRICT_JSON.raw_decode(text) if text[:1] in "{[" else (None, -1)
        if end != len(text):
            value = _STRICT_JSON.decode(text)  # with white space around it, or not JSON
    except (ValueError, RecursionError) as error:
        raise MalformedJws("not strict JSON") from error
    # What opens fewer times than that cannot be deeper.
    if data.count(b"{") + data.count(b"[") >= depth:
        _refuse_depth(value, depth)
    # One byte is found in a fourth of the time that two take.
    if b"\\" in data and b"\\u" in data:
        _refuse_lone_surrogates(value)
    return value


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_depth(value: object, depth: int) -> None:
    if depth == 0:
        raise MalformedJws("JSON nested too deep")
    children = list(value.values()) if isinstance(value, dict) else value
    if isinstance(children, list):
        for child in children:
            _refuse_depth(child, depth - 1)


def _refuse_lone_surrogates(value: object) -> None:
    # No text of people has one, and nothing that writes UTF-8 could tell it any more.
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedJws("JSON with a lone surrogate") from error


# Made once: making it takes longer than reading a disclosure.
_STRICT_JSON = json.JSONDecoder(object_pairs_hook=_unique_names, parse_constant=_refuse_constant)
