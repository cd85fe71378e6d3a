"""Step f: a provider fetches what it needs to know, loses the network, and checks."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from verifier.identifiers import parse_pic
from wallet_api.demo.carrying import Phone, shown_at
from wallet_api.demo.forgeries import (
    card_of_unknown_institution,
    card_signed_for_another,
    change_one_letter,
)
from wallet_api.demo.place import Place
from wallet_api.demo.setting_up import Deployment
from wallet_api.demo.telling import Story

_FIVE_MINUTES = 300


class Check(NamedTuple):
    """A code, when it is checked, and what the story expects."""

    what: str
    text: str
    at: int  # seconds
    expected: str  # "live", "static", or a refusal's name


def fetch_and_check(story: Story, place: Place, deployment: Deployment, phone: Phone) -> None:
    """Step f: the bundle, then seven codes where no socket can be opened."""
    story.step("f", "A provider fetches the bundle, loses the network, and checks")
    anchor = place.folder / "anchor.json"
    anchor.write_text(story.run("issuer", "keys", "trust-anchor"), encoding="utf-8")
    words = ["fetch", f"{place.issuer_url}/bundle", "--anchor", str(anchor), "--lang", "en"]
    story.show(story.run("verifier", *words))
    story.say("  The network is cut: the checking process cannot open a socket any more.")
    check_offline(story, place, _codes(place, deployment, phone))


def fetch_again(story: Story) -> None:
    """What the provider does when there is network again."""
    story.run("verifier", "fetch", "--lang", "en")


def check_offline(story: Story, place: Place, checks: list[Check]) -> None:
    """Check codes in their order, with one memory of what was shown, without network."""
    asked = {
        "knowledge": str(place.knowledge),
        "checks": [{"what": c.what, "text": c.text, "at": c.at} for c in checks],
    }
    output = story.run("wallet_api.demo.offline", typed=json.dumps(asked), told=False)
    for check, line in zip(checks, output.splitlines(), strict=True):
        answer = json.loads(line)
        found = answer["refusal"] or answer["evidence"]
        story.expect(check.what, expected=check.expected, found=found)
        if answer["sentence"]:
            story.say(f"    [dim]{answer['sentence']}[/dim]")
            story.say(f"    [dim]{answer['hint']}[/dim]")


def _codes(place: Place, deployment: Deployment, phone: Phone) -> list[Check]:
    now, made = datetime.now(UTC), shown_at(phone.live_code)
    at = int(now.timestamp())
    first, second = (parse_pic(each["pic"]) for each in deployment.institutions[:2])
    foreign = card_signed_for_another(
        place.folder / "keys",
        (place.folder / "key-passphrase").read_bytes(),
        _signing_kid(place, second),
        first,
        now,
    )
    return [
        Check("the live code", phone.live_code, made + 1, "live"),
        Check("the same code shown again", phone.live_code, made + 9, "Replayed"),
        Check("a copy five minutes later", phone.live_code, made + _FIVE_MINUTES, "StaleCode"),
        Check("the printed code", phone.printed_code, at, "static"),
        Check("one letter changed", change_one_letter(phone.printed_code), at, "BadSignature"),
        Check(
            "an unknown institution", card_of_unknown_institution(now), at, "UnknownInstitution"
        ),
        Check("signed by another institution", foreign, at, "ForeignKey"),
    ]


def _signing_kid(place: Place, pic: str) -> str:
    url = f"{place.issuer_url}/.well-known/jwt-vc-issuer/{pic}"
    metadata: dict[str, Any] = httpx.get(url, timeout=10, trust_env=False).json()
    return str(metadata["jwks"]["keys"][0]["kid"])
