"""The wallet as a command uses it: open, change, save.

A change counts when `save` has returned; whoever is about to send something that the other side
will remember saves first.
"""

from dataclasses import dataclass
from pathlib import Path

from mobile_stub.cards import Card, Wallet, decode_wallet, encode_wallet
from mobile_stub.errors import Refused, WrongUse
from mobile_stub.sealed_file import SealedFile, new_sealed_file, open_sealed_file


@dataclass(frozen=True, slots=True)
class OpenWallet:
    """The cards, and the file that they came from."""

    file: SealedFile
    content: Wallet

    @property
    def cards(self) -> list[Card]:
        """All cards, those that are still being taken included."""
        return self.content.cards

    def save(self) -> None:
        """Make the changes last."""
        self.file.save(encode_wallet(self.content))

    def delete(self) -> None:
        """Remove the file with everything in it."""
        self.file.path.unlink(missing_ok=True)

    def choose_card(self, number: int | None) -> Card:
        """The card with this number in the list; without a number, the only one.

        Raises:
            Refused: There is no card.
            WrongUse: There are several, or not so many.
        """
        if not self.cards:
            raise Refused("no_card")
        if number is None:
            if len(self.cards) > 1:
                raise WrongUse("several_cards", count=len(self.cards))
            return self.cards[0]
        if not 1 <= number <= len(self.cards):
            raise WrongUse("no_such_card", number=number, count=len(self.cards))
        return self.cards[number - 1]


def load_wallet(path: Path, passphrase: str) -> OpenWallet:
    """Open a wallet that is there."""
    file, content = open_sealed_file(path, passphrase)
    return OpenWallet(file, decode_wallet(content))


def load_or_new_wallet(path: Path, passphrase: str) -> OpenWallet:
    """Open a wallet, or prepare an empty one that its first save creates."""
    if path.exists():
        return load_wallet(path, passphrase)
    return OpenWallet(new_sealed_file(path, passphrase), Wallet())
