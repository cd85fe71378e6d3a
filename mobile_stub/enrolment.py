"""Taking a card: OpenID4VCI 1.0 with the pre-authorized code, so that a cut anywhere can go on.

What must outlast a cut is saved before the other side may remember it: the key before the token
request, the access token before the first credential, each credential as it comes.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mobile_stub.addresses import host_of, parse_endpoint
from mobile_stub.cards import Card, Enrolment
from mobile_stub.device_key import decode_key, encode_key, new_key, possession_proof
from mobile_stub.errors import NoNetwork, Refused, WrongUse
from mobile_stub.issuer_answers import (
    error_code,
    expect_ok,
    first_credential,
    parse_access,
    parse_nonce,
    token_refusal,
)
from mobile_stub.issuer_documents import IssuerDocuments, fetch_documents
from mobile_stub.network import Answer, Network
from mobile_stub.offers import (
    GRANT_TYPE,
    Offer,
    check_tx_code,
    fetch_offer_text,
    parse_offer,
)
from mobile_stub.received import check_credential, escn_of
from mobile_stub.wallet import OpenWallet

Clock = Callable[[], datetime]
AskTxCode = Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Enroller:
    """Takes cards into one wallet.

    `ask_tx_code` is asked once the offer is known to need a code; None means nobody knows it.
    """

    wallet: OpenWallet
    network: Network
    clock: Clock
    ask_tx_code: AskTxCode

    def take(self, link: str) -> tuple[Card, list[str]]:
        """Take the card that this link offers, or go on where an earlier try was cut.

        Returns:
            The card, and the configurations that were offered and then denied.

        Raises:
            Refused: Every one of them was denied.
            NoNetwork: It was cut; what a retry needs is kept.
        """
        card = self._started(link) or self._start(link)
        enrolment = _enrolment(card)
        offer = parse_offer(enrolment.offer)
        tx_code = self._tx_code(offer) if enrolment.access_token is None else None
        documents = fetch_documents(offer, self.network)
        if card not in self.wallet.cards:
            self.wallet.cards.append(card)
        self.wallet.save()
        try:
            if enrolment.access_token is None:
                self._fetch_token(card, offer, documents, tx_code)
            denied = [
                configuration_id
                for configuration_id in offer.configuration_ids
                if configuration_id not in card.credentials
                and not self._fetch_credential(card, configuration_id, documents)
            ]
        except NoNetwork as error:
            raise NoNetwork(f"taking_{error.sentence}", **error.values) from error
        if not card.credentials:
            self._drop(card)
            raise Refused("denied", host=host_of(card.credential_issuer))
        self._finish(card)
        return card, denied

    def _started(self, link: str) -> Card | None:
        for card in self.wallet.cards:
            if card.enrolment is not None and card.enrolment.link == link:
                return card
        return None

    def _start(self, link: str) -> Card:
        text = fetch_offer_text(link, self.network)
        offer = parse_offer(text)
        enrolment = Enrolment(link=link, offer=text, request_name=secrets.token_urlsafe(24))
        return Card(offer.credential_issuer, encode_key(new_key()), enrolment=enrolment)

    def _tx_code(self, offer: Offer) -> str | None:
        if offer.tx_code is None:
            return None
        code = self.ask_tx_code()
        check_tx_code(offer.tx_code, code)
        return code

    def _fetch_token(
        self, card: Card, offer: Offer, documents: IssuerDocuments, tx_code: str | None
    ) -> None:
        form = {"grant_type": GRANT_TYPE, "pre-authorized_code": offer.pre_authorized_code}
        if tx_code is not None:
            form["tx_code"] = tx_code
        name = _enrolment(card).request_name
        headers = {"Idempotency-Key": name} if name else {}
        answer = self.network.call("POST", documents.token_endpoint, headers=headers, form=form)
        if answer.status in (400, 401):
            # Nothing is bound to this key yet: a next try may begin afresh.
            self._drop(card)
            raise token_refusal(answer, with_code=tx_code is not None)
        access = parse_access(expect_ok(answer))
        enrolment = _enrolment(card)
        enrolment.access_token, enrolment.identifiers = access.token, dict(access.identifiers)
        self.wallet.save()

    def _fetch_credential(
        self, card: Card, configuration_id: str, documents: IssuerDocuments
    ) -> bool:
        """Fetch and keep one credential; False when it is denied, whatever one does.

        Raises:
            Refused: It is not ready, or not what was asked for.
        """
        answer = self._request_credential(card, configuration_id, documents)
        if error_code(answer) == "invalid_nonce":  # it was too slow: once more with a new one
            answer = self._request_credential(card, configuration_id, documents)
        if answer.status == 401:
            raise self._access_ended(card)
        if error_code(answer) == "credential_request_denied":
            return False
        if answer.status == 202:
            raise Refused("not_ready")
        card.credentials[configuration_id] = check_credential(
            documents.configurations[configuration_id].format,
            first_credential(expect_ok(answer)),
            decode_key(card.key),
        )
        _keep_device(card, answer.json_object().get("esc_device"))
        card.escn = card.escn or escn_of(card)
        self.wallet.save()
        return True

    def _request_credential(
        self, card: Card, configuration_id: str, documents: IssuerDocuments
    ) -> Answer:
        enrolment = _enrolment(card)
        body: dict[str, object] = (
            {"credential_identifier": enrolment.identifiers[configuration_id]}
            if configuration_id in enrolment.identifiers
            else {"credential_configuration_id": configuration_id}
        )
        if documents.configurations[configuration_id].needs_proof:
            proof = possession_proof(
                decode_key(card.key),
                audience=documents.credential_issuer,
                nonce=self._fetch_nonce(documents),
                now=self.clock(),
            )
            body["proofs"] = {"jwt": [proof]}
        headers = {"Authorization": f"Bearer {enrolment.access_token}"}
        return self.network.call("POST", documents.credential_endpoint, headers=headers, body=body)

    def _fetch_nonce(self, documents: IssuerDocuments) -> str | None:
        if documents.nonce_endpoint is None:
            return None
        return parse_nonce(expect_ok(self.network.call("POST", documents.nonce_endpoint)))

    def _access_ended(self, card: Card) -> Refused:
        """The access token is over: keep what came, so that it is not lost."""
        if not card.credentials:
            self._drop(card)
            return Refused("access_ended")
        self._finish(card)
        return Refused("access_ended_in_between", count=len(card.credentials))

    def _finish(self, card: Card) -> None:
        """The card is here: an older copy of it makes room.

        Only the same issuer's: another one could name the same number to have the real card
        removed.
        """
        card.enrolment = None
        self.wallet.cards[:] = [
            other for other in self.wallet.cards if other is card or not _is_same(other, card)
        ]
        self.wallet.save()

    def _drop(self, card: Card) -> None:
        self.wallet.cards[:] = [other for other in self.wallet.cards if other is not card]
        self.wallet.save()


def _is_same(other: Card, card: Card) -> bool:
    issuers = (other.credential_issuer, card.credential_issuer)
    return card.escn is not None and other.escn == card.escn and issuers[0] == issuers[1]


def _enrolment(card: Card) -> Enrolment:
    if card.enrolment is None:
        raise WrongUse("no_card")
    return card.enrolment


def _keep_device(card: Card, value: object) -> None:
    """The token and address for later refreshes; an issuer of others has none."""
    if not isinstance(value, dict) or not isinstance(value.get("device_token"), str):
        return
    card.card_uri = parse_endpoint(value.get("card_uri"), of=card.credential_issuer)
    card.device_token = value["device_token"]
