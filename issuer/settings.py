"""What differs between deployments, read from the environment (`ESC_ISSUER_...`), once.

Secrets come as paths of files, never as values; what must differ has no default. Policy (how
long things live) has defaults, which are documented in docs/operations.md.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from issuer.errors import UnusableSecret
from issuer.issuing import IssuingPolicy
from issuer.passes.settings import ApplePassSettings
from issuer.push_settings import PUSH_HOSTS, PushContact, PushHosts
from issuer.safe_addresses import safe_address
from issuer.sealing import MIN_SECRET_BYTES, Sealer

MAX_SECRET_BYTES = 4_096
_PLACEHOLDERS = frozenset({b"changeme", b"changethis", b"secret", b"password", b"passphrase"})


PublicUrl = Annotated[str, AfterValidator(safe_address)]
Port = Annotated[int, Field(ge=0, le=65_535)]
KeepAlive = Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(hours=2))]
# Longer than the minute for which proxies keep a silent connection: who closes it first never
# meets a request on its way.
KEEP_ALIVE = timedelta(seconds=75)


class IssuerSettings(ApplePassSettings):
    """The issuer's settings; those of Apple's passes are `ApplePassSettings`.

    Attributes:
        database_url: `sqlite:///path` or `postgresql+psycopg://...`.
        public_url: Where everyone reaches this issuer; part of every credential.
        keys_dir: The folder of key files.
        key_passphrase_file: Holds the passphrase of the key files.
        secret_file: Holds the deployment's secret, at least 32 bytes (`issuer.sealing`).
        vct: The type of our credential, if it is not at `public_url`.
        esc_router_url: The ESC-Router up to and including `/esc-rest`.
        wallet_public_url: Where phones reach the wallet API, for letters to students.
        vapid_key_file: The key by which push services know this deployment (RFC 8292); without
            it no phone is told of changes.
        push_contact: Whom a push service asks about us, `mailto:...` or `https://...`.
        push_hosts: The push services that phones may name.
        listen_host: The address to listen at.
        listen_port: The port, 0 for any free one.
        keep_alive: How long a silent connection is kept.
        qr_lifetime: How long a QR credential lives at most.
        credential_lifetime: How long an SD-JWT VC lives at most.
        key_lifetime: How long a new key may sign.
        metrics_token_file: Holds what a scraper of `/metrics` must show, at least 16 characters;
            without this setting there is no `/metrics`.
        apns_url: Apple's push service, which has phones fetch a pass that changed.
        log_level: DEBUG, INFO, WARNING or ERROR.
    """

    model_config = SettingsConfigDict(
        env_prefix="ESC_ISSUER_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: SecretStr
    public_url: PublicUrl
    keys_dir: Path
    key_passphrase_file: Path
    secret_file: Path
    vct: PublicUrl | None = None
    # A wrong guess at the sandbox is recoverable, one at production is not.
    esc_router_url: PublicUrl = "https://sandbox.europeanstudentcard.eu/esc-rest"
    wallet_public_url: PublicUrl | None = None
    vapid_key_file: Path | None = None
    push_contact: PushContact | None = None
    push_hosts: PushHosts = PUSH_HOSTS
    listen_host: str = "127.0.0.1"
    listen_port: Port = 8001
    keep_alive: KeepAlive = KEEP_ALIVE
    qr_lifetime: Annotated[timedelta, Field(gt=timedelta(hours=1))] = timedelta(days=30)
    credential_lifetime: Annotated[timedelta, Field(gt=timedelta(hours=1))] = timedelta(days=180)
    key_lifetime: Annotated[timedelta, Field(gt=timedelta(days=1))] = timedelta(days=3 * 365)
    metrics_token_file: Path | None = None
    apns_url: PublicUrl = "https://api.push.apple.com"
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @model_validator(mode="after")
    def _has_push_contact(self) -> Self:
        if self.vapid_key_file is not None and self.push_contact is None:
            raise ValueError(
                "VAPID_KEY_FILE needs PUSH_CONTACT: whom a push service asks about us"
            )
        return self

    @property
    def issuing_policy(self) -> IssuingPolicy:
        """What `issuer.issuing` needs to know of them."""
        return IssuingPolicy(
            issuer_url=self.public_url,
            own_vct=self.vct,
            qr_lifetime=int(self.qr_lifetime.total_seconds()),
            credential_lifetime=int(self.credential_lifetime.total_seconds()),
        )


def load_sealer(secret_file: Path) -> Sealer:
    """Open the deployment's secret.

    Raises:
        UnusableSecret: The file is missing, or its content is too short or too long.
    """
    return Sealer(read_secret(secret_file, at_least=MIN_SECRET_BYTES))


def read_secret(path: Path, *, at_least: int) -> bytes:
    """Read a secret from its file, without the line end that editors add.

    Raises:
        UnusableSecret: The file is missing, or its content is too short, too long or a word
            that people put there until they have a real one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableSecret(f"{path} cannot be read: {error.strerror}") from error
    secret = data.rstrip(b"\r\n")
    if not at_least <= len(secret) <= MAX_SECRET_BYTES:
        raise UnusableSecret(f"{path} must hold {at_least} to {MAX_SECRET_BYTES} bytes")
    if any(secret.lower().startswith(word) for word in _PLACEHOLDERS):
        raise UnusableSecret(f"{path} holds a placeholder, not a secret")
    return secret
