"""What is known and as of when, in words and for machines."""

from verifier.bundle import Knowledge
from verifier.bundle_on_demand import ListsOnDemand
from verifier.cli.answers import instant_of, moment_of
from verifier.cli.languages import Language


def as_of(knowledge: Knowledge) -> int:
    """When the oldest status list was signed; without lists, the trust list."""
    lists = knowledge.status_lists
    if isinstance(lists, ListsOnDemand):
        return min(lists.times(), default=knowledge.trust.issued_at)
    return min((token.issued_at for token in lists.values()), default=knowledge.trust.issued_at)


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
