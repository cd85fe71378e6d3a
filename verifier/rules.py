"""A service's rules: a small file in which a provider writes what it accepts (docs/rules.md).

The file is TOML 1.0 without tables: one `key = value` after the other, so that a fault has a
line. Keys are written bare, texts stay on their line.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

from verifier.errors import MalformedIdentifier
from verifier.identifiers import AcademicLevel, parse_pic
from verifier.policy import HOUR, Claim, CredentialType, Policy
from verifier.rules_fault import RulesError

VERSION: Final = 1
MAX_CHARS: Final = 16_384
MAX_NAME_CHARS: Final = 60
MAX_LISTED: Final = 4_000
MAX_HOURS: Final = 8_760  # a year; a status list ends long before

_KEY = re.compile(r"[ \t]*([A-Za-z0-9_-]+)[ \t]*=")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"service_[a-z]{2}")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
Named = TypeVar("Named", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a service is called and what it accepts.

    Attributes:
        service: Its name, by language; the key "" is the name for all others.
        policy: What it accepts.
    """

    service: Mapping[str, str]
    policy: Policy

    def name_in(self, language: str) -> str:
        """The service's name for readers of a language, `lv` for example."""
        return self.service.get(language, self.service[""])


def parse_rules(text: str) -> Rules:
    """Read the file's text.

    Args:
        text: At most 16,384 characters.

    Raises:
        RulesError: It is not such a file; with the line and the reason.
    """
    if len(text) > MAX_CHARS:
        raise RulesError(None, "too_long", most=MAX_CHARS)
    document = _Document(_parse_toml(text), _lines_of_keys(text))
    document.refuse_unknown()
    if document.take("rules", _version, None) is None:
        raise RulesError(None, "no_version", version=VERSION)
    fresh = document.take("fresh_hours", _hours, 24)
    usable = document.take("usable_hours", _hours, max(fresh, 168))
    if usable < fresh:
        document.refuse("usable_hours", "less_than_fresh")
    policy = Policy(
        live_only=document.take("live_only", _truth, False),
        identity_only=document.take("identity_only", _truth, False),
        fresh_for=fresh * HOUR,
        stale_until=usable * HOUR,
        institutions=document.take("institutions", _all_of(_pic), None),
        countries=document.take("countries", _all_of(_country), None),
        types=document.take("types", _all_of(_one_of(CredentialType)), None),
        levels=document.take("levels", _all_of(_one_of(AcademicLevel)), None),
        claims=document.take("claims", _all_of(_one_of(Claim)), frozenset()),
    )
    asks_level = policy.levels is not None or Claim.LEVEL in policy.claims
    if asks_level and policy.types == frozenset({CredentialType.STUDENT_ID}):
        document.refuse("types", "no_level")
    return Rules(document.names(), policy)


_KEYS = frozenset({"rules", "service", "live_only", "identity_only"}) | {
    "fresh_hours",
    "usable_hours",
    "institutions",
    "countries",
    "types",
    "levels",
    "claims",
}
Read = TypeVar("Read")
Default = TypeVar("Default")


class _Wrong(Exception):
    """A value is not what its key asks for."""

    def __init__(self, fault: str, **values: object) -> None:
        super().__init__(fault)
        self.fault, self.values = fault, values


@dataclass(frozen=True, slots=True)
class _Document:
    values: dict[str, Any]
    lines: dict[str, int]

    def refuse(self, key: str, fault: str, **values: object) -> NoReturn:
        raise RulesError(self.lines.get(key), fault, key=key, **values)

    def refuse_unknown(self) -> None:
        for key in self.values:
            if key not in self.lines:
                self.refuse(key, "not_bare")
            if key not in _KEYS and not _LANGUAGE.fullmatch(key):
                self.refuse(key, "unknown")

    def take(self, key: str, read: Callable[[object], Read], default: Default) -> Read | Default:
        if key not in self.values:
            return default
        try:
            return read(self.values[key])
        except _Wrong as wrong:
            self.refuse(key, wrong.fault, **wrong.values)

    def names(self) -> dict[str, str]:
        if "service" not in self.values:
            raise RulesError(None, "no_service")
        keys = [key for key in self.values if key == "service" or _LANGUAGE.fullmatch(key)]
        return {key.removeprefix("service").strip("_"): self.take(key, _name, "") for key in keys}


def _parse_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _as_rules_error(str(error), text) from error
    except (RecursionError, ValueError) as error:
        # Of numbers Python reads 4,300 digits.
        raise RulesError(None, "too_deep") from error


def _as_rules_error(message: str, text: str) -> RulesError:
    # Python 3.11 tells the place in the message only.
    place = _PLACE.search(message)
    line = place and place.group(1)
    last = text.count("\n", 0, len(text.rstrip())) + 1
    return RulesError(int(line) if line else last, "not_toml", why=_PLACE.sub("", message))


def _lines_of_keys(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if '"""' in line or "'''" in line:
            raise RulesError(number, "several_lines")
        if line.lstrip(" \t").startswith("["):
            raise RulesError(number, "table")
        if key := _KEY.match(line):
            lines.setdefault(key.group(1), number)
    return lines


def _version(value: object) -> int:
    if type(value) is not int or value != VERSION:
        raise _Wrong("version", version=VERSION)
    return VERSION


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("truth")
    return value


def _hours(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_HOURS:
        raise _Wrong("hours", most=MAX_HOURS)
    return value


def _name(value: object) -> str:
    usable = isinstance(value, str) and value == value.strip() and value.isprintable()
    if not isinstance(value, str) or not usable or not 1 <= len(value) <= MAX_NAME_CHARS:
        raise _Wrong("name", most=MAX_NAME_CHARS)
    return value


def _all_of(read: Callable[[object], Read]) -> Callable[[object], frozenset[Read]]:
    def read_all(value: object) -> frozenset[Read]:
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_LISTED:
            # An empty list would refuse everybody; to take all, the rule is left out.
            raise _Wrong("list", most=MAX_LISTED)
        found = [read(item) for item in value]
        if len(set(found)) < len(found):
            raise _Wrong("twice")
        return frozenset(found)

    return read_all


def _pic(value: object) -> str:
    try:
        return parse_pic(value if isinstance(value, str) else "")
    except MalformedIdentifier as error:
        raise _Wrong("pic") from error


def _country(value: object) -> str:
    if not isinstance(value, str) or not _COUNTRY.fullmatch(value):
        raise _Wrong("country")
    return value


def _one_of(names: type[Named]) -> Callable[[object], Named]:
    def read(value: object) -> Named:
        for name in names:
            if value == name.value:
                return name
        raise _Wrong("one_of", names=", ".join(f'"{name.value}"' for name in names))

    return read
