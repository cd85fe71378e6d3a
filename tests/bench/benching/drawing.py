"""Drawing QR codes as SVG: phones draw their own; the server does not."""

from collections.abc import Iterator

from benching.measuring import Effort, Figure


def measure(_: Effort) -> Iterator[Figure]:
    """Row eight of the table, once a service draws."""
    yield Figure(
        "QR as SVG on the server", "the matrix with a fixed mask", 1.3, note="not built yet"
    )
