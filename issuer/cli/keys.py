"""`keys`: signing keys of institutions and of the trust list."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from issuer.cli.deployment import ACTOR, open_deployment
from issuer.cli.printing import moment, out, show_table
from issuer.clock import seconds_of
from issuer.key_life import (
    TRUST_LIST_LIFETIME,
    compromise_key,
    create_key,
    retire_key,
    rotate_trust_key,
    signing_key,
)
from issuer.store import keys as stored_keys

app = typer.Typer(help="Signing keys.", no_args_is_help=True)
KidArgument = Annotated[str, typer.Argument(help="Key id, from `keys list`")]


# One id in 64 begins with a hyphen: it is no option.
_KIDS = {"ignore_unknown_options": True}


@app.command("create")
def create(
    pic: Annotated[str, typer.Argument(help="PIC of the institution")],
) -> None:
    """Make an institution's key; it signs from now on, an older one stays good."""
    with open_deployment() as deployment, deployment.writing() as session:
        key = create_key(
            session,
            pic=pic,
            folder=deployment.settings.keys_dir,
            passphrase=deployment.passphrase,
            lifetime=deployment.settings.key_lifetime,
            now=deployment.now,
            actor=ACTOR,
        )
        kid = key.kid
    out.print(f"made   key {kid} of {pic}")


@app.command("list")
def list_keys() -> None:
    """Show all keys and their life."""
    with open_deployment() as deployment, deployment.reading() as session:
        rows = [
            *stored_keys.of_institution(session, None),
            *stored_keys.of_institutions(session),
        ]
        show_table(
            ("Key", "Of", "State", "From", "Until", "Compromised since"),
            [
                (
                    row.kid,
                    row.pic or "trust list",
                    row.state,
                    moment(row.valid_from),
                    moment(row.valid_until),
                    moment(row.compromised_since),
                )
                for row in rows
            ],
            title="Signing keys",
        )


@app.command("retire", context_settings=_KIDS)
def retire(kid: KidArgument) -> None:
    """Let a key sign no more; what it signed stays good. Another key must be active."""
    with open_deployment() as deployment, deployment.writing() as session:
        retire_key(session, kid, now=deployment.now, actor=ACTOR)
    out.print(f"retired key {kid}")


@app.command("compromised", context_settings=_KIDS)
def compromised(
    kid: KidArgument,
    since: Annotated[
        datetime | None,
        typer.Option(
            help="UTC; the last moment at which it was certainly in good hands. "
            "Left out: nothing that it ever signed is accepted"
        ),
    ] = None,
) -> None:
    """Declare a key stolen: what it signed since then is refused, phones fetch anew."""
    at = since.replace(tzinfo=UTC) if since else None
    with open_deployment() as deployment, deployment.writing() as session:
        compromise_key(session, kid, since=at, now=deployment.now, actor=ACTOR)
    out.print(f"compromised key {kid}; status lists are signed anew with the next round")


@app.command("rotate-trust")
def rotate_trust(
    announced_days: Annotated[
        int, typer.Option(min=0, help="Days in which verifiers learn of the new key")
    ] = TRUST_LIST_LIFETIME.days,
) -> None:
    """Announce a new key of the trust list, which begins to sign after some days."""
    with open_deployment() as deployment, deployment.writing() as session:
        key = rotate_trust_key(
            session,
            folder=deployment.settings.keys_dir,
            passphrase=deployment.passphrase,
            lifetime=deployment.settings.key_lifetime,
            announced_for=timedelta(days=announced_days),
            now=deployment.now,
            actor=ACTOR,
        )
        kid, begins = key.kid, moment(key.valid_from)
    out.print(f"made   key {kid}; it signs the trust list from {begins} on")


@app.command("trust-anchor")
def trust_anchor() -> None:
    """Print the public key that verifiers are given at set-up, as JWK."""
    with open_deployment() as deployment, deployment.reading() as session:
        key = signing_key(session, None, now=seconds_of(deployment.now))
        typer.echo(json.dumps(key.public_jwk))
