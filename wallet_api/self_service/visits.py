"""The session that a code opens: a sealed cookie that lives a quarter of an hour.

Nothing of it is stored here. It names the letter, which is looked up at each request: a newer
letter, an erasure or the end of the last card ends it at once. A form carries a token that
follows from the cookie, so that no other page can send it; SameSite and the check of the origin
say the same again.
"""

import hmac
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response

from issuer.errors import NotUnsealable
from issuer.sealing import Sealer
from verifier.jws import b64url_encode

LIFETIME = 900  # seconds
_NAME = "esc-my-card"
_MAX_COOKIE_CHARS = 1024


@dataclass(frozen=True, slots=True)
class Visit:
    """A session as its cookie says it.

    Attributes:
        letter_id: Whose code opened it.
        form_token: What its forms must carry.
    """

    letter_id: int
    form_token: str


def cookie_name(public_url: str) -> str:
    """Over https a name that browsers accept from this very host only."""
    return f"__Host-{_NAME}" if public_url.startswith("https:") else _NAME


def begin(
    response: Response, sealer: Sealer, public_url: str, *, letter_id: int, now: int
) -> None:
    """Set the cookie of a new session."""
    content = json.dumps({"letter": letter_id, "until": now + LIFETIME, "for": _NAME})
    response.set_cookie(
        cookie_name(public_url),
        sealer.seal(content.encode()).decode(),
        max_age=LIFETIME,
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )


def end(response: Response, public_url: str) -> None:
    """Take the cookie away."""
    response.delete_cookie(
        cookie_name(public_url),
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )


def visit_of(request: Request, sealer: Sealer, public_url: str, *, now: int) -> Visit | None:
    """The session of a request, unless it is over or none."""
    cookie = request.cookies.get(cookie_name(public_url), "")
    if not 0 < len(cookie) <= _MAX_COOKIE_CHARS or not cookie.isascii():
        return None
    try:
        content = json.loads(sealer.unseal(cookie.encode()))
    except (NotUnsealable, ValueError):
        return None
    # Other things are sealed with the same key.
    if not isinstance(content, dict) or content.get("for") != _NAME or content["until"] <= now:
        return None
    token = b64url_encode(sealer.derive("my_card_form", cookie.encode())[:18])
    return Visit(int(content["letter"]), token)


def is_from_this_page(request: Request, public_url: str) -> bool:
    """Whether a form was sent by a page of ours, as far as the browser says."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    parts = urlsplit(public_url)
    return request.headers.get("origin") in (None, f"{parts.scheme}://{parts.netloc}")


def carries(form_token: str, visit: Visit) -> bool:
    """Whether a form carries the token of the session."""
    return hmac.compare_digest(form_token.encode(), visit.form_token.encode())
