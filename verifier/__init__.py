"""What a valid European Student Card is, decided offline.

The core is pure: bytes and a clock in, a `VerifiedCard` or a named refusal out. It owns every
format (identifiers, SD-JWT VC, the ESC QR, status lists, trust list, offline bundle). Its edges
(`verifier.edges`: files, fetching; `verifier.cli`: the command line) are never imported by it.
"""

from verifier.bundle import Knowledge, verify_bundle
from verifier.checks import Evidence, VerifiedCard
from verifier.errors import CardError
from verifier.policy import Freshness, Policy
from verifier.verify import verify_card
from verifier.verify_credential import ExpectedKeyBinding, verify_credential

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
