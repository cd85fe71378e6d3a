"""`make demo KEEP=1`: the services stay, with the web wallet, the scanner and a fresh offer."""

from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from wallet_api.demo.dressing import add_photo
from wallet_api.demo.place import Place
from wallet_api.demo.services import Services
from wallet_api.demo.setting_up import Deployment

_ROOT = Path(__file__).parents[2]
_PAGES = {"web wallet": _ROOT / "mobile_stub/web/dist", "scanner": _ROOT / "verifier/web/dist"}

HOW_TO_KEEP = (
    "\nThe services end here. `make demo KEEP=1` leaves them up and says where they are, with the"
    " web wallet, the scanner and a card for you."
)


def keep_services(
    console: Console, place: Place, services: Services, deployment: Deployment
) -> None:
    """Say where everything is, and stay until interrupted."""
    _say(console, "\nThe services stay up until Ctrl-C:")
    _say(console, f"  issuer      {place.issuer_url}  (its API: {place.issuer_url}/openapi.json)")
    _say(console, f"  wallet API  {place.wallet_url}")
    _say(console, f"  ESC-Router  {place.router_url}")
    if missing := [name for name, folder in _PAGES.items() if not (folder / "sw.js").is_file()]:
        _say(
            console,
            f"  Not built: {' and '.join(missing)}. `make web-build` builds them (Node 20).",
        )
    else:
        _start_pages(services, place)
        _say(console, f"  web wallet  {place.web_wallet_url}")
        _say(console, f"  scanner     {place.scanner_url}")
        _tell_scanner(console, place)
    _tell_offer(console, deployment, place, has_wallet=not missing)
    services.wait()


def _start_pages(services: Services, place: Place) -> None:
    pages = {"mobile_stub": place.web_wallet_url, "verifier": place.scanner_url}
    for package, url in pages.items():
        services.start(f"{package}-web", [package, "web", "--port", url.rpartition(":")[2]])
    for package, url in pages.items():
        services.await_answer(f"{package}-web", url)


def _tell_scanner(console: Console, place: Place) -> None:
    _say(console, "\nThe scanner asks once for what it trusts:")
    _say(console, f"  address of the bundle         {place.issuer_url}/bundle")
    anchor = (place.folder / "anchor.json").read_text("utf-8").strip()
    _say(console, f"  public key of the trust list  {anchor}")


def _tell_offer(
    console: Console, deployment: Deployment, place: Place, *, has_wallet: bool
) -> None:
    offer = _offer(deployment, place)
    link = offer["web_wallet_link"] if has_wallet else offer["credential_offer_uri"]
    _say(console, "\nA card for you, for 15 minutes: open this link and give the code.")
    _say(console, f"  {link}")
    _say(console, f"  code {offer['tx_code']}")


def _offer(deployment: Deployment, place: Place) -> dict[str, Any]:
    """A new offer for a card of the first institution that is active."""
    pic = deployment.institutions[0]["pic"]
    with deployment.staff(place, pic) as staff:
        cards = staff.get("/api/v1/cards", params={"state": "active", "size": 1}).json()
        escn = cards["items"][0]["escn"]
        add_photo(staff, place, cards["items"][0]["esi"])
        headers = staff.headers
    url = f"{place.wallet_url}/api/v1/cards/{escn}/offers"
    answer = httpx.post(url, headers=headers, timeout=30, trust_env=False)
    offer: dict[str, Any] = answer.raise_for_status().json()
    return offer


def _say(console: Console, line: str) -> None:
    # Whole links, to be clicked and copied.
    console.print(line, markup=False, soft_wrap=True)
