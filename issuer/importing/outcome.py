"""What became of rows."""

from dataclasses import dataclass

from issuer.importing.rows import Fault


@dataclass(slots=True)
class Counts:
    """What became of rows."""

    created: int = 0  # students that were not known
    changed: int = 0  # students whose data or card changed
    unchanged: int = 0
    cards: int = 0  # new cards, of new students or after an expired one

    def add(self, other: "Counts") -> None:
        """Count those of another chunk, too."""
        self.created += other.created
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.cards += other.cards


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a chunk."""

    counts: Counts
    faults: list[Fault]  # of rows that only the database could refuse
