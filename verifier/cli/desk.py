"""A desk that decides code after code, for as long as it is open.

What it knows is taken in again when the file changes, so that another process may fetch; what
it cannot read any more leaves it with what it had.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from verifier.bundle import Knowledge
from verifier.cli.answers import Answer
from verifier.edges.knowledge_file import FILE_NAME, KnowledgeError, load_knowledge
from verifier.errors import CardError
from verifier.policy import Policy
from verifier.replay import ReplayMemory
from verifier.signature_cache import SignatureCache
from verifier.verify import verify_card
from verifier.verify_credential import verify_credential

Mark = tuple[int, int, int]


@dataclass
class Desk:
    """Decides with what is known in a folder; for any number of threads.

    Attributes:
        folder: Where knowledge is kept.
        clock: Seconds since 1970, UTC.
        replay: Remembers live codes, or None.
        problem: Why newer knowledge could not be taken in, if so.
    """

    folder: Path
    clock: Callable[[], int]
    replay: ReplayMemory | None
    problem: str | None = None
    _cache: SignatureCache = field(default_factory=SignatureCache)
    _knowledge: Knowledge | None = None
    _mark: Mark | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def knowledge(self) -> Knowledge:
        """The newest that can be used.

        Raises:
            KnowledgeError: There is none.
        """
        with self._lock:
            mark = self._mark_of_file()
            if mark != self._mark or self._knowledge is None:
                self._take_in(mark)
            if self._knowledge is None:
                raise KnowledgeError(self.problem or "nothing is known yet")
            return self._knowledge

    def decide(
        self, text: str, policy: Policy, *, challenge: bytes = b"", at: int | None = None
    ) -> Answer:
        """Check one code or credential.

        Args:
            text: What was scanned.
            policy: What the service accepts.
            challenge: What the phone was asked to sign as well.
            at: The moment to check for, seconds since 1970; by default the present.

        Raises:
            KnowledgeError: Nothing usable is known, or codes cannot be remembered.
        """
        knowledge = self.knowledge()
        now = self.clock() if at is None else at
        try:
            if _is_credential(text):
                card = verify_credential(text, knowledge=knowledge, now=now, policy=policy)
            else:
                card = verify_card(
                    text,
                    knowledge=knowledge,
                    now=now,
                    policy=policy,
                    replay=self.replay,
                    challenge=challenge,
                    cache=self._cache,
                )
        except CardError as refusal:
            return Answer(None, refusal, now)
        return Answer(card, None, now)

    def _take_in(self, mark: Mark | None) -> None:
        try:
            self._knowledge = load_knowledge(self.folder, now=self.clock()).knowledge
            self.problem = None
        except KnowledgeError as error:
            self.problem = str(error)
        # A file that cannot be used is not read again until it changes.
        self._mark = mark

    def _mark_of_file(self) -> Mark | None:
        try:
            status = (self.folder / FILE_NAME).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def _is_credential(text: str) -> bool:
    """An SD-JWT has tildes; no code of a card has one."""
    return "~" in text
