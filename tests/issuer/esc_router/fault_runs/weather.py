"""Bad days of the router, at random: conditions for the sandbox to stand under."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

Condition = dict[str, Any]

HANGS_SECONDS = 0.6  # longer than the workers' patience


def bad_weather(random: Random, now: datetime) -> list[Condition]:
    """Some conditions that stand together."""
    kinds = random.sample(sorted(_KINDS), random.randint(1, 4))
    return [
        {"kind": kind, "seed": random.randrange(2**31)} | _KINDS[kind](random, now)
        for kind in kinds
    ]


def _share(random: Random) -> float:
    return random.choice([0.05, 0.2, 0.5])


def _latency(random: Random, _now: datetime) -> Condition:
    if random.random() < 0.1:
        return {"seconds": HANGS_SECONDS, "share": 0.03}
    return {"spread_seconds": 0.004, "share": 0.5}


def _errors(random: Random, _now: datetime) -> Condition:
    statuses = random.sample([408, 500, 502, 503, 504], random.randint(1, 3))
    return {"share": _share(random), "statuses": statuses, "effect": random.random() < 0.5}


def _refusals(_random: Random, _now: datetime) -> Condition:
    """A delivery that meets it stops until staff send it again."""
    return {"kind": "errors", "share": 0.1, "statuses": [400, 422]}


def _lost_replies(random: Random, _now: datetime) -> Condition:
    return {"share": _share(random)}


def _duplicates(random: Random, _now: datetime) -> Condition:
    return {"share": _share(random), "answer": random.choice(["first", "second"])}


def _strange_answers(random: Random, _now: datetime) -> Condition:
    manners = random.sample(["html", "empty", "broken_json", "redirect"], 2)
    return {"share": _share(random), "manners": manners, "effect": random.random() < 0.5}


def _rate_limit(random: Random, _now: datetime) -> Condition:
    return {"per_second": random.choice([0.2, 1.0, 5.0]), "burst": random.randint(1, 6)}


def _downtime(random: Random, now: datetime) -> Condition:
    start = now + timedelta(seconds=random.uniform(-1, 60))
    return {
        "from": start.isoformat(),
        "until": (start + timedelta(seconds=random.uniform(1, 600))).isoformat(),
        "manner": random.choice(["unavailable", "closed", "maintenance_page"]),
        "announced": random.random() < 0.5,
    }


_KINDS: dict[str, Callable[[Random, datetime], Condition]] = {
    "latency": _latency,
    "errors": _errors,
    "refusals": _refusals,
    "lost_replies": _lost_replies,
    "duplicates": _duplicates,
    "strange_answers": _strange_answers,
    "rate_limit": _rate_limit,
    "downtime": _downtime,
}
