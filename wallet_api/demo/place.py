"""Where the demo lives: a folder of its own, made anew, with secrets and free ports."""

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from wallet_api.demo.free_ports import free_ports


@dataclass(frozen=True, slots=True)
class Place:
    """The demo's folder and the addresses of its services."""

    folder: Path
    issuer_port: int
    wallet_port: int
    router_port: int
    web_wallet_port: int
    scanner_port: int

    @property
    def issuer_url(self) -> str:
        """Where staff, wallets and verifiers reach the issuer."""
        return f"http://127.0.0.1:{self.issuer_port}"

    @property
    def wallet_url(self) -> str:
        """Where phones reach the wallet API."""
        return f"http://127.0.0.1:{self.wallet_port}"

    @property
    def router_url(self) -> str:
        """The ESC-Router sandbox, up to and with `/esc-rest`."""
        return f"http://127.0.0.1:{self.router_port}/esc-rest"

    @property
    def web_wallet_url(self) -> str:
        """Where students open the web wallet, while the services stay up."""
        return f"http://127.0.0.1:{self.web_wallet_port}"

    @property
    def scanner_url(self) -> str:
        """Where providers open the scanner, while the services stay up."""
        return f"http://127.0.0.1:{self.scanner_port}"

    @property
    def knowledge(self) -> Path:
        """What the provider's verifier keeps."""
        return self.folder / "verifier"

    @property
    def pictures(self) -> Path:
        """Where QR images are written."""
        return self.folder / "qr"

    def environment(self) -> dict[str, str]:
        """The settings of all services, as a deployment has them in its environment."""
        shared = {
            "DATABASE_URL": f"sqlite:///{self.folder / 'cards.db'}",
            "KEYS_DIR": str(self.folder / "keys"),
            "KEY_PASSPHRASE_FILE": str(self.folder / "key-passphrase"),
            "SECRET_FILE": str(self.folder / "deployment-secret"),
        }
        own = {
            "ESC_ISSUER_PUBLIC_URL": self.issuer_url,
            "ESC_ISSUER_LISTEN_PORT": str(self.issuer_port),
            "ESC_ISSUER_ESC_ROUTER_URL": self.router_url,
            "ESC_WALLET_PUBLIC_URL": self.wallet_url,
            "ESC_WALLET_LISTEN_PORT": str(self.wallet_port),
            "ESC_WALLET_ISSUER_PUBLIC_URL": self.issuer_url,
            "ESC_WALLET_WEB_WALLET_URL": self.web_wallet_url,
            "MOBILE_STUB_PASSPHRASE": (self.folder / "phone-passphrase").read_text("ascii"),
            "ESC_VERIFIER_DIR": str(self.knowledge),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "110",
            "LC_ALL": "C.UTF-8",
        }
        services = {
            f"ESC_{name}_{key}": value
            for name in ("ISSUER", "WALLET")
            for key, value in shared.items()
        }
        # Settings of another deployment in the environment must not leak into the demo.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ESC_ISSUER_", "ESC_WALLET_", "ESC_VERIFIER_"))
        }
        return {**inherited, **services, **own}


def make_place(folder: Path) -> Place:
    """Make the folder anew: what an earlier demo left there is removed.

    Raises:
        FileExistsError: The folder holds something that no demo made.
    """
    marker = folder / "demo.json"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise FileExistsError(f"{folder} is not empty and no folder of a demo")
    shutil.rmtree(folder, ignore_errors=True)
    for part in (folder, folder / "keys", folder / "qr", folder / "log"):
        part.mkdir(parents=True, mode=0o700)
    marker.write_text(json.dumps({"made_by": "make demo"}), encoding="utf-8")
    for name in ("key-passphrase", "deployment-secret", "phone-passphrase"):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return Place(folder, *free_ports(5))
