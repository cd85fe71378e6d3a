"""The device API: how the card is, new credentials when the old near their end, good-bye.

Nothing here takes a card away from the student: without an answer, or with one that is no
answer to the question, the card stays as it was last known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from mobile_stub.addresses import parse_endpoint, well_known_address
from mobile_stub.cards import Card, CardState, Credential, Renewal, Report
from mobile_stub.device_key import decode_key, possession_proof
from mobile_stub.device_routes import note_ended
from mobile_stub.errors import NoNetwork, Refused
from mobile_stub.issuer_answers import expect_ok, parse_nonce, printable
from mobile_stub.network import Answer, Network
from mobile_stub.received import ESC_QR, SD_JWT_VC, check_credential


class Outcome(StrEnum):
    """What a refresh brought."""

    UNCHANGED = "unchanged"
    UPDATED = "updated"
    RENEWED = "renewed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Refresher:
    """Asks for one wallet's cards; `save` makes changes last."""

    network: Network
    clock: Callable[[], datetime]
    save: Callable[[], None]

    def refresh(self, card: Card) -> tuple[Outcome, timedelta]:
        """Learn the card's state, and renew its credentials when told to.

        Returns:
            What it brought, and how far this phone's clock is ahead of the server's.

        Raises:
            Refused: The card cannot be refreshed, or the answer is no answer to that.
        """
        if card.device_token is None or card.card_uri is None:
            raise Refused("no_refresh")
        if card.ended is not None:
            return Outcome.ENDED, timedelta(0)
        headers = {"Authorization": f"Bearer {card.device_token}"}
        if card.report.etag is not None:
            headers["If-None-Match"] = card.report.etag
        answer = self.network.call("GET", card.card_uri, headers=headers)
        ahead = _clock_ahead(answer, self.clock())
        if note_ended(card, answer):
            card.report.checked_at = int(self.clock().timestamp())
            self.save()
            return Outcome.ENDED, ahead
        if answer.status == 304:
            card.report.checked_at = int(self.clock().timestamp())
            outcome, nonce = Outcome.UNCHANGED, None
        else:
            body = _expect_card(answer)
            card.report = _report(answer, body, now=self.clock())
            card.escn = card.escn or _text(body, "escn")
            outcome, nonce = Outcome.UPDATED, _begin_renewal(card, body.get("renewal"))
        self.save()
        if card.renewal is None or card.report.state is not CardState.ACTIVE:
            return outcome, ahead
        self._renew(card, card.renewal, nonce or fetch_nonce(self.network, card.credential_issuer))
        return Outcome.RENEWED, ahead

    def forget(self, card: Card) -> bool:
        """Tell the institution that this phone is not used any more; whether it heard us."""
        if card.device_token is None or card.card_uri is None:
            return False
        # The device is what the card's address is below (docs of the wallet API).
        address = card.card_uri.rsplit("/", 1)[0]
        headers = {"Authorization": f"Bearer {card.device_token}"}
        try:
            answer = self.network.call("DELETE", address, headers=headers)
        except (NoNetwork, Refused):
            return False
        return answer.status in (200, 204, 410)

    def _renew(self, card: Card, renewal: Renewal, nonce: str) -> None:
        proof = possession_proof(
            decode_key(card.key), audience=card.credential_issuer, nonce=nonce, now=self.clock()
        )
        body: dict[str, object] = {"proofs": {"jwt": [proof]}}
        if renewal.configuration_ids is not None:
            body["credential_configuration_ids"] = renewal.configuration_ids
        answer = self.network.call(
            "POST",
            renewal.address,
            headers={"Authorization": f"Bearer {card.device_token}"},
            body=body,
        )
        if 400 <= answer.status < 500:  # it was refused: the old ones are as good as before
            card.renewal = None
            self.save()
        if answer.status != 200:
            raise Refused("renewal_failed")
        credentials = answer.json_object().get("credentials")
        if not isinstance(credentials, dict) or not credentials:
            raise Refused("bad_answer", host=answer.host)
        # All or nothing: the old ones are kept until every new one is found usable.
        card.credentials |= {
            name: _checked(card, name, value) for name, value in credentials.items()
        }
        card.renewal = None
        self.save()


def fetch_nonce(network: Network, issuer: str) -> str:
    """A nonce for a proof that the server did not ask for.

    After a renewal whose answer was lost, for example: the server takes it for done.
    """
    documents = well_known_address(issuer, "openid-credential-issuer")
    metadata = expect_ok(network.call("GET", documents)).json_object()
    endpoint = parse_endpoint(metadata.get("nonce_endpoint"), of=issuer)
    return parse_nonce(expect_ok(network.call("POST", endpoint)))


def _begin_renewal(card: Card, value: object) -> str | None:
    """Note the renewal that the institution asks for, and return its nonce."""
    if not isinstance(value, dict):
        return None
    ids = value.get("credential_configuration_ids")
    nonce = value.get("c_nonce")
    card.renewal = Renewal(
        address=parse_endpoint(value.get("renewal_uri"), of=card.credential_issuer),
        configuration_ids=[one for one in ids if isinstance(one, str)]
        if isinstance(ids, list)
        else None,
    )
    return nonce if isinstance(nonce, str) else None


def _checked(card: Card, name: str, value: object) -> Credential:
    known = card.credentials.get(name)
    guess = ESC_QR if isinstance(value, dict) else SD_JWT_VC
    return check_credential(known.format if known else guess, value, decode_key(card.key))


def _expect_card(answer: Answer) -> dict[str, Any]:
    if answer.status == 401:
        raise Refused("device_unknown", host=answer.host)
    if answer.status != 200:
        raise Refused("server_error", host=answer.host, status=answer.status)
    body = answer.json_object()
    if body.get("state") not in list(CardState):
        raise Refused("bad_answer", host=answer.host)
    return body


def _report(answer: Answer, body: dict[str, Any], *, now: datetime) -> Report:
    institution, photo, own = (body.get(name) for name in ("institution", "photo", "own_photo"))
    # While a renewal waits, the next question must get the whole answer again.
    etag = None if body.get("renewal") else answer.headers.get("etag")
    return Report(
        state=CardState(body["state"]),
        reason=_text(body, "reason"),
        institution=_text(institution, "name") if isinstance(institution, dict) else None,
        name=_text(body, "name"),
        expires_on=_text(body, "expires_on"),
        last_updated=_text(body, "last_updated"),
        checked_at=int(now.timestamp()),
        etag=etag,
        photo_sha256=_text(photo, "sha256") if isinstance(photo, dict) else None,
        own_photo=_text(own, "state") if isinstance(own, dict) else None,
        own_photo_reason=_text(own, "reason") if isinstance(own, dict) else None,
    )


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return printable(value) if isinstance(value, str) else None


def _clock_ahead(answer: Answer, now: datetime) -> timedelta:
    try:
        then = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return timedelta(0)
    if then.tzinfo is None:
        return timedelta(0)
    return now - then.astimezone(UTC)
