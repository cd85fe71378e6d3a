"""What a phone is called towards phones: a text that says nothing of how many there are."""

from issuer.sealing import Sealer
from verifier.jws import b64url_encode

_BYTES = 12


def opaque_id(sealer: Sealer, device_id: int) -> str:
    """Sixteen characters, the same for as long as the deployment's secret."""
    return b64url_encode(sealer.derive("device_id", str(device_id).encode())[:_BYTES])
