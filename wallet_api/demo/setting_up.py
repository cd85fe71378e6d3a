"""Steps a to c: institutions with keys, a file of students, the ESC-Router."""

import json
import os
import secrets
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from wallet_api.demo.place import Place
from wallet_api.demo.services import Services
from wallet_api.demo.telling import StepFailed, Story

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
ROWS_LEFT_OUT = 4  # exit code of the import
PUBLISHED_WITHIN = 60.0  # seconds for the first trust list
RECONCILING_PACE = "500"  # requests per second; the real router is asked more slowly
ROUTER_WITHIN = 180.0  # seconds for all students of the file


@dataclass
class Deployment:
    """What staff know once everything runs."""

    institutions: list[dict[str, Any]]
    staff_keys: dict[str, str] = field(default_factory=dict)  # by PIC
    router_keys: dict[str, str] = field(default_factory=dict)

    def staff(self, place: Place, pic: str) -> httpx.Client:
        """A client of the staff API with an institution's key."""
        return httpx.Client(
            base_url=place.issuer_url,
            headers={"Authorization": f"Bearer {self.staff_keys[pic]}"},
            timeout=30.0,
            trust_env=False,
        )


def set_up(story: Story, place: Place, services: Services) -> Deployment:
    """Step a: a processor and its three institutions, keys, the trust list."""
    story.step("a", "A national centre and three institutions are set up")
    content = tomllib.loads((EXAMPLES / "institutions.toml").read_text("utf-8"))
    deployment = Deployment(content["institutions"])
    (processor,) = content["processors"]
    story.show(story.run("issuer", "init"))
    story.run("issuer", "processor", "add", processor["vat"], "--name", processor["name"])
    for institution in deployment.institutions:
        _add_institution(story, deployment, institution, processor["vat"])
    _start_services(story, place, services, deployment, processor)
    found = "signed and published" if _is_published(place) else "missing"
    story.expect("trust list", expected="signed and published", found=found)
    return deployment


def import_students(story: Story, place: Place, deployment: Deployment) -> int:
    """Step b: the file; ten faulty rows are reported, the others become cards."""
    story.step("b", "The institutions' students are imported from a file")
    words = ("issuer", "import", os.path.relpath(EXAMPLES / "students.csv"))
    first = story.run(*words, expected_code=ROWS_LEFT_OUT)
    story.show(first)
    left_out = sum(line.startswith("│") for line in first.splitlines())
    story.expect("faulty rows, each with field and reason", expected="10", found=str(left_out))
    cards = sum(_count(deployment, place, pic, "cards") for pic in deployment.staff_keys)
    second = story.run(*words, expected_code=ROWS_LEFT_OUT)
    story.show(second.splitlines()[0])
    again = sum(_count(deployment, place, pic, "cards") for pic in deployment.staff_keys)
    story.expect("cards after the same file once more", expected=str(cards), found=str(again))
    return cards


def wait_for_router(story: Story, place: Place, deployment: Deployment, cards: int) -> None:
    """Step c: the worker registers persons, then cards.

    Raises:
        StepFailed: It took too long.
    """
    story.step("c", "The cards are registered with the ESC-Router, person first, then card")
    deadline = time.monotonic() + ROUTER_WITHIN
    while waiting := sum(
        waiting_deliveries(deployment, place, pic) for pic in deployment.staff_keys
    ):
        if time.monotonic() > deadline:
            raise StepFailed(f"{waiting} deliveries still wait for the router")
        story.console.print(f"  {waiting} still to deliver", highlight=False)
        time.sleep(1.0)
    story.show(story.run("issuer", "esc-router", "status"))
    registered = sum(_router_count(place, key) for key in deployment.router_keys.values())
    story.expect("cards that the router holds", expected=str(cards), found=str(registered))
    equal = sum(_is_equal(story, pic) for pic in deployment.router_keys)
    story.expect(
        "institutions whose students and cards are the same on both sides",
        expected=str(len(deployment.router_keys)),
        found=str(equal),
    )


def _is_equal(story: Story, pic: str) -> bool:
    """Whether a reconciliation finds no difference, record by record."""
    said = story.run("issuer", "esc-router", "reconcile", pic, "--pace", RECONCILING_PACE)
    story.show(said)
    return "both sides are equal" in said


def _is_published(place: Place) -> bool:
    deadline = time.monotonic() + PUBLISHED_WITHIN
    while time.monotonic() < deadline:
        answer = httpx.get(f"{place.issuer_url}/trust-list", timeout=10, trust_env=False)
        if answer.status_code == 200:
            return True
        time.sleep(0.1)
    return False


def _add_institution(
    story: Story, deployment: Deployment, institution: dict[str, Any], vat: str
) -> None:
    pic = institution["pic"]
    options = [
        *("--name", institution["name"], "--country", institution["country"]),
        *("--home", institution["schac_home_organization"], "--processor", vat),
        *(word for scope in institution["esi_scopes"] for word in ("--scope", scope)),
        *(word for prefix in institution["escn_prefixes"] for word in ("--prefix", prefix)),
    ]
    story.run("issuer", "institution", "add", pic, *options)
    story.run("issuer", "keys", "create", pic)
    deployment.router_keys[pic] = secrets.token_urlsafe(24)
    story.run("issuer", "router-key", "set", pic, typed=deployment.router_keys[pic] + "\n")
    created = story.run("issuer", "staff-key", "create", pic, "--role", "admin", "--label", "demo")
    deployment.staff_keys[pic] = next(word for word in created.split() if word.startswith("esc_"))


def _start_services(
    story: Story,
    place: Place,
    services: Services,
    deployment: Deployment,
    processor: dict[str, Any],
) -> None:
    pics = ",".join(deployment.router_keys)
    organisations = [
        f"--organisation={each['pic']}:{each['name']}:{deployment.router_keys[each['pic']]}"
        for each in deployment.institutions
    ]
    words = [
        *("issuer.esc_router.sandbox", "--port", str(place.router_port)),
        *("--database", str(place.folder / "router.db"), *organisations),
        f"--processor={processor['vat']}:{processor['name']}:{secrets.token_urlsafe(24)}:{pics}",
    ]
    services.start("router", words)
    services.start("issuer", ["issuer", "serve", "--with-worker"])
    services.start("wallet", ["wallet_api", "serve"])
    services.await_answer("router", place.router_url)
    services.await_answer("issuer", f"{place.issuer_url}/healthz")
    services.await_answer("wallet", f"{place.wallet_url}/healthz")
    story.say(f"  Running: issuer at {place.issuer_url}, wallet API at {place.wallet_url},")
    story.say(f"  and an ESC-Router sandbox at {place.router_url}")


def _count(deployment: Deployment, place: Place, pic: str, what: str) -> int:
    with deployment.staff(place, pic) as staff:
        return int(staff.get(f"/api/v1/{what}", params={"size": 1}).json()["total"])


def waiting_deliveries(deployment: Deployment, place: Place, pic: str) -> int:
    """How many facts the institution's outbox still holds for the router."""
    with deployment.staff(place, pic) as staff:
        answer = staff.get("/api/v1/deliveries", params={"state": "waiting", "size": 1})
        return int(answer.json()["total"])


def _router_count(place: Place, key: str) -> int:
    answer = httpx.get(
        f"{place.router_url}/api/v2/cards",
        headers={"Authorization": f"Bearer {key}"},
        timeout=10,
        trust_env=False,
    )
    return int(json.loads(answer.content)["page"]["totalElements"])
