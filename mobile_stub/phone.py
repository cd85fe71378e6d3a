"""What a command needs of the world around it: the screen, the clock, the secrets, the network."""

import getpass
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from mobile_stub.errors import PhoneError, Refused, WrongUse
from mobile_stub.files import only_writer
from mobile_stub.messages import Messages
from mobile_stub.network import Network
from mobile_stub.wallet import OpenWallet, load_or_new_wallet, load_wallet

_PASSPHRASE_VARIABLE = "MOBILE_STUB_PASSPHRASE"  # noqa: S105 - a name, not a secret


def default_wallet_path(environment: Mapping[str, str]) -> Path:
    """Where the wallet is when nobody says: MOBILE_STUB_WALLET, else the user's data folder."""
    if chosen := environment.get("MOBILE_STUB_WALLET"):
        return Path(chosen)
    data = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "european-student-card" / "phone.wallet"


@dataclass(frozen=True, slots=True)
class Phone:
    """One run of the command line."""

    messages: Messages
    out: TextIO
    complaints: TextIO
    keyboard: TextIO
    environment: Mapping[str, str]
    wallet_path: Path
    passphrase_file: Path | None
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]

    def say(self, key: str, /, **values: object) -> None:
        """Say the sentence of a key of the table "say"."""
        self.write(self.messages.say(f"say.{key}", **values))

    def tell(self, key: str, /, **values: object) -> None:
        """Say it beside the output, which a program may read."""
        self.complaints.write(self.messages.say(f"say.{key}", **values) + "\n")
        self.complaints.flush()

    def write(self, text: str) -> None:
        """Write a line as it is."""
        self.out.write(text + "\n")
        self.out.flush()

    def complain(self, error: PhoneError) -> None:
        """Say why something could not be done."""
        sentence = self.messages.say(f"errors.{error.sentence}", **error.values).strip()
        self.complaints.write(sentence + "\n")
        self.complaints.flush()

    def ask(self, key: str, /, **values: object) -> str | None:
        """Ask the person at the terminal; None when there is none."""
        if not self.keyboard.isatty():
            return None
        self.out.write(self.messages.say(f"say.{key}", **values))
        self.out.flush()
        return self.keyboard.readline().strip()

    @property
    def on_terminal(self) -> bool:
        """Whether what is written is seen at once, in colours."""
        return self.out.isatty()

    @property
    def columns(self) -> int | None:
        """The width of the window, where there is one."""
        return shutil.get_terminal_size().columns if self.on_terminal else None

    def open_wallet(self) -> OpenWallet:
        """The wallet, for looking at it.

        Raises:
            Refused: There is none.
        """
        if not self.wallet_path.exists():
            raise Refused("no_wallet", path=self.wallet_path)
        return load_wallet(self.wallet_path, self._passphrase(new=False))

    @contextmanager
    def changing_wallet(self, *, may_be_new: bool = False) -> Iterator[OpenWallet]:
        """The wallet, for changing it: no other command changes it meanwhile.

        Raises:
            Refused: There is none, and the command makes none.
        """
        if not (may_be_new or self.wallet_path.exists()):
            raise Refused("no_wallet", path=self.wallet_path)
        with only_writer(self.wallet_path):
            new = not self.wallet_path.exists()
            yield load_or_new_wallet(self.wallet_path, self._passphrase(new=new))

    @contextmanager
    def network(self) -> Iterator[Network]:
        """The way out, for as long as it is needed."""
        network = Network()
        try:
            yield network
        finally:
            network.close()

    def _passphrase(self, *, new: bool) -> str:
        passphrase = self._given_passphrase()
        if passphrase is None:
            passphrase = self._ask_passphrase(new=new)
        if not passphrase:
            raise WrongUse("passphrase_empty")
        return passphrase

    def _given_passphrase(self) -> str | None:
        if self.passphrase_file is None:
            return self.environment.get(_PASSPHRASE_VARIABLE)
        try:
            text = self.passphrase_file.read_text(encoding="utf-8")
        except OSError as error:
            raise Refused(
                "file_not_read", path=self.passphrase_file, reason=error.strerror
            ) from error
        return text.split("\n", 1)[0].rstrip("\r")

    def _ask_passphrase(self, *, new: bool) -> str:
        if not self.keyboard.isatty():
            raise WrongUse("passphrase_missing")
        if not new:
            return getpass.getpass(self.messages.say("say.ask_passphrase"))
        first = getpass.getpass(self.messages.say("say.ask_new_passphrase"))
        if first != getpass.getpass(self.messages.say("say.ask_again")):
            raise WrongUse("passphrases_differ")
        return first
