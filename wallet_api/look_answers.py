"""What an answer says of how an institution's cards look."""

from typing import Any

from pydantic import BaseModel, Field


class LogoOfInstitution(BaseModel):
    """A logo: its address changes with it, so it is kept for ever."""

    uri: str = Field(examples=["https://wallet.example/999853608/logo/9f86d081884c7d65..."])
    media_type: str = Field(examples=["image/png"])


def logo_facts(
    public_url: str, pic: str, sha256: str | None, media_type: str | None
) -> dict[str, Any] | None:
    """The member `logo`: None for an institution without one.

    Args:
        public_url: Of the wallet API.
        pic: The institution.
        sha256: Of its logo, hexadecimal.
        media_type: Of its logo.
    """
    if sha256 is None:
        return None
    return {"uri": logo_uri(public_url, pic, sha256), "media_type": media_type}


def logo_uri(public_url: str, pic: str, sha256: str) -> str:
    """Where the institution's logo is."""
    return f"{public_url}/{pic}/logo/{sha256}"
