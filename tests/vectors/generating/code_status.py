"""Vectors of steps 10 and 11: the card's entry, the age of the list, codes shown before."""

from collections.abc import Iterator

from generating import world
from generating.cards import card, e1, e2, members, says, text1, text2
from generating.vector import DAY, HOUR, NOW, Vector


def vectors() -> Iterator[Vector]:
    yield from _status()
    yield from _status_age()
    yield from _replay()


def _with_status(number: int, index: int) -> bytes:
    return e1(members({"s": [number, index]}))


def _status() -> Iterator[Vector]:
    for name, expect, number, index in (
        ("revoked", "Revoked", world.FRESH, world.REVOKED),
        ("suspended", "Suspended", world.FRESH, world.SUSPENDED),
        ("status_reserved_value", "Revoked", world.FRESH, world.RESERVED),
        ("status_last_index", "valid", world.FRESH, 60),
        ("status_index_outside", "StatusUnknown", world.FRESH, world.SIZE),
        ("status_index_far_outside", "StatusUnknown", world.FRESH, (1 << 32) - 1),
        ("status_list_not_in_trust_list", "StatusUnknown", 99, 0),
        ("status_list_number_0", "StatusUnknown", 0, 0),
        ("status_list_not_in_bundle", "StatusUnknown", world.MISSING, 0),
        ("status_list_by_another_institution", "StatusUnknown", world.WRONG_KEY, 0),
        ("status_list_by_a_compromised_key", "StatusUnknown", world.BY_COMPROMISED, 0),
        ("status_list_from_the_future", "StatusUnknown", world.FUTURE, 0),
        ("status_one_bit", "valid", world.ONE_BIT, 2),
        ("status_one_bit_revoked", "Revoked", world.ONE_BIT, 3),
        ("status_four_bits", "valid", world.FOUR_BITS, 4),
        ("status_four_bits_value_15", "Revoked", world.FOUR_BITS, 63),
        ("status_eight_bits", "valid", world.EIGHT_BITS, 4),
        ("status_eight_bits_suspended", "Suspended", world.EIGHT_BITS, 6),
        ("status_eight_bits_value_255", "Revoked", world.EIGHT_BITS, 63),
    ):
        name = f"valid_{name}" if expect == "valid" else name
        yield card(name, expect, text1(_with_status(number, index)))
    yield card("revoked_though_shown_live", "Revoked", text2(e2(_with_status(world.FRESH, 1))))


def _status_age() -> Iterator[Vector]:
    for name, number, result in (
        ("status_24_hours_old", world.EDGE_OF_FRESH, says(status_as_of=NOW - DAY)),
        (
            "status_a_second_older_than_24_hours",
            world.STALE,
            says(status_as_of=NOW - DAY - 1, freshness="stale"),
        ),
        (
            "status_7_days_old",
            world.EDGE_OF_STALE,
            says(status_as_of=NOW - 7 * DAY, freshness="stale"),
        ),
        ("status_list_ended_within_the_leeway", world.ENDING, says()),
        ("status_list_a_minute_ahead", world.NEARLY_FUTURE, says(status_as_of=NOW + 60)),
    ):
        yield card(f"valid_{name}", "valid", text1(_with_status(number, 0)), result=result)
    text = text1(_with_status(world.TOO_OLD, 0))
    yield card("status_a_second_older_than_7_days", "StatusTooOld", text)
    yield card("status_list_ended", "StatusTooOld", text1(_with_status(world.ENDED, 0)))
    text = text1(_with_status(world.TOO_OLD, 1))
    yield card("revoked_however_old_the_list", "Revoked", text)
    text = text1(_with_status(world.ENDED, 2))
    yield card("suspended_though_the_list_ended", "Suspended", text)
    fresh = text1(e1())
    policy = f"stale_until={HOUR - 1} fresh_for=60"
    yield card("status_older_than_a_strict_service_takes", "StatusTooOld", fresh, policy=policy)
    policy = f"fresh_for={HOUR - 1}"
    result = says(freshness="stale")
    yield card(
        "valid_status_stale_for_a_strict_service", "valid", fresh, policy=policy, result=result
    )


def _replay() -> Iterator[Vector]:
    yield card("shown_twice", "Replayed", text2(e2()), shown_before="yes")
    text = text2(e2(shown_at=NOW + 15))
    yield card("shown_twice_from_a_clock_ahead", "Replayed", text, shown_before="yes")
    text = text1(e1())
    yield card("valid_static_shown_twice", "valid", text, shown_before="yes")
