"""The exporters that the settings ask for, checked before a port opens."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request

from issuer.passes.certificate import load_pass_certificate
from issuer.passes.codes import PassMaker
from wallet_api.deps import Wallet
from wallet_api.errors import PassesNotOffered
from wallet_api.passes.apple_package import ApplePasses
from wallet_api.passes.google import GoogleLinks, load_google_links

SOON = timedelta(days=30)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exporters:
    """What passes this deployment makes.

    Attributes:
        maker: Of their codes.
        apple: None if Apple's are not set up.
        google: None if Google's are not.
    """

    maker: PassMaker
    apple: ApplePasses | None
    google: GoogleLinks | None

    def signing_apple(self, now: datetime) -> ApplePasses:
        """Apple's, if a phone would take what is signed now.

        Raises:
            PassesNotOffered: They are not set up, or their certificate has ended.
        """
        if self.apple is None or not self.apple.certificate.is_valid(now):
            raise PassesNotOffered("no passes for Apple's wallet are made here now")
        return self.apple

    def linking_google(self) -> GoogleLinks:
        """Google's.

        Raises:
            PassesNotOffered: They are not set up.
        """
        if self.google is None:
            raise PassesNotOffered("no passes for Google's wallet are made here")
        return self.google


def open_exporters(wallet: Wallet) -> Exporters:
    """The exporters of the wallet's settings.

    A certificate that has ended, or will soon, is told in the log and refuses nothing else.

    Raises:
        UnusableSecret: A certificate, key or service account cannot be used.
    """
    settings = wallet.settings
    certificate = load_pass_certificate(settings)
    apple = None
    if certificate is not None:
        apple = ApplePasses(certificate, wallet.sealer, settings.public_url)
        if certificate.ends_at - wallet.clock() < SOON:
            logger.warning("the certificate of Apple's passes ends at %s", certificate.ends_at)
    maker = PassMaker(wallet.keys, wallet.sealer, settings.issuing_policy)
    return Exporters(maker, apple, load_google_links(settings))


def exporters_of(request: Request) -> Exporters:
    """The exporters of the service that answers this request."""
    exporters: Exporters = request.app.state.exporters
    return exporters
