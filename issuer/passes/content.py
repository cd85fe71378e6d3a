"""What is kept of a pass's code and of what stands beside it; sealed, as it names a student."""

import json
from dataclasses import asdict, dataclass

from issuer.sealing import Sealer


@dataclass(frozen=True, slots=True)
class PassContent:
    """What a pass says that is not said by the card's row.

    Attributes:
        code: The text of the E1.
        name: The student's, in full.
        level: `AcademicLevel`, if known.
        expires_at: The code's end, in seconds.
    """

    code: str
    name: str
    level: str | None
    expires_at: int

    def seal(self, sealer: Sealer) -> bytes:
        """As it is stored."""
        return sealer.seal(json.dumps(asdict(self), ensure_ascii=False).encode())


def unseal_content(sealer: Sealer, sealed: bytes) -> PassContent:
    """The inverse of `PassContent.seal`.

    Raises:
        NotUnsealable: It was sealed with another secret, or changed since.
    """
    return PassContent(**json.loads(sealer.unseal(sealed)))
