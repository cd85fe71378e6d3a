"""What an answer says of a student's photos."""

from typing import Any, Literal

from pydantic import BaseModel, Field

PHOTO_PATH = "/device/photo"


class PhotoOfCard(BaseModel):
    """The photo that counts: fetched with the device token, kept until its hash changes."""

    uri: str = Field(examples=["https://wallet.example/device/photo"])
    sha256: str = Field(examples=["9f86d081884c7d65..."])


class OwnPhoto(BaseModel):
    """Where the photo stands that the student sent last."""

    state: Literal["none", "waiting", "refused", "approved"]
    reason: str | None = Field(description="Why it was refused; staff's words", examples=[None])
    uri: str = Field(examples=["https://wallet.example/device/photo"])


def photo_facts(public_url: str, sha256: str | None) -> dict[str, Any] | None:
    """The member `photo`: None while no photo counts.

    Args:
        public_url: Of the wallet API.
        sha256: Of the photo that counts.
    """
    return None if sha256 is None else {"uri": public_url + PHOTO_PATH, "sha256": sha256}


def own_photo_facts(public_url: str, state: str | None, reason: str | None) -> dict[str, Any]:
    """The member `own_photo`, where the institution takes photos from students.

    Args:
        public_url: Of the wallet API.
        state: Of the latest that waits, counts or was refused; None if there is none.
        reason: Why it was refused.
    """
    return {"state": state or "none", "reason": reason, "uri": public_url + PHOTO_PATH}
