"""A worker from a deployment's settings, with connections and secrets of its own."""

from sqlalchemy import Engine

from issuer.clock import Clock
from issuer.database import make_engine
from issuer.esc_router.exchange import open_router_http
from issuer.keys import MIN_PASSPHRASE_BYTES, FileKeyRing, load_named_key_file
from issuer.passes.work import open_pass_work
from issuer.push import CONNECTIONS, TIMEOUT, Pusher, Vapid
from issuer.sealing import Sealer
from issuer.settings import IssuerSettings, load_sealer, read_secret
from issuer.worker import Worker


def open_worker(settings: IssuerSettings, *, clock: Clock) -> Worker:
    """A worker with connections of its own.

    Raises:
        UnusableKey: The passphrase is too short, or the key for push services cannot be used.
        UnusableSecret: A file of a secret is missing, or holds none; the certificate of Apple's
            passes does not fit.
    """
    passphrase = read_secret(settings.key_passphrase_file, at_least=MIN_PASSPHRASE_BYTES)
    engine = make_engine(settings.database_url.get_secret_value())
    sealer = load_sealer(settings.secret_file)
    keys = FileKeyRing(settings.keys_dir, passphrase)
    return Worker(
        engine=engine,
        keys=keys,
        sealer=sealer,
        policy=settings.issuing_policy,
        router_url=settings.esc_router_url,
        http=open_router_http(),
        clock=clock,
        pusher=_open_pusher(settings, engine, sealer, passphrase, clock),
        passes=open_pass_work(settings, engine, keys=keys, sealer=sealer, clock=clock),
    )


def _open_pusher(
    settings: IssuerSettings, engine: Engine, sealer: Sealer, passphrase: bytes, clock: Clock
) -> Pusher | None:
    if settings.vapid_key_file is None:
        return None
    signer = load_named_key_file(settings.vapid_key_file, passphrase)
    return Pusher(
        engine=engine,
        http=open_router_http(timeout=TIMEOUT, connections=CONNECTIONS),
        vapid=Vapid(signer, settings.push_contact or ""),
        sealer=sealer,
        hosts=settings.push_hosts,
        clock=clock,
    )
