"""A desk that decides code after code, for as long as it is open.

What it knows is taken in again when a file changes, so that another process may fetch; what it
cannot read any more leaves it with what it had.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from verifier.bundle import Knowledge
from verifier.checks import VerifiedCard
from verifier.cli.answers import Answer
from verifier.edges.knowledge_file import KnowledgeError
from verifier.edges.knowledge_folder import Mark, load_lists, mark_lists
from verifier.errors import CardError, UnknownInstitution
from verifier.policy import Policy
from verifier.replay import ReplayMemory
from verifier.signature_cache import SignatureCache
from verifier.verify import verify_card
from verifier.verify_credential import ExpectedKeyBinding, verify_credential


@dataclass
class Desk:
    """Decides with what is known in a folder; for any number of threads.

    Attributes:
        folder: Where knowledge is kept.
        clock: Seconds since 1970, UTC.
        replay: Remembers live codes, or None.
        problems: Why newer knowledge could not be taken in, if so.
    """

    folder: Path
    clock: Callable[[], int]
    replay: ReplayMemory | None
    problems: tuple[str, ...] = ()
    _cache: SignatureCache = field(default_factory=SignatureCache)
    _lists: dict[str, Knowledge] = field(default_factory=dict)
    _marks: dict[str, Mark | None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lists(self) -> dict[str, Knowledge]:
        """What is known, by the name of the trust list, in the order of asking.

        Raises:
            KnowledgeError: Nothing that can be used.
        """
        with self._lock:
            marks = mark_lists(self.folder)
            if marks != self._marks:
                self._take_in(marks)
            if not self._lists:
                raise KnowledgeError("; ".join(self.problems))
            return self._lists

    def decide(
        self,
        text: str,
        policy: Policy,
        *,
        challenge: bytes = b"",
        binding: ExpectedKeyBinding | None = None,
        at: int | None = None,
    ) -> Answer:
        """Check one code or credential.

        Args:
            text: What was scanned.
            policy: What the service accepts.
            challenge: What the phone was asked to sign as well.
            binding: What a wallet was asked to sign, for a credential.
            at: The moment to check for, seconds since 1970; by default the present.

        Raises:
            KnowledgeError: Nothing usable is known, or codes cannot be remembered.
        """
        lists = self.lists()
        now = self.clock() if at is None else at

        def verify(knowledge: Knowledge) -> VerifiedCard:
            if _is_credential(text):
                return verify_credential(
                    text,
                    knowledge=knowledge,
                    now=now,
                    policy=policy,
                    expected_key_binding=binding,
                )
            return verify_card(
                text,
                knowledge=knowledge,
                now=now,
                policy=policy,
                replay=self.replay,
                challenge=challenge,
                cache=self._cache,
            )

        try:
            return Answer(_first_that_knows(lists, verify), None, now)
        except CardError as refusal:
            return Answer(None, refusal, now)

    def _take_in(self, marks: dict[str, Mark | None]) -> None:
        try:
            known = load_lists(self.folder, now=self.clock())
            # A list that cannot be read any more stays as it was.
            kept = {name: old for name, old in self._lists.items() if name in marks}
            self._lists = dict(sorted({**kept, **known.lists}.items()))
            self.problems = known.problems
        except KnowledgeError as error:
            self.problems = (str(error),)
        # A file that cannot be used is not read again until it changes.
        self._marks = marks


def _first_that_knows(
    lists: dict[str, Knowledge], verify: Callable[[Knowledge], VerifiedCard]
) -> VerifiedCard:
    """The answer of the first list that names the institution.

    Raises:
        UnknownInstitution: None does.
    """
    for knowledge in lists.values():
        try:
            return verify(knowledge)
        except UnknownInstitution:
            continue
    raise UnknownInstitution("no trust list that is known here names the institution")


def _is_credential(text: str) -> bool:
    """An SD-JWT has tildes; no code of a card has one."""
    return "~" in text
