"""What the phone asks about itself and its card's other phones: beside the card's own address.

A phone that was ended hears so on every route. The card stays on it, shown as ended and without
a code, until its owner forgets it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mobile_stub.cards import ENDINGS, Card
from mobile_stub.errors import CardNotActive, Refused
from mobile_stub.network import Answer, Network

_ENDED = ":device-ended"


@dataclass(frozen=True, slots=True)
class DeviceRoutes:
    """Asks for one wallet's cards; `save` makes changes last."""

    network: Network
    save: Callable[[], None]

    def ask(self, card: Card, method: str, path: str = "", *, body: object = None) -> Answer:
        """Send a request as this card's phone; any 2xx is returned, 404 and 409 too.

        Raises:
            Refused: The phone is not known there, or the service failed.
            CardNotActive: The phone was ended: the card is kept as such.
        """
        if card.device_token is None or card.card_uri is None:
            raise Refused("no_refresh")
        if card.ended is not None:
            raise CardNotActive(f"card_ended_{card.ended}")
        # The device is what the card's address is below (docs of the wallet API).
        address = card.card_uri.rsplit("/", 1)[0] + path
        headers = {"Authorization": f"Bearer {card.device_token}"}
        answer = self.network.call(method, address, headers=headers, body=body)
        if note_ended(card, answer):
            self.save()
            raise CardNotActive(f"card_ended_{card.ended}")
        if answer.status == 401:
            raise Refused("device_unknown", host=answer.host)
        if not 200 <= answer.status < 300 and answer.status not in (404, 409):
            raise Refused("server_error", host=answer.host, status=answer.status)
        return answer


def note_ended(card: Card, answer: Answer) -> bool:
    """Keep with the card that its phone was ended, and why; whether this answer says so."""
    if answer.status != 410:
        return False
    told = answer.json_object_or_empty()
    if not str(told.get("type", "")).endswith(_ENDED):
        return False
    why = told.get("ended")
    card.ended = why if why in ENDINGS else ENDINGS[0]
    card.renewal, card.report.etag = None, None
    return True
