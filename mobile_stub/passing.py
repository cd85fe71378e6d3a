"""`pass`: the card as a pass for the wallets of Apple and Google (the wallet API's own routes).

The pass goes to a file or a link; what is done with either is the other wallet's business.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mobile_stub.cards import Card
from mobile_stub.device_key import decode_key, possession_proof
from mobile_stub.errors import Refused
from mobile_stub.files import replace_file
from mobile_stub.network import Answer, Network
from mobile_stub.phone import Phone
from mobile_stub.refreshing import fetch_nonce
from mobile_stub.sentences import institution_of

KINDS = ("apple", "google")
_PKPASS = "application/vnd.apple.pkpass"
_ZIP = b"PK\x03\x04"
_SAVE = "https://pay.google.com/gp/v/save/"
# The refusals that have a sentence of their own, by the end of their problem type.
_SENTENCES = {
    "passes-not-offered": "passes_not_offered",
    "pass-not-held": "pass_not_held",
    "card-state": "pass_not_active",
    "device-not-known": "device_unknown",
    "device-ended": "device_unknown",
}


def run_pass(phone: Phone, arguments: Namespace) -> int:
    """Take a pass, take one back, or tell which can be had.

    Raises:
        Refused: The card's issuer has nothing to ask.
    """
    card = phone.open_wallet().choose_card(arguments.card)
    if card.device_token is None or card.card_uri is None:
        raise Refused("no_refresh")
    with phone.network() as network:
        passes = Passes(network, phone.clock, card, card.card_uri.rsplit("/", 1)[0])
        if arguments.apple is not None:
            _save_apple(phone, passes, arguments.apple)
        elif arguments.google:
            phone.write(passes.google())
        elif arguments.take_back is not None:
            passes.take_back(arguments.take_back)
            phone.say("pass_taken_back", institution=institution_of(card))
        else:
            _tell(phone, passes)
    return 0


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one card; `device` is the address of this phone at the wallet API."""

    network: Network
    clock: Callable[[], datetime]
    card: Card
    device: str

    def standing(self) -> dict[str, str]:
        """The sentence of each kind: whether this phone has one, or can have one.

        Raises:
            Refused: There is no such answer.
        """
        answer = self._call("GET", "")
        body = answer.json_object()
        found = {kind: body.get(kind) for kind in KINDS}
        held = body.get("held")
        if not all(isinstance(value, bool) for value in found.values()):
            raise Refused("bad_answer", host=answer.host)
        if not isinstance(held, list):
            raise Refused("bad_answer", host=answer.host)
        offered = {True: "pass_offered", False: "pass_not_offered"}
        return {
            kind: "pass_held" if kind in held else offered[value is True]
            for kind, value in found.items()
        }

    def apple(self) -> bytes:
        """A signed pass, as a file.

        Raises:
            Refused: There is none to have, or the answer is none.
        """
        answer = self._take("apple")
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if kind != _PKPASS or not answer.body.startswith(_ZIP):
            raise Refused("bad_answer", host=answer.host)
        return answer.body

    def google(self) -> str:
        """A link that saves the pass.

        Raises:
            Refused: There is none to have, or the answer is none.
        """
        answer = self._take("google")
        link = answer.json_object().get("save_uri")
        if not isinstance(link, str) or not link.startswith(_SAVE) or not link.isascii():
            raise Refused("bad_answer", host=answer.host)
        return link

    def take_back(self, kind: str) -> None:
        """End the pass of this kind.

        Raises:
            Refused: The phone has none.
        """
        self._call("DELETE", f"/{kind}")

    def _take(self, kind: str) -> Answer:
        nonce = fetch_nonce(self.network, self.card.credential_issuer)
        proof = possession_proof(
            decode_key(self.card.key),
            audience=self.card.credential_issuer,
            nonce=nonce,
            now=self.clock(),
        )
        return self._call("POST", f"/{kind}", body={"proofs": {"jwt": [proof]}})

    def _call(self, method: str, path: str, *, body: object = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.card.device_token}"}
        address = f"{self.device}/passes{path}"
        answer = self.network.call(method, address, headers=headers, body=body)
        if answer.status in (200, 204):
            return answer
        slug = str(answer.json_object_or_empty().get("type", "")).rpartition(":")[2]
        sentence = _SENTENCES.get(slug, "server_error")
        raise Refused(sentence, host=answer.host, status=answer.status)


def _save_apple(phone: Phone, passes: Passes, path: Path) -> None:
    replace_file(path, passes.apple())
    phone.say("pass_written", path=path)


def _tell(phone: Phone, passes: Passes) -> None:
    for kind, sentence in passes.standing().items():
        phone.say(sentence, wallet=kind.capitalize())
