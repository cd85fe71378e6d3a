"""What is known and as of when, in words and for machines."""

from verifier.bundle import Knowledge
from verifier.cli.answers import instant_of, moment_of
from verifier.cli.languages import Language
from verifier.status_changes import list_instants


def as_of(knowledge: Knowledge) -> int:
    """When the oldest status list was signed; without lists, the trust list."""
    return min(list_instants(knowledge), default=knowledge.trust.issued_at)


def summary_of(knowledge: Knowledge) -> dict[str, object]:
    """For a machine."""
    return {
        "sequence": knowledge.trust.sequence,
        "institutions": len(knowledge.trust.institutions),
        "status_lists": len(knowledge.status_lists),
        "status_as_of": instant_of(as_of(knowledge)),
        "trust_list_expires_at": instant_of(knowledge.trust.expires_at),
        "problems": list(knowledge.problems),
    }


def line_of(knowledge: Knowledge, language: Language) -> str:
    """For a person, in one line."""
    return language.word(
        "stored",
        sequence=knowledge.trust.sequence,
        institutions=len(knowledge.trust.institutions),
        lists=len(knowledge.status_lists),
        moment=moment_of(as_of(knowledge)),
    )
