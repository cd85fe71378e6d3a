"""The settings of Web Push, alike in the services that take subscriptions and that tell phones."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

# The push services of the browsers in use: Chrome and its kin, Firefox, Edge, Safari.
PUSH_HOSTS = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.notify.windows.com",
    "web.push.apple.com",
)
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[?[0-9a-f:]+\]?")
# What stands for the "*": anything else could be no name, or none that a client resolves.
_LABEL = r"(?!..--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_BELOW = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_MAX_HOST_CHARS = 253


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ValueError("hosts in lower case, separated by commas; *.host for all below it")
    return hosts


def _contact(text: str) -> str:
    if not text.startswith(("mailto:", "https://")) or not text.isascii():
        raise ValueError("a contact begins with mailto: or https://")
    return text


PushHosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_hosts)]
PushContact = Annotated[str, AfterValidator(_contact)]


def is_allowed(host: str, hosts: tuple[str, ...]) -> bool:
    """Whether a push service at this host may be called."""
    return any(host == allowed or _is_below(host, allowed) for allowed in hosts)


def _is_below(host: str, allowed: str) -> bool:
    if not allowed.startswith("*.") or not host.endswith(allowed[1:]):
        return False
    below = host.removesuffix(allowed[1:])
    return len(host) <= _MAX_HOST_CHARS and _BELOW.fullmatch(below) is not None
