"""Status lists that are renewed one by one, each from the address that it is signed for.

For knowledge that came on a stick and whose trust list does not say where it is published. An
address belongs to an institution of the trust list, and whatever comes from it is checked as a
list of a bundle is.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from verifier.bundle import Knowledge
from verifier.edges.fetching import FetchError, fetch_status_list
from verifier.errors import CardError
from verifier.status import StatusListToken, parse_status_list_token
from verifier.status_list_trust import addresses_of, verify_signed_status
from verifier.trust_document import TrustedInstitution

MOST_LISTS = 64  # more of them are a bundle's work
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class RenewedLists:
    """What came.

    Attributes:
        tokens: Those that are newer than what is known, as they were signed.
        failures: Why others could not be had, in words.
    """

    tokens: tuple[str, ...]
    failures: tuple[str, ...]


def renew_status_lists(knowledge: Knowledge, *, now: int) -> RenewedLists:
    """Ask for the status lists of all institutions.

    Args:
        knowledge: What is known.
        now: Seconds since 1970, UTC.

    Raises:
        FetchError: There are too many of them.
    """
    addresses = addresses_of(knowledge.trust)
    if len(addresses) > MOST_LISTS:
        raise FetchError(
            f"the trust list names no address of its own, and more than {MOST_LISTS} status "
            "lists are not asked for one by one: say where from"
        )
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found = list(threads.map(partial(_renew, knowledge, addresses, now), sorted(addresses)))
    return RenewedLists(_kind_of(found, is_failure=False), _kind_of(found, is_failure=True))


@dataclass(frozen=True, slots=True)
class _Found:
    text: str
    is_failure: bool


def _kind_of(found: Iterable[_Found | None], *, is_failure: bool) -> tuple[str, ...]:
    return tuple(one.text for one in found if one is not None and one.is_failure is is_failure)


def _renew(
    knowledge: Knowledge, owners: Mapping[str, TrustedInstitution], now: int, address: str
) -> _Found | None:
    """The newest list of an address, None if that is known, or why there is none."""
    try:
        text = fetch_status_list(address)
        token = _checked(text, address, owners[address], now)
    except (FetchError, CardError) as error:
        return _Found(f"{address}: {error}", is_failure=True)
    held = knowledge.status_lists.get(address)
    if held is not None and token.issued_at <= held.issued_at:
        return None
    return _Found(text, is_failure=False)


def _checked(
    text: str, address: str, institution: TrustedInstitution, now: int
) -> StatusListToken:
    token = parse_status_list_token(text)
    if token.uri != address:
        raise FetchError("the server sends the list of another address")
    verify_signed_status(token, institution, now)
    return token
