"""Where keys may travel: https, or http on this machine; one rule for settings and the router."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from issuer.esc_router.client import EscRouterClient
from issuer.safe_addresses import is_loopback, safe_address
from issuer.settings import PublicUrl

UNSAFE = [
    "http://router.example/esc-rest",
    "http://127.0.0.1.example/esc-rest",
    "http://127.0.0.1@router.example/esc-rest",
    "http://localhost.example/esc-rest",
    "http://128.0.0.1/esc-rest",
    "http://0.0.0.0/esc-rest",
    "http://2130706433/esc-rest",
    "http://[::2]/esc-rest",
    "http://[::1/esc-rest",
    "ftp://127.0.0.1/",
    "router.example",
    "//127.0.0.1/",
    "",
    "https://",
    "https:///esc-rest",
    "https://user:word@router.example/",
    "https://router.example/?key=1",
    "https://router.example/#part",
]
SAFE = [
    "https://router.example/esc-rest",
    "https://192.0.2.1:8443/esc-rest",
    "http://localhost:8003/esc-rest",
    "http://127.0.0.1/esc-rest",
    "http://127.8.9.10:8003/esc-rest",
    "http://[::1]:8003/esc-rest",
]


@pytest.mark.parametrize("address", UNSAFE)
def test_an_address_that_others_can_listen_in_on_is_refused(
    address: str, http: httpx.Client
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - urllib says its own words of some
        safe_address(address)
    with pytest.raises(ValidationError):
        TypeAdapter(PublicUrl).validate_python(address)
    with pytest.raises(ValueError):  # noqa: PT011
        EscRouterClient(address, "key", http)


@pytest.mark.parametrize("address", SAFE)
def test_an_address_that_is_safe_for_one_is_safe_for_all(address: str, http: httpx.Client) -> None:
    assert safe_address(address + "/") == address
    assert TypeAdapter(PublicUrl).validate_python(address) == address
    EscRouterClient(address, "key", http)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.255.255.254", "::1", "localhost"])
def test_the_whole_range_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client
