"""Settings of Apple's passes, the same for who signs them and for who tells phones of them."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

_TOGETHER = (
    "apple_pass_type_id",
    "apple_team_id",
    "apple_certificate_file",
    "apple_key_file",
    "apple_wwdr_file",
)


class ApplePassSettings(BaseSettings):
    """Apple's passes: all of these or none, the passphrase only where the key has one.

    Attributes:
        apple_pass_type_id: As registered with Apple, `pass.` and a name in reverse.
        apple_team_id: The ten characters of the developer team.
        apple_certificate_file: The certificate of the pass type, PEM.
        apple_key_file: Its private key, PEM.
        apple_key_passphrase_file: Holds the key's passphrase.
        apple_wwdr_file: Apple's intermediate certificate that signed it, PEM.
    """

    apple_pass_type_id: (
        Annotated[str, Field(pattern=r"^pass\.[A-Za-z0-9][A-Za-z0-9.-]{0,150}$")] | None
    ) = None
    apple_team_id: Annotated[str, Field(pattern="^[A-Z0-9]{10}$")] | None = None
    apple_certificate_file: Path | None = None
    apple_key_file: Path | None = None
    apple_key_passphrase_file: Path | None = None
    apple_wwdr_file: Path | None = None

    @model_validator(mode="after")
    def _all_or_none(self) -> "ApplePassSettings":
        given = [name for name in _TOGETHER if getattr(self, name) is not None]
        if given and len(given) < len(_TOGETHER):
            missing = ", ".join(name.upper() for name in _TOGETHER if name not in given)
            raise ValueError(f"Apple's passes need these settings as well: {missing}")
        return self
