"""What a phone is called towards phones: a text that says nothing of how many there are."""

from issuer.sealing import Sealer

_BYTES = 8


def opaque_id(sealer: Sealer, device_id: int) -> str:
    """Sixteen hexadecimal digits, the same for as long as the deployment's secret.

    Hexadecimal, since people give it to a command line, where "-" begins an option.
    """
    return sealer.derive("device_id", str(device_id).encode())[:_BYTES].hex()
