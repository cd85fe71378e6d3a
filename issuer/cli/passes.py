"""`passes`: whether passes for Apple's wallet can be signed, until when, and who waits."""

import sys
from datetime import datetime, timedelta

import typer

from issuer.cli.deployment import open_deployment
from issuer.cli.printing import out
from issuer.cli.refusals import OK, REFUSED
from issuer.passes.certificate import PassCertificate, load_pass_certificate
from issuer.store import pass_registrations, passes

SOON = timedelta(days=30)

app = typer.Typer(help="Passes for the wallets of Apple and Google.", no_args_is_help=True)


@app.callback()
def main() -> None:
    """Passes for the wallets of Apple and Google."""


@app.command("status")
def show_status() -> None:
    """Show when the certificate of Apple's passes ends, how many passes there are, who waits.

    Ends with 0, or with 1 if the certificate has ended or does so within 30 days, and with 3 if
    it does not fit its settings.
    """
    with open_deployment() as deployment:
        certificate = load_pass_certificate(deployment.settings)
        with deployment.reading() as session:
            living = passes.count_living(session)
            registered, waiting = pass_registrations.count(session)
        now = deployment.now
    is_good = certificate is None or certificate.ends_at - now > SOON
    out.print(_words(certificate, now), markup=False)
    for kind, number in living.items():
        out.print(f"{kind.value.capitalize()}: {number} passes", markup=False)
    out.print(f"{registered} phones follow a pass, {waiting} of them wait to be told")
    sys.exit(OK if is_good else REFUSED)


def _words(certificate: PassCertificate | None, now: datetime) -> str:
    if certificate is None:
        return "Apple's passes are not set up here (docs/passes.md)"
    who = f"{certificate.pass_type_id} of team {certificate.team_id}"
    day, left = certificate.ends_at.date(), (certificate.ends_at - now).days
    if certificate.ends_at <= now:
        return f"The certificate for {who} ended on {day}: no pass is signed"
    advice = ": renew it now" if certificate.ends_at - now <= SOON else ""
    return f"The certificate for {who} ends on {day}, in {left} days{advice}"
