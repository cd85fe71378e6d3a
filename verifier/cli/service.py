"""What the local service answers (docs/local-service.md); `service_http` speaks HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from verifier.cli.answers import as_json, instant_of, moment_of
from verifier.cli.asking import make_request
from verifier.cli.desk import Desk
from verifier.cli.knowing import summary_of
from verifier.cli.languages import Language, available_languages, load_language
from verifier.cli.values import MAX_CHALLENGE_BYTES
from verifier.edges.knowledge_file import KnowledgeError
from verifier.errors import CardError, MalformedPresentation
from verifier.policy import Claim
from verifier.presentation_request import encode_request
from verifier.rules import Rules
from verifier.strict_json import parse_json_object
from verifier.verify_sd_jwt_vc import ExpectedKeyBinding

_MEMBERS = ("code", "rules", "challenge", "audience", "nonce", "language")
_ASKING = ("audience", "rules", "claims")


class Problem(Exception):
    """What is wrong with a request, or why it cannot be answered (RFC 9457)."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


@dataclass(frozen=True, slots=True)
class Service:
    """What the service answers with.

    Attributes:
        desk: Decides.
        services: Rules by the name under which a request asks for them; the first is the usual.
        language: Of sentences, where a request asks for none.
        origins: Of the pages that may ask, `https://till.example` for example.
        fetch_problems: Why nothing new could be fetched last time, if so.
    """

    desk: Desk
    services: Mapping[str, Rules]
    language: Language
    origins: frozenset[str]
    fetch_problems: list[str] = field(default_factory=list)

    def check(self, body: bytes) -> dict[str, Any]:
        """Decide a code; the answer is that of `check --json`.

        Raises:
            Problem: The request is not one, or nothing can be decided.
        """
        request = _parse_request(body, _MEMBERS)
        rules = self._rules_of(request)
        language = _language_of(request, self.language)
        challenge = request.get("challenge", "").encode("utf-8")
        if len(challenge) > MAX_CHALLENGE_BYTES:
            raise Problem(400, "Bad request", f"challenge: at most {MAX_CHALLENGE_BYTES} bytes")
        try:
            answer = self.desk.decide(
                request["code"], rules.policy, challenge=challenge, binding=_binding_of(request)
            )
        except KnowledgeError as error:
            raise Problem(503, "Nothing can be decided", str(error)) from error
        return as_json(answer, language)

    def ask(self, body: bytes) -> dict[str, Any]:
        """A request that a phone answers; its nonce is for one answer, given back by whoever asks.

        Raises:
            Problem: The request is not one, or cannot be made.
        """
        asked = _parse_request(body, _ASKING)
        rules = self._rules_of(asked)
        further = [claim for claim in Claim if claim in asked.get("claims", "").split(",")]
        if len(further) != len(asked["claims"].split(",") if "claims" in asked else ()):
            raise Problem(400, "Bad request", "claims: name, level, esi, separated by commas")
        try:
            lists = self.desk.lists()
            request = make_request(asked["audience"], rules.policy, further, lists)
        except KnowledgeError as error:
            raise Problem(503, "Nothing can be decided", str(error)) from error
        except MalformedPresentation as error:
            raise Problem(400, "Bad request", f"this cannot be asked: {error}") from error
        text = encode_request(request)
        return {"request": text, "audience": request.audience, "nonce": request.nonce}

    def _rules_of(self, request: Mapping[str, str]) -> Rules:
        rules = self.services.get(request.get("rules", next(iter(self.services))))
        if rules is None:
            raise Problem(400, "Unknown rules", "rules: one of " + ", ".join(self.services))
        return rules

    def status(self) -> dict[str, Any]:
        """What is known, as of when, and by which clock."""
        try:
            lists = self.desk.lists()
            knowledge = [{"list": name, **summary_of(lists[name])} for name in lists]
        except KnowledgeError:
            knowledge = []  # the desk's problems say why
        now, problems = self.desk.clock(), [*self.desk.problems, *self.fetch_problems]
        if self.desk.doubts_clock():
            problems.append(self.language.word("clock_wrong", moment=moment_of(now)))
        return {
            "knowledge": knowledge,
            "problems": problems,
            "services": {
                name: rules.name_in(self.language.code) for name, rules in self.services.items()
            },
            "clock": instant_of(now),
        }

    def health(self) -> dict[str, Any]:
        """Whether codes can be decided.

        Raises:
            Problem: They cannot.
        """
        try:
            lists = self.desk.lists()
        except KnowledgeError as error:
            raise Problem(503, "Nothing can be decided", str(error)) from error
        now = self.desk.clock()
        if all(known.trust.expires_at <= now for known in lists.values()):
            raise Problem(503, "Nothing can be decided", "the trust list is past its own end")
        return {"ready": True}


def schema() -> dict[str, Any]:
    """The JSON Schema of all that the service takes and answers."""
    text = resources.files("verifier.cli").joinpath("service.schema.json").read_bytes()
    content: dict[str, Any] = json.loads(text)
    return content


def _parse_request(body: bytes, members: Sequence[str]) -> dict[str, str]:
    """The body's members; the first of `members` must be there.

    Raises:
        Problem: It has others, or is no JSON object of texts.
    """
    try:
        request = parse_json_object(body)
    except CardError as error:
        raise Problem(400, "Bad request", "the body is not a JSON object") from error
    needed, *wanted = members
    if request.keys() - set(members) or needed not in request:
        raise Problem(400, "Bad request", f"members: {needed}; if wanted {', '.join(wanted)}")
    for name, value in request.items():
        if not isinstance(value, str):
            raise Problem(400, "Bad request", f"{name}: a text")
    return request


def _binding_of(request: Mapping[str, str]) -> ExpectedKeyBinding | None:
    if "audience" not in request and "nonce" not in request:
        return None
    if not request.get("audience") or not request.get("nonce"):
        raise Problem(400, "Bad request", "audience and nonce go together")
    return ExpectedKeyBinding(request["audience"], request["nonce"])


def _language_of(request: Mapping[str, str], usual: Language) -> Language:
    code = request.get("language", usual.code)
    if code not in available_languages():
        raise Problem(400, "Bad request", "language: one of " + ", ".join(available_languages()))
    return usual if code == usual.code else load_language(code)
