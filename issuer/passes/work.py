"""What a worker does for passes in one round."""

import threading
from dataclasses import dataclass, field

from sqlalchemy import Engine

from issuer.clock import Clock, seconds_of
from issuer.keys import KeyRing
from issuer.passes.apns import open_apns
from issuer.passes.certificate import load_pass_certificate
from issuer.passes.codes import PassMaker
from issuer.passes.renewing import forget_ended_passes, renew_due_passes
from issuer.passes.telling import Telling
from issuer.sealing import Sealer
from issuer.settings import IssuerSettings

FORGET_EVERY = 3_600  # seconds


@dataclass
class PassRound:
    """What one round did.

    Attributes:
        renewed: Passes with a new code.
        told: Phones that were told that a pass changed.
        failures: What did not work, in words without personal data.
    """

    renewed: int = 0
    told: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class PassWork:
    """Keeps passes fresh; phones are told where Apple's passes are set up."""

    engine: Engine
    maker: PassMaker
    clock: Clock
    telling: Telling | None
    _forgot_at: int = 0

    def run(self, stop: threading.Event) -> PassRound:
        """One round."""
        done = PassRound()
        done.renewed, failures = renew_due_passes(
            self.engine, self.maker, clock=self.clock, stop=stop
        )
        done.failures += failures
        if self.telling is not None:
            done.told, failures = self.telling.tell_due(clock=self.clock, stop=stop)
            done.failures += failures
        now = seconds_of(self.clock())
        if abs(now - self._forgot_at) >= FORGET_EVERY:
            forget_ended_passes(self.engine, clock=self.clock)
            self._forgot_at = now
        return done

    def close(self) -> None:
        """Close the connection to Apple."""
        if self.telling is not None:
            self.telling.close()


def open_pass_work(
    settings: IssuerSettings, engine: Engine, *, keys: KeyRing, sealer: Sealer, clock: Clock
) -> PassWork:
    """What these settings ask for.

    Raises:
        UnusableSecret: The certificate of Apple's passes cannot be used.
    """
    maker = PassMaker(keys, sealer, settings.issuing_policy)
    return PassWork(engine, maker, clock, _telling(settings, engine, sealer))


def _telling(settings: IssuerSettings, engine: Engine, sealer: Sealer) -> Telling | None:
    certificate = load_pass_certificate(settings)
    certificate_file, key_file = settings.apple_certificate_file, settings.apple_key_file
    if certificate is None or certificate_file is None or key_file is None:
        return None
    http = open_apns(
        settings.apns_url,
        certificate_file=certificate_file,
        key_file=key_file,
        passphrase_file=settings.apple_key_passphrase_file,
    )
    return Telling(engine, http, sealer, certificate.pass_type_id)
