"""Staff's words for why."""

from issuer.errors import ReasonRequired

MAX_REASON_CHARS = 200


def checked_reason(reason: str) -> str:
    """Staff's words for why, without blanks around them.

    Raises:
        ReasonRequired: The reason is empty or too long.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= MAX_REASON_CHARS or not reason.isprintable():
        raise ReasonRequired(f"a reason of 1 to {MAX_REASON_CHARS} characters is required")
    return reason
