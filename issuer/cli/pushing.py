"""`push`: the key by which push services know this deployment."""

from pathlib import Path

import typer

from issuer.cli.deployment import open_deployment
from issuer.cli.printing import out
from issuer.cli.refusals import Refused
from issuer.keys import create_named_key_file
from issuer.push import application_server_key

app = typer.Typer(help="Notices to phones (Web Push).", no_args_is_help=True)


@app.command("create-key")
def create_key() -> None:
    """Make the key in the file of VAPID_KEY_FILE; phones that subscribed to another one are lost.

    The wallet API needs the same file.
    """
    with open_deployment() as deployment:
        path = deployment.settings.vapid_key_file
        signer = create_named_key_file(_checked(path), deployment.passphrase)
    out.print(f"made   {path}\n       {application_server_key(signer)}", markup=False)


def _checked(path: Path | None) -> Path:
    if path is None:
        raise Refused("set ESC_ISSUER_VAPID_KEY_FILE: where the key is to be")
    return path
