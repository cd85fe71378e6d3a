"""The kinds of pass, and under which name their codes stand among a phone's credentials."""

from enum import StrEnum


class PassKind(StrEnum):
    """Whose wallet a pass is for."""

    APPLE = "apple"
    GOOGLE = "google"

    @property
    def configuration(self) -> str:
        """`Credential.configuration` of its code: no phone asks for it or renews it by name."""
        return f"pass-{self.value}"


PASS_CONFIGURATIONS = tuple(kind.configuration for kind in PassKind)
