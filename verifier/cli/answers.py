"""One answer, for a person or for a machine (docs/verifier.md has the JSON's members)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from verifier.checks import VerifiedCard
from verifier.cli.languages import Language
from verifier.errors import CardError, CodeFromFuture, NotYetValid, StaleCode
from verifier.policy import DAY, HOUR, Freshness

# What a wrong clock on this device would look like.
CLOCK_REFUSALS = (CodeFromFuture, NotYetValid, StaleCode)
_RED, _GREEN, _YELLOW, _BOLD, _RESET = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one check: a card, or a refusal."""

    card: VerifiedCard | None
    refusal: CardError | None
    checked_at: int

    @property
    def is_valid(self) -> bool:
        """Whether the card was accepted."""
        return self.card is not None


def day_of(seconds: int) -> str:
    """The last day before an instant, `2027-06-30`: what "valid until" means to people."""
    return datetime.fromtimestamp(max(seconds - 1, 0), UTC).date().isoformat()


def moment_of(seconds: int) -> str:
    """An instant for people, to the minute, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def instant_of(seconds: int) -> str:
    """An instant for machines (RFC 3339)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_json(answer: Answer, language: Language) -> dict[str, Any]:
    """The answer for a machine; every member is always there, null where it says nothing."""
    card, refusal = answer.card, answer.refusal
    texts = language.refusal(type(refusal).__name__) if refusal else None
    return {
        "outcome": "valid" if card else "refused",
        "refusal": type(refusal).__name__ if refusal else None,
        "sentence": texts.sentence if texts else None,
        "hint": texts.hint if texts else None,
        "type": card.type.value if card else None,
        "evidence": card.evidence.value if card else None,
        "escn": card.escn if card else None,
        "pic": card.pic if card else None,
        "institution": card.institution.name if card else None,
        "country": card.institution.country if card else None,
        "name": card.name if card else None,
        "level": card.level.value if card and card.level else None,
        "esi": card.esi.text if card and card.esi else None,
        "profile": card.profile.value if card else None,
        "issued_at": instant_of(card.issued_at) if card else None,
        "expires_at": instant_of(card.expires_at) if card else None,
        "shown_at": instant_of(card.shown_at) if card and card.shown_at else None,
        "status_as_of": instant_of(card.status_as_of) if card else None,
        "freshness": card.freshness.value if card else None,
        "checked_at": instant_of(answer.checked_at),
    }


def as_text(answer: Answer, language: Language, *, colour: bool) -> str:
    """The answer for a person: the decision first, as a word, then why and what to do."""
    if answer.card is not None:
        return "\n".join(_valid_lines(answer.card, answer.checked_at, language, colour))
    return "\n".join(_refused_lines(answer, language, colour))


def _valid_lines(card: VerifiedCard, now: int, language: Language, colour: bool) -> list[str]:
    word = _paint(language.word("valid"), _GREEN, colour)
    about = [f"{card.institution.name} ({card.institution.country})"]
    if card.level is not None:
        about.append(language.word(card.level.value))
    about.append(language.word("until", day=day_of(card.expires_at)))
    lines = [f"✔ {word}  {language.word(card.evidence.value)}"]
    if card.name is not None:
        lines.append(f"  {card.name}")
    lines.append(f"  {' · '.join(about)}")
    if card.esi is not None:
        lines.append(f"  {card.esi.text}")
    age = _age(now - card.status_as_of, language)
    lines.append(f"  {language.word('as_of', moment=moment_of(card.status_as_of), age=age)}")
    if card.freshness is Freshness.STALE:
        lines.append("  " + _paint(language.word("stale_warning"), _YELLOW, colour))
    return lines


def _refused_lines(answer: Answer, language: Language, colour: bool) -> list[str]:
    name = type(answer.refusal).__name__
    texts = language.refusal(name)
    word = _paint(language.word("refused"), _RED, colour)
    lines = [f"✘ {word}  {texts.sentence}", f"  {texts.hint}"]
    if isinstance(answer.refusal, CLOCK_REFUSALS):
        lines.append(f"  {language.word('clock_hint', moment=moment_of(answer.checked_at))}")
    lines.append(f"  [{name}]")
    return lines


def _age(seconds: int, language: Language) -> str:
    if seconds >= 2 * DAY:
        return language.word("days", count=seconds // DAY)
    if seconds >= 2 * HOUR:
        return language.word("hours", count=seconds // HOUR)
    return language.word("minutes", count=max(seconds, 0) // 60)


def _paint(text: str, paint: str, colour: bool) -> str:
    return f"{_BOLD}{paint}{text}{_RESET}" if colour else text
