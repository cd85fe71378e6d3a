"""Where things are published: paths on the issuer's server, and addresses made of them.

The addresses are signed into credentials and status lists, so a path never changes its meaning.
"""

TRUST_LIST_PATH = "/trust-list"
AGGREGATION_PATH = "/status-lists"
BUNDLE_PATH = "/bundle"
CHANGES_PATH = "/bundle/changes"
DELTAS_PATH = "/status-deltas"  # parts of the changes, not served by themselves
TYPE_METADATA_PATH = "/types/european-student-card/v1"


def issuer_of(public_url: str, pic: str) -> str:
    """The `iss` of an institution's SD-JWT VCs."""
    return f"{public_url}/{pic}"


def issuer_metadata_path(pic: str) -> str:
    """The well-known path, inserted before the institution's (SD-JWT VC draft 19, section 5)."""
    return f"/.well-known/jwt-vc-issuer/{pic}"


def jwks_path(pic: str) -> str:
    """The path of an institution's public keys."""
    return f"/{pic}/jwks.json"


def status_list_path(pic: str, number: int) -> str:
    """The path of an institution's status list."""
    return f"/status-lists/{pic}/{number}"


def status_delta_path(pic: str, number: int) -> str:
    """Where the newest delta of an institution's status list is kept."""
    return f"{DELTAS_PATH}/{pic}/{number}"


def status_list_uri(public_url: str, pic: str, number: int) -> str:
    """The `uri` of a status list, which is also its token's `sub`."""
    return public_url + status_list_path(pic, number)
