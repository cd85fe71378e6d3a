"""Organisations for a sandbox that was told of none: invented, with keys that everyone knows."""

from typing import Final

from issuer.esc_router.sandbox.organisations import Organisation

# Invented numbers; the example files of this repository use others of the same range.
EXAMPLES: Final = (
    Organisation("999900001", "Example University", "example-university-key"),
    Organisation("999900002", "Sample College", "sample-college-key"),
    Organisation(
        "LV00000000000", "Example Service Centre", "example-centre-key", frozenset({"999900001"})
    ),
)
