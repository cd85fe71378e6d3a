"""What a valid European Student Card is, decided offline.

The core is pure: bytes and a clock in, a `VerifiedCard` or a named refusal out. It owns every
format (identifiers, SD-JWT VC, the ESC QR, status lists, trust list, offline bundle). Its edges
(`verifier.edges`: files, fetching; `verifier.cli`: the command line) are never imported by it.
"""
