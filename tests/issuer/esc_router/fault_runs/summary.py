"""What many runs were, in numbers."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.issuer.esc_router.fault_runs.playing import Outcome

_DOCUMENT = Path(__file__).with_name("document.md")


@dataclass
class Summary:
    """Adds outcomes up."""

    seeds: range
    played: Counter[str] = field(default_factory=Counter)  # by kind of database
    totals: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.played[outcome.database] += 1
        for name in ("kills", "database_kills", "clock_steps", "keys_refused", "sent_again"):
            self.totals[name] += getattr(outcome, name)
        for name in ("staff_changes", "requests"):
            self.totals[name] += getattr(outcome, name)
        self.totals["enrolments"] += outcome.enrolments
        self.totals["cards"] += outcome.cards
        self.totals["repeated"] += outcome.repeated
        self.totals["wrong"] += len(outcome.wrong)
        self.faults.update(outcome.faults)
        if outcome.wrong:
            self.failed.append(outcome.seed)

    def rows(self) -> list[tuple[str, str]]:
        """Name and number, in the order in which they are told."""
        kinds = ", ".join(f"{count:,} on {kind}" for kind, count in sorted(self.played.items()))
        totals = self.totals
        return [
            ("runs", f"{sum(self.played.values()):,} ({kinds})"),
            ("seeds", f"{self.seeds[0]} to {self.seeds[-1]}"),
            ("workers killed (SIGKILL)", f"{totals['kills']:,}"),
            ("PostgreSQL killed", f"{totals['database_kills']:,}"),
            ("clocks set by an hour or a day", f"{totals['clock_steps']:,}"),
            ("keys refused and stored anew", f"{totals['keys_refused']:,}"),
            ("deliveries refused for good, sent again by staff", f"{totals['sent_again']:,}"),
            ("changes by staff", f"{totals['staff_changes']:,}"),
            ("calls to the router", f"{totals['requests']:,}"),
            *((f"... that met: {kind}", f"{n:,}") for kind, n in self.faults.most_common()),
            ("requests that had taken effect before, absorbed", f"{totals['repeated']:,}"),
            ("enrolments at the router at the end", f"{totals['enrolments']:,}"),
            ("cards at the router at the end", f"{totals['cards']:,}"),
            ("differences and other faults at the end", f"{totals['wrong']:,}"),
            ("seeds that failed", ", ".join(map(str, sorted(self.failed))) or "none"),
        ]

    def text(self) -> str:
        width = max(len(name) for name, _ in self.rows())
        return "\n".join(f"{name:{width}}  {number}" for name, number in self.rows())

    def document(self) -> str:
        table = "\n".join(f"| {name} | {number} |" for name, number in self.rows())
        return _DOCUMENT.read_text(encoding="utf-8").format(
            day=datetime.now(UTC).date(), table=table
        )
