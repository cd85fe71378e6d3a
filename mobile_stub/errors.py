"""Why the phone could not do what it was asked, and the exit code that says so.

    PhoneError
    +-- Refused         1  the phone or the other side refused, or something failed
    +-- WrongUse        2  the command was not usable as given
    +-- NoNetwork       3  the other side could not be reached, or did not finish its answer
    +-- CardNotActive   4  there is a card, but no code of it may be shown

An error carries the key of its sentence (languages/*.toml, table "errors") and the values that
the sentence names; no secret and no personal data may be among them.
"""


class PhoneError(Exception):
    """Any reason to stop. `exit_code` is what the command line returns for it."""

    exit_code = 1

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.values = values


class Refused(PhoneError):
    """The offer, the answer, the file or the passphrase is not acceptable."""


class WrongUse(PhoneError):
    """An argument is missing or does not fit; nothing was sent."""

    exit_code = 2


class NoNetwork(PhoneError):
    """No usable answer came: the card on the phone stays as it is."""

    exit_code = 3


class CardNotActive(PhoneError):
    """The card is suspended, revoked, expired, or its code on this phone is too old."""

    exit_code = 4
