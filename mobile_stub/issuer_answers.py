"""What an issuer's answers mean: tokens, devices and refusals (OpenID4VCI 1.0, Sections 6 to 8).

Words of the other side are shown to the student as they are, but short and printable.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mobile_stub.errors import Refused
from mobile_stub.network import Answer


@dataclass(frozen=True, slots=True)
class Access:
    """A token answer: the access token, and credential identifiers by configuration."""

    token: str
    identifiers: Mapping[str, str]


def expect_ok(answer: Answer) -> Answer:
    """The answer, when it is a 200.

    Raises:
        Refused: It is a refusal or a failure.
    """
    if answer.status == 200:
        return answer
    code = error_code(answer)
    if code is None or answer.status >= 500:
        raise Refused("server_error", host=answer.host, status=answer.status)
    raise Refused("issuer_refused", host=answer.host, code=code, words=words_of(answer))


def token_refusal(answer: Answer, *, with_code: bool) -> Refused:
    """Why there is no token: mostly a wrong code, and then how many tries are left."""
    if error_code(answer) != "invalid_grant":
        return Refused(
            "issuer_refused", host=answer.host, code=error_code(answer), words=words_of(answer)
        )
    left = answer.json_object_or_empty().get("tries_left")
    if with_code and isinstance(left, int) and left > 0:
        return Refused("wrong_tx_code_left", left=left)
    return Refused("wrong_tx_code" if with_code else "offer_used", words=words_of(answer))


def parse_access(answer: Answer) -> Access:
    """The access in a token answer (Section 6.2).

    Raises:
        Refused: There is no bearer token in it.
    """
    body = answer.json_object()
    token, kind = body.get("access_token"), body.get("token_type")
    if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise Refused("bad_answer", host=answer.host)
    details = body.get("authorization_details")
    named = [_identifiers(detail) for detail in details] if isinstance(details, list) else []
    return Access(token, {name: texts[0] for name, texts in named if name and texts})


def parse_nonce(answer: Answer) -> str:
    """The nonce in a nonce answer (Section 7.2).

    Raises:
        Refused: There is none in it.
    """
    nonce = answer.json_object().get("c_nonce")
    if not isinstance(nonce, str) or not nonce:
        raise Refused("bad_answer", host=answer.host)
    return nonce


def first_credential(answer: Answer) -> object:
    """The credential in a credential answer (Section 8.3).

    Raises:
        Refused: There is none.
    """
    credentials = answer.json_object().get("credentials")
    first = credentials[0] if isinstance(credentials, list) and credentials else None
    if not isinstance(first, dict) or "credential" not in first:
        raise Refused("bad_answer", host=answer.host)
    return first["credential"]


def _identifiers(detail: object) -> tuple[str | None, list[str]]:
    if not isinstance(detail, dict):
        return None, []
    name, identifiers = (
        detail.get("credential_configuration_id"),
        detail.get("credential_identifiers"),
    )
    texts = identifiers if isinstance(identifiers, list) else []
    return (
        name if isinstance(name, str) else None,
        [text for text in texts if isinstance(text, str)],
    )


def error_code(answer: Answer) -> str | None:
    """The `error` of a refusal in the OAuth dialect, or None."""
    if answer.status == 200:
        return None
    code = answer.json_object_or_empty().get("error")
    return printable(code) if isinstance(code, str) else None


def words_of(answer: Answer) -> str:
    """The `error_description` of a refusal in brackets, or ""."""
    words = answer.json_object_or_empty().get("error_description")
    return f"({printable(words)})" if isinstance(words, str) and words else ""


def printable(text: str) -> str:
    """Words of the other side, cut to what belongs on a terminal."""
    return "".join(char for char in text[:200] if char.isprintable())
