"""What a valid European Student Card is, decided offline.

The core is pure: bytes and a clock in, a `VerifiedCard` or a named refusal out. It owns every
format (identifiers, SD-JWT VC, the ESC QR, status lists, trust list, offline bundle). Its edges
(`verifier.edges`: files, fetching; `verifier.cli`: the command line) are never imported by it.
"""

from typing import TYPE_CHECKING

from verifier.bundle import Knowledge, verify_bundle
from verifier.checks import Evidence, VerifiedCard
from verifier.errors import CardError
from verifier.policy import Freshness, Policy
from verifier.verify import verify_card

if TYPE_CHECKING:
    from verifier.verify_sd_jwt_vc import ExpectedKeyBinding, verify_credential

__all__ = [
    "CardError",
    "Evidence",
    "ExpectedKeyBinding",
    "Freshness",
    "Knowledge",
    "Policy",
    "VerifiedCard",
    "verify_bundle",
    "verify_card",
    "verify_credential",
]


def __getattr__(name: str) -> object:
    # Loaded when they are first used: a till that reads codes only starts sooner without.
    if name not in ("ExpectedKeyBinding", "verify_credential"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from verifier import verify_sd_jwt_vc  # noqa: PLC0415

    value: object = getattr(verify_sd_jwt_vc, name)
    globals()[name] = value
    return value
