"""The code of a pass in the database: signed, signed anew without the phone, taken back.

It is a credential of the phone like any other, under a name of its own, so that whatever ends
the phone or the card ends it too (docs/adr/0012-the-code-of-a-pass.md). Who asks for the first
has proved to hold the phone's key; later ones are signed for the key that is kept with the pass.
"""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from issuer import credential_life
from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.credentials import hold_active
from issuer.errors import UnknownDeviceKey
from issuer.issuing import IssuingPolicy
from issuer.keys import KeyRing
from issuer.orders import Order, issue_many
from issuer.passes.content import PassContent, unseal_content
from issuer.passes.kinds import PassKind
from issuer.sealing import Sealer
from issuer.store import credentials, passes
from issuer.store.cards import HeldCard
from issuer.tables import Credential, Pass
from verifier.card_claims import Profile
from verifier.jws import thumbprint_of


class PassMaker:
    """Makes passes and their codes with the keys of one process."""

    def __init__(self, keys: KeyRing, sealer: Sealer, policy: IssuingPolicy) -> None:
        self._keys = keys
        self._sealer = sealer
        self._policy = policy

    def make(
        self,
        session: Session,
        kind: PassKind,
        *,
        pic: str,
        escn: str,
        device_id: int,
        holder_jwk: dict[str, str],
        now: datetime,
    ) -> Pass:
        """A pass of this kind for a phone; the caller commits.

        Apple's pass keeps its serial number and gets a new code. A pass that Google's wallet has
        saved is not changed by anything we hand out, so it is given again as it is, and another
        one is made when its code is near its end or says what is not true any more.

        Args:
            session: Writes.
            kind: Whose wallet it is for.
            pic: The institution that the request was made to.
            escn: The device's card.
            device_id: The phone.
            holder_jwk: The key that it has proved to hold.
            now: The present.

        Raises:
            CardNotFound: The card or its student is gone.
            CardStateConflict: The card is not active.
            UnknownDeviceKey: Nothing that the phone holds is bound to this key.
            CredentialRefused: Our own verifier does not accept the code.
            NoActiveKey: The institution has no key that may sign.
            UnusableKey: Its key cannot be used.
        """
        card = hold_active(session, pic, escn, now=now)
        held = credentials.living_of_key(session, device_id, thumbprint_of(holder_jwk), now=0)
        if not any(row.configuration in set(Configuration) for row in held):
            raise UnknownDeviceKey("the phone holds nothing that is bound to this key")
        row = passes.living_of_device(session, device_id).get(kind)
        if row is not None and kind is PassKind.GOOGLE:
            if self._is_good(row, card, holder_jwk, now=now):
                return row
            self.end(session, row, now=now)
            row = None
        if row is not None:
            self._end_codes(session, device_id, kind, now=now)
            return self._renew(session, row, card, holder_jwk=holder_jwk, now=now)
        return self._begin(session, kind, card, device_id, holder_jwk=holder_jwk, now=now)

    def renew(self, session: Session, due: passes.DuePass, *, now: datetime) -> bool:
        """Sign the code of a pass anew, for the key that is kept with it; the caller commits.

        The code before lives on to its end: a phone without network shows it still.

        Returns:
            Whether it was due still.

        Raises:
            CardNotFound: The card or its student is gone.
            CardStateConflict: The card is not active any more.
            CredentialRefused: Our own verifier does not accept the code.
            NoActiveKey: The institution has no key that may sign.
            UnusableKey: Its key cannot be used.
        """
        card = hold_active(session, due.pic, due.escn, now=now)
        row = passes.by_serial(session, due.serial, lock=True)
        if row is None or row.ended_at is not None or row.renew_at > seconds_of(now):
            return False
        self._renew(session, row, card, holder_jwk=row.holder_jwk, now=now)
        return True

    def end(self, session: Session, row: Pass, *, now: datetime) -> None:
        """Take a pass back: its code is revoked, and its devices are told."""
        self._end_codes(session, row.device_id, PassKind(row.kind), now=now)
        passes.end(session, row.serial, now=seconds_of(now))

    def _end_codes(
        self, session: Session, device_id: int, kind: PassKind, *, now: datetime
    ) -> None:
        codes = _living_codes(session, device_id, kind, now=now)
        credential_life.end_credentials(session, codes, now=now)

    def _is_good(
        self, row: Pass, card: HeldCard, holder_jwk: dict[str, str], *, now: datetime
    ) -> bool:
        content = unseal_content(self._sealer, row.sealed_content)
        says = (content.name, content.level)
        return (
            row.renew_at > seconds_of(now)
            and row.holder_jwk == holder_jwk
            and says == (card.full_name, card.academic_level)
        )

    def _begin(
        self,
        session: Session,
        kind: PassKind,
        card: HeldCard,
        device_id: int,
        *,
        holder_jwk: dict[str, str],
        now: datetime,
    ) -> Pass:
        content, renew_at = self._sign(session, kind, card, device_id, holder_jwk, now=now)
        at = seconds_of(now)
        row = Pass(
            serial=passes.new_serial(),
            kind=kind.value,
            escn=card.escn,
            device_id=device_id,
            holder_jwk=holder_jwk,
            sealed_content=content.seal(self._sealer),
            renew_at=renew_at,
            created_at=at,
            updated_at=at,
        )
        return passes.add(session, row)

    def _renew(
        self,
        session: Session,
        row: Pass,
        card: HeldCard,
        *,
        holder_jwk: dict[str, str],
        now: datetime,
    ) -> Pass:
        kind = PassKind(row.kind)
        content, renew_at = self._sign(session, kind, card, row.device_id, holder_jwk, now=now)
        passes.put_content(
            session,
            row.serial,
            holder_jwk=holder_jwk,
            sealed_content=content.seal(self._sealer),
            renew_at=renew_at,
            now=seconds_of(now),
        )
        session.refresh(row)
        return row

    def _sign(
        self,
        session: Session,
        kind: PassKind,
        card: HeldCard,
        device_id: int,
        holder_jwk: dict[str, str],
        *,
        now: datetime,
    ) -> tuple[PassContent, int]:
        """A new code, and when to sign the next."""
        policy = _policy_of(kind, self._policy)
        order = Order(card, card, device_id, Configuration.QR, holder_jwk, kind)
        (texts,) = issue_many(session, card.pic, [order], keys=self._keys, policy=policy, now=now)
        code = _living_codes(session, device_id, kind, now=now)[-1]
        assert isinstance(texts, dict)  # noqa: S101 of every order for a QR
        name, level = card.full_name, card.academic_level
        content = PassContent(texts[Profile.STATUS.value], name, level, code.expires_at)
        return content, _renew_at(code, policy)


def _living_codes(
    session: Session, device_id: int, kind: PassKind, *, now: datetime
) -> list[Credential]:
    living = credentials.living_of_device(session, device_id, now=seconds_of(now))
    return [row for row in living if row.configuration == kind.configuration]


def _policy_of(kind: PassKind, policy: IssuingPolicy) -> IssuingPolicy:
    """What nobody can renew on the phone lives as long as what a wallet holds."""
    if kind is PassKind.APPLE:
        return policy
    return replace(policy, qr_lifetime=policy.credential_lifetime)


def _renew_at(code: Credential, policy: IssuingPolicy) -> int:
    life = code.expires_at - code.issued_at
    if life >= policy.qr_lifetime:
        return code.expires_at - life // 3
    # It ends with its card: another would end at the same moment. A card whose last day moves
    # has its passes renewed by who moves it.
    return code.expires_at
