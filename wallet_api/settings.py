"""What differs between deployments, read from the environment (`ESC_WALLET_...`), once.

Secrets come as paths of files, never as values; what must differ has no default. The database,
the keys, the secret and the issuer's address are those of the issuer that it works for.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from issuer.issuing import IssuingPolicy
from issuer.passes.settings import ApplePassSettings
from issuer.push_settings import PUSH_HOSTS, PushHosts
from issuer.settings import KEEP_ALIVE, KeepAlive, Port, PublicUrl

_Lifetime = Annotated[timedelta, Field(gt=timedelta(hours=1))]


class WalletSettings(ApplePassSettings):
    """The wallet API's settings; those of Apple's passes are `ApplePassSettings`.

    Attributes:
        database_url: `sqlite:///path` or `postgresql+psycopg://...`, the issuer's.
        public_url: Where phones reach this service; part of each credential issuer identifier.
        issuer_public_url: Where everyone reaches the issuer; part of every credential.
        keys_dir: The folder of key files.
        key_passphrase_file: Holds the passphrase of the key files.
        secret_file: Holds the deployment's secret, at least 32 bytes (`issuer.sealing`).
        vct: The type of our credential, if it is not at `issuer_public_url`.
        web_wallet_url: A web wallet that offers may be opened with (docs/web-wallet.md).
        vapid_key_file: The issuer's key for push services; without it no phone is told of changes.
        push_hosts: The push services that phones may name.
        listen_host: The address to listen at.
        listen_port: The port, 0 for any free one.
        keep_alive: How long a silent connection is kept.
        offer_lifetime: How long an offer can be taken.
        qr_lifetime: How long a QR credential lives at most.
        credential_lifetime: How long an SD-JWT VC lives at most.
        google_issuer_id: Of the institution with Google, a number; with the next two or not.
        google_class_id: The class of passes, made in Google's console, without the issuer id.
        google_service_account_file: The service account's key, JSON as Google gives it.
        log_level: DEBUG, INFO, WARNING or ERROR.
    """

    model_config = SettingsConfigDict(env_prefix="ESC_WALLET_", frozen=True, extra="forbid")

    database_url: SecretStr
    public_url: PublicUrl
    issuer_public_url: PublicUrl
    keys_dir: Path
    key_passphrase_file: Path
    secret_file: Path
    vct: PublicUrl | None = None
    web_wallet_url: PublicUrl | None = None
    vapid_key_file: Path | None = None
    push_hosts: PushHosts = PUSH_HOSTS
    listen_host: str = "127.0.0.1"
    listen_port: Port = 8002
    keep_alive: KeepAlive = KEEP_ALIVE
    offer_lifetime: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=1))] = (
        timedelta(minutes=15)
    )
    qr_lifetime: _Lifetime = timedelta(days=30)
    credential_lifetime: _Lifetime = timedelta(days=180)
    google_issuer_id: Annotated[str, Field(pattern="^[0-9]{1,30}$")] | None = None
    google_class_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")] | None = None
    google_service_account_file: Path | None = None
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @model_validator(mode="after")
    def _google_all_or_none(self) -> "WalletSettings":
        given = (self.google_issuer_id, self.google_class_id, self.google_service_account_file)
        if any(one is not None for one in given) and None in given:
            raise ValueError(
                "Google's passes need GOOGLE_ISSUER_ID, GOOGLE_CLASS_ID and"
                " GOOGLE_SERVICE_ACCOUNT_FILE together"
            )
        return self

    @property
    def issuing_policy(self) -> IssuingPolicy:
        """What `issuer.issuing` needs to know of them."""
        return IssuingPolicy(
            issuer_url=self.issuer_public_url,
            own_vct=self.vct,
            qr_lifetime=int(self.qr_lifetime.total_seconds()),
            credential_lifetime=int(self.credential_lifetime.total_seconds()),
        )

    def credential_issuer(self, pic: str) -> str:
        """An institution's credential issuer identifier (OpenID4VCI 1.0, section 12.2.1)."""
        return f"{self.public_url}/{pic}"
