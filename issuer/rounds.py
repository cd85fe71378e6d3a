"""What a round of the worker did."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Round:
    """What one round did.

    Attributes:
        begun: Cards whose first day has come.
        expired: Cards whose last day has passed.
        erased: Students of whom nothing personal is left.
        delivered: Facts that the ESC-Router has now.
        told: Phones that were told to ask again.
        passes_renewed: Passes whose code was signed anew.
        passes_told: Phones that were told of a pass that changed.
        reconciled: Reconciliations that ended.
        adopted: Adoptions that ended.
        published: Paths of documents that are new.
        failures: What did not work, in words without personal data.
    """

    begun: int = 0
    expired: int = 0
    erased: int = 0
    delivered: int = 0
    told: int = 0
    passes_renewed: int = 0
    passes_told: int = 0
    reconciled: int = 0
    adopted: int = 0
    published: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
