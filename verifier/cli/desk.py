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
from verifier.cli.answers import CLOCK_REFUSALS, Answer
from verifier.edges.knowledge_file import KnowledgeError, KnowledgeFromFuture
from verifier.edges.knowledge_folder import Mark, load_lists, mark_lists
from verifier.errors import CardError, UnknownInstitution
from verifier.policy import Policy
from verifier.presentation_qr import is_part, join_parts
from verifier.replay import ReplayMemory
from verifier.signature_cache import SignatureCache
from verifier.trust import LEEWAY
from verifier.verify import verify_card
from verifier.verify_sd_jwt_vc import ExpectedKeyBinding, verify_credential

_IN_A_ROW = 2  # refusals for their time: one may be a copy, more are rather this clock
_PATIENCE = 10  # seconds, after which knowledge from the future is tried again


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
    _taken_in_at: int = 0
    _is_from_future: bool = False
    _untimely: int = 0  # refusals in a row that a wrong clock would explain
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lists(self) -> dict[str, Knowledge]:
        """What is known, by the name of the trust list, in the order of asking.

        Raises:
            KnowledgeError: Nothing that can be used.
            KnowledgeFromFuture: Nothing, since it was signed after now.
        """
        with self._lock:
            marks = mark_lists(self.folder)
            if marks != self._marks or self._may_be_past_now():
                self._take_in(marks)
            if not self._lists:
                kind = KnowledgeFromFuture if self._is_from_future else KnowledgeError
                raise kind("; ".join(self.problems))
            return self._lists

    def doubts_clock(self) -> bool:
        """Whether this machine's clock is probably wrong.

        Either knowledge was signed after now, or several codes in a row were refused for their
        time.
        """
        now = self.clock()
        signed_at = (known.trust.issued_at for known in self._lists.values())
        is_behind = any(moment > now + LEEWAY for moment in signed_at)
        return is_behind or self._is_from_future or self._untimely >= _IN_A_ROW

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
            text: What was scanned; of a presentation in parts, all of them, one a line.
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
            if _is_credential(shown):
                # Of all that can be shown, a live code alone holds a challenge; a wallet that was
                # asked by a request signs its nonce.
                return verify_credential(
                    shown,
                    knowledge=knowledge,
                    now=now,
                    policy=policy._replace(live_only=policy.live_only or bool(challenge)),
                    expected_key_binding=binding,
                )
            return verify_card(
                shown,
                knowledge=knowledge,
                now=now,
                policy=policy,
                replay=self.replay,
                challenge=challenge,
                cache=self._cache,
            )

        try:
            # All parts of a presentation, one a line.
            shown = join_parts(text.strip().split("\n")) if is_part(text) else text
            answer = Answer(_first_that_knows(lists, verify), None, now)
        except CardError as refusal:
            answer = Answer(None, refusal, now)
        if at is None:
            untimely = isinstance(answer.refusal, CLOCK_REFUSALS)
            self._untimely = self._untimely + 1 if untimely else 0
        return answer

    def _may_be_past_now(self) -> bool:
        # A machine without a clock of its own starts in the past, until the network tells it.
        return self._is_from_future and abs(self.clock() - self._taken_in_at) >= _PATIENCE

    def _take_in(self, marks: dict[str, Mark | None]) -> None:
        try:
            known = load_lists(self.folder, now=self.clock())
            # A list that cannot be read any more stays as it was.
            kept = {name: old for name, old in self._lists.items() if name in marks}
            self._lists = dict(sorted({**kept, **known.lists}.items()))
            self.problems, self._is_from_future = known.problems, known.is_from_future
        except KnowledgeError as error:
            self.problems = (str(error),)
            self._is_from_future = isinstance(error, KnowledgeFromFuture)
        self._taken_in_at = self.clock()
        # A file that cannot be used is not read again until it changes.
        self._marks = marks


def _first_that_knows(
    lists: dict[str, Knowledge], verify: Callable[[Knowledge], VerifiedCard]
) -> VerifiedCard:
    """The answer of the first list that names the institution.

    Raises:
        UnknownInstitution: None does.
    """
    earlier: list[Knowledge] = []
    for knowledge in lists.values():
        try:
            card = verify(knowledge)
        except UnknownInstitution:
            earlier.append(knowledge)
            continue
        # A credential names its institution by an address, which a list can choose: the PIC too
        # must be none that an earlier list answers for.
        if any(card.pic in known.trust.institutions for known in earlier):
            break
        return card
    raise UnknownInstitution("no trust list that is known here names the institution")


def _is_credential(text: str) -> bool:
    """An SD-JWT has tildes; no code of a card has one."""
    return "~" in text
