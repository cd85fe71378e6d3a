"""A vector, and how it is written: docs/vectors.md."""

import json
from dataclasses import dataclass, field
from typing import Any

NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
HOUR, DAY, YEAR = 3_600, 86_400, 31_536_000


@dataclass(frozen=True)
class Vector:
    """One file: `name` without its folder and ending is the fault (of `two_faults`, both)."""

    kind: str  # folder
    name: str
    check: str
    expect: str
    payload: str
    result: dict[str, Any] | None = None
    comment: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{self.kind}/{self.name}.txt"

    @property
    def text(self) -> str:
        lines = {"check": self.check, "expect": self.expect, **self.headers}
        if self.result is not None:
            lines["result"] = json.dumps(self.result, ensure_ascii=False)
        if self.comment:
            lines["comment"] = self.comment
        head = "".join(f"{key}: {value}\n" for key, value in lines.items())
        return f"{head}\n{self.payload}\n"
