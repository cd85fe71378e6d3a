"""A student with a phone: takes the card as a wallet does, sometimes not quite as it should.

OpenID4VCI 1.0 with real keys and proofs: offer, metadata, token, a nonce and a proof for each
credential, then the first refreshes. What a student or a bad network does wrong (`Habit`) has to
be refused, and must not keep anyone from getting the card in the end.
"""

import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from benching.world import low_s_signature, new_key
from semester_start.connection import Answer, AnswerLost, Book, Connection

from verifier.jws import assemble_jws, jws_signing_input, public_jwk_of

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
FORM = "application/x-www-form-urlencoded"
WRONG_DIGITS = "000000"


class Habit(StrEnum):
    """What a student or a phone does besides."""

    NONE = "does everything right"
    WRONG_CODE = "types a wrong transaction code, then the right one"
    FIVE_WRONG = "types five wrong ones, then the right one too late, and gets a new offer"
    SECOND_USE = "uses the code a second time"
    OLD_NONCE = "sends a nonce a second time"
    LOST_TOKEN = "loses the answer to the token request, and asks again"
    CUT_OFF = "loses the answer to a credential request, and asks again"
    FOREIGN_PROOF = "sends a proof that is made for another issuer"


# How often; the others do everything right.
HABITS = {
    Habit.WRONG_CODE: 0.05,
    Habit.FIVE_WRONG: 0.004,
    Habit.SECOND_USE: 0.01,
    Habit.OLD_NONCE: 0.01,
    Habit.LOST_TOKEN: 0.01,
    Habit.CUT_OFF: 0.02,
    Habit.FOREIGN_PROOF: 0.005,
}


def habits(count: int, chance: random.Random) -> list[Habit]:
    """What each student does; everything is done at least once where there are enough."""
    often = {Habit.NONE: 1 - sum(HABITS.values()), **HABITS}
    drawn = chance.choices(list(often), list(often.values()), k=count)
    drawn[: len(often)] = list(often)[:count]
    chance.shuffle(drawn)
    return drawn


class WrongAnswer(Exception):
    """The service refused what it should not have, or answered what it should have refused."""


