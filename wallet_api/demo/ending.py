"""Step g: the institution suspends, reinstates and revokes; everyone else learns it."""

import time

import httpx

from wallet_api.demo.carrying import Phone, live_code_of, refresh_phone, show_nothing, shown_at
from wallet_api.demo.checking import Check, check_offline, fetch_again
from wallet_api.demo.place import Place
from wallet_api.demo.setting_up import Deployment, waiting_deliveries
from wallet_api.demo.telling import StepFailed, Story

PUBLISHED_WITHIN = 60.0  # seconds from staff's action to bundle and router


def end_card(story: Story, place: Place, deployment: Deployment, phone: Phone) -> None:
    """Step g: the card is suspended, reinstated and, for good, revoked."""
    story.step("g", "The institution suspends, reinstates and revokes the card")
    _change(story, place, deployment, phone, "suspend", reason="library card lost")
    _check_live(story, place, "after the suspension", "Suspended")
    _change(story, place, deployment, phone, "reinstate")
    _check_live(story, place, "after the reinstatement", "live")
    # A code made before the revocation: the phone itself will show none afterwards.
    code = live_code_of(story, place)
    _change(story, place, deployment, phone, "revoke", reason="left the university")
    at = shown_at(code) + 1
    check_offline(story, place, [Check("a live code after the revocation", code, at, "Revoked")])
    story.expect("the ESC-Router says", expected="INACTIVE", found=_router_status(place, phone))
    said = refresh_phone(story, place)
    found = "revoked, with the reason" if "left the university" in said else said
    story.expect("the phone learns it", expected="revoked, with the reason", found=found)
    show_nothing(story, place)


def _change(
    story: Story,
    place: Place,
    deployment: Deployment,
    phone: Phone,
    action: str,
    *,
    reason: str | None = None,
) -> None:
    before = _etag(place)
    because = ["--reason", reason] if reason else []
    story.show(story.run("issuer", "cards", action, phone.escn, *because))
    deadline = time.monotonic() + PUBLISHED_WITHIN
    while _etag(place) == before or waiting_deliveries(deployment, place, phone.pic):
        if time.monotonic() > deadline:
            raise StepFailed(f"{action} is not published and delivered after {PUBLISHED_WITHIN} s")
        time.sleep(0.2)
    fetch_again(story)


def _check_live(story: Story, place: Place, when: str, expected: str) -> None:
    code = live_code_of(story, place)
    check = Check(f"a live code {when}", code, shown_at(code) + 1, expected)
    check_offline(story, place, [check])


def _etag(place: Place) -> str:
    return httpx.get(f"{place.issuer_url}/bundle", timeout=10, trust_env=False).headers["etag"]


def _router_status(place: Place, phone: Phone) -> str:
    host = place.router_url.removesuffix("/esc-rest")
    url = f"{host}/esc-verifier-service/api/v1/cards/verify/{phone.escn}"
    answer = httpx.get(url, timeout=10, trust_env=False).json()
    return str(answer["cardStatusType"]["key"])
