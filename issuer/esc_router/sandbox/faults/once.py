"""One-shot faults: what a router does on a bad day, for the next requests that fit.

Each request is served by the first fault that fits, until that was used `times` times.
"""

from threading import Lock
from typing import Annotated

from pydantic import Field
from starlette.types import Scope

from issuer.esc_router.sandbox.faults.answering import FAULT_BODY, Answer
from issuer.esc_router.sandbox.faults.conditions import Selection


class Fault(Selection):
    """One fault. Without `status` and `cut` the request is only delayed."""

    times: Annotated[int, Field(ge=1, description="For how many requests")] = 1
    delay_seconds: Annotated[float, Field(ge=0, le=600)] = 0
    effect: Annotated[bool, Field(description="The request takes effect before it fails")] = False
    cut: Annotated[bool, Field(description="Close the connection within the answer")] = False
    status: Annotated[int | None, Field(ge=200, le=599, description="Answer with this")] = None
    headers: Annotated[
        dict[str, str], Field(default_factory=lambda: {"content-type": "application/json"})
    ]
    body: str = FAULT_BODY
    body_bytes: Annotated[
        int, Field(ge=0, le=1_000_000_000, description="Blanks after the body")
    ] = 0

    @property
    def answer(self) -> Answer | None:
        """What is sent instead of the router's answer; None if it only waits."""
        if self.status is None and not self.cut:
            return None
        status = self.status or 200
        return Answer(status, self.headers, self.body, blanks=self.body_bytes, cut=self.cut)


class Faults:
    """The faults that are left, in order; used by many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: list[Fault] = []

    def replace(self, faults: list[Fault]) -> None:
        """Forget the old ones."""
        with self._lock:
            self._left = [fault.model_copy() for fault in faults]

    def left(self) -> list[Fault]:
        """Those that were not used up."""
        with self._lock:
            return [fault.model_copy() for fault in self._left]

    def take(self, scope: Scope) -> Fault | None:
        """The first that fits this request, used once more."""
        with self._lock:
            for fault in self._left:
                if fits(fault, scope):
                    fault.times -= 1
                    self._left = [left for left in self._left if left.times > 0]
                    return fault
        return None


def fits(selection: Selection, scope: Scope) -> bool:
    """Whether a fault or condition is about this request."""
    return (
        (selection.method is None or selection.method == scope["method"])
        and (selection.path is None or selection.path in scope["path"])
        and (
            selection.authorization is None
            or selection.authorization.encode() == authorization_of(scope)
        )
    )


def authorization_of(scope: Scope) -> bytes:
    """The header's value, or nothing."""
    found: bytes = dict(scope["headers"]).get(b"authorization", b"")
    return found