@dataclass
class Phone:
    """One student's way to the card."""

    escn: str
    habit: Habit
    portal: "asyncio.Queue[Connection]"
    staff_key: str
    public_url: str
    connection: Connection
    book: Book
    thinks: float  # seconds between the offer and the typed code
    request_name: str = field(default_factory=lambda: str(uuid.uuid4()))

    async def take_card(self) -> None:
        """From the offer to the first refresh; keeps what went wrong in the book."""
        began = time.perf_counter()
        try:
            await self._take_card()
        except WrongAnswer as error:
            self.book.wrong[str(error)] += 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError, AnswerLost) as error:
            self.book.wrong[f"no answer: {type(error).__name__}"] += 1
        else:
            self.book.finished.append(time.perf_counter() - began - self.thinks)
        finally:
            self.connection.close()

    async def _take_card(self) -> None:
        self._key = new_key()
        offer = await self._offer()
        self._pic = self.escn[-9:]
        await asyncio.sleep(self.thinks)
        access = await self._access_token(offer)
        device = ""
        for number, kind in enumerate(offer["offer"]["credential_configuration_ids"]):
            answer = await self._credential(access, kind, first=number == 0)
            device = answer["esc_device"]["device_token"]
        await self._refresh(device)

    async def _offer(self) -> dict[str, Any]:
        portal = await self.portal.get()
        try:
            path = f"/api/v1/cards/{self.escn}/offers"
            headers = {"authorization": f"Bearer {self.staff_key}"}
            # A second offer, if the first was made, is a code that nobody knows.
            answer = await portal.post("offer, by the portal", path, **headers)
        finally:
            self.portal.put_nowait(portal)
        made: dict[str, Any] = _expect(answer, 201, "offer").json()
        address = parse_qs(urlsplit(made["credential_offer_uri"]).query)["credential_offer_uri"][0]
        read = await self.connection.get("offer, by the phone", urlsplit(address).path)
        _expect(read, 200, "reading the offer")
        pic = self.escn[-9:]
        for name in ("openid-credential-issuer", "oauth-authorization-server"):
            found = await self.connection.get("metadata", f"/.well-known/{name}/{pic}")
            _expect(found, 200, "metadata")
        return made

    async def _access_token(self, offer: dict[str, Any]) -> str:
        wrong = {Habit.WRONG_CODE: 1, Habit.FIVE_WRONG: 5}.get(self.habit, 0)
        for _ in range(wrong):
            await self._refused(await self._token(offer, WRONG_DIGITS), 400, "invalid_grant")
        if self.habit is Habit.FIVE_WRONG:
            late = await self._token(offer, offer["tx_code"])
            await self._refused(late, 400, "invalid_grant")
            offer = await self._offer()
        if self.habit is Habit.LOST_TOKEN:
            path, body, headers = self._token_request(offer, offer["tx_code"])
            await self.connection.send_and_cut(path, body, **headers)
        answer = _expect(await self._token(offer, offer["tx_code"]), 200, "token")
        if self.habit is Habit.SECOND_USE:
            self.request_name = str(uuid.uuid4())  # as another phone that has both codes
            again = await self._token(offer, offer["tx_code"])
            await self._refused(again, 400, "invalid_grant")
        return str(answer.json()["access_token"])

    async def _token(self, offer: dict[str, Any], tx_code: str) -> Answer:
        path, body, headers = self._token_request(offer, tx_code)
        return await self.connection.post("token", path, body, **headers)

    def _token_request(
        self, offer: dict[str, Any], tx_code: str
    ) -> tuple[str, bytes, dict[str, str]]:
        code = offer["offer"]["grants"][GRANT]["pre-authorized_code"]
        form = {"grant_type": GRANT, "pre-authorized_code": code, "tx_code": tx_code}
        headers = {"content_type": FORM, "idempotency_key": self.request_name}
        return f"/{self._pic}/token", urlencode(form).encode(), headers

    async def _credential(self, access: str, kind: str, *, first: bool) -> dict[str, Any]:
        habit = self.habit if first else Habit.NONE
        nonce = await self._nonce()
        if habit is Habit.FOREIGN_PROOF:
            body = self._body(kind, nonce, audience="https://elsewhere.example/1")
            await self._refused(await self._ask(access, body), 400, "invalid_proof")
            nonce = await self._nonce()
        body = self._body(kind, nonce)
        if habit is Habit.CUT_OFF:
            path, headers = f"/{self._pic}/credential", _json_headers(access)
            await self.connection.send_and_cut(path, body, **headers)
            body = self._body(kind, await self._nonce())
        try:
            answer = await self._ask(access, body)
        except AnswerLost:  # whether the nonce was used is not known: with a new one
            body = self._body(kind, await self._nonce())
            answer = await self._ask(access, body)
        _expect(answer, 200, "credential")
        if habit is Habit.OLD_NONCE:
            await self._refused(await self._ask(access, body), 400, "invalid_nonce")
        found: dict[str, Any] = answer.json()
        return found

    async def _ask(self, access: str, body: bytes) -> Answer:
        path = f"/{self._pic}/credential"
        return await self.connection.post_once("credential", path, body, **_json_headers(access))

    async def _nonce(self) -> str:
        # A second nonce, if the first was made, is used by nobody.
        answer = await self.connection.post("nonce", f"/{self._pic}/nonce")
        return str(_expect(answer, 200, "nonce").json()["c_nonce"])

    def _body(self, kind: str, nonce: str, *, audience: str = "") -> bytes:
        jwk = public_jwk_of(self._key.public_key())
        header = {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": jwk}
        issuer = audience or f"{self.public_url}/{self._pic}"
        claims = {"aud": issuer, "iat": int(time.time()), "nonce": nonce}
        message = jws_signing_input(header, claims)
        proof = assemble_jws(message, low_s_signature(self._key, message))
        asked = {"credential_configuration_id": kind, "proofs": {"jwt": [proof]}}
        return json.dumps(asked).encode()

    async def _refresh(self, device_token: str) -> None:
        headers = {"authorization": f"Bearer {device_token}"}
        first = await self.connection.get("first refresh", "/device/card", **headers)
        etag = _expect(first, 200, "refresh").headers["etag"]
        if first.json()["escn"] != self.escn:
            raise WrongAnswer("another student's card")
        again = await self.connection.get(
            "refresh, not modified", "/device/card", **headers, if_none_match=etag
        )
        _expect(again, 304, "second refresh")

    async def _refused(self, answer: Answer, status: int, error: str) -> None:
        if answer.status != status or answer.json().get("error") != error:
            raise WrongAnswer(f"not refused as it should be: {self.habit}")
        self.book.refused_rightly[f"{self.habit}: {error}"] += 1


def _expect(answer: Answer, status: int, what: str) -> Answer:
    if answer.status != status:
        raise WrongAnswer(f"{what}: {answer.status} {answer.body[:120].decode(errors='replace')}")
    return answer


def _json_headers(access: str) -> dict[str, str]:
    return {"authorization": f"Bearer {access}", "content_type": "application/json"}
