"""Links that save a pass in Google's wallet: a signed object in the address, nothing sent by us.

Google Wallet API, Generic pass, "JWT": RS256 with the key of a service account. The class of the
pass is made once in Google's console. A link is to stay below 1,800 characters, which browsers
and messengers are known to keep; what is not needed to use the pass is left out until it fits.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from issuer.clock import utc_text
from issuer.errors import UnusableSecret
from verifier.jws import Json, b64url_encode
from wallet_api.errors import PassTooLarge
from wallet_api.passes import words
from wallet_api.passes.facts import PassFacts
from wallet_api.settings import WalletSettings

SAVE_URL = "https://pay.google.com/gp/v/save/"
MAX_LINK_CHARS = 1_800
_MAX_KEY_FILE_BYTES = 64 * 1024
# What a pass can do without, as places in its object, the least important first.
_DISPENSABLE = (
    ("textModulesData",),
    ("logo",),
    ("subheader", "translatedValues"),
    ("subheader",),
    ("barcode", "alternateText"),
)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who signs: a Google service account with access to the issuer's passes."""

    email: str
    key: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class GoogleLinks:
    """Makes save links for one issuer and class of passes.

    Attributes:
        account: Signs.
        issuer_id: Google's number of the issuer.
        class_id: The class, without the issuer id.
        public_url: Of the wallet API, where logos are.
    """

    account: ServiceAccount
    issuer_id: str
    class_id: str
    public_url: str

    def save_uri(self, facts: PassFacts, *, now: int) -> str:
        """The link with which a phone saves the pass.

        Args:
            facts: Of an active pass with its code.
            now: Seconds.

        Raises:
            PassTooLarge: Not even what is needed fits into a link.
        """
        document = self._object(facts)
        for place in (None, *_DISPENSABLE):
            if place is not None:
                _leave_out(document, place)
            link = SAVE_URL + self._signed(document, now=now)
            if len(link) <= MAX_LINK_CHARS:
                return link
        raise PassTooLarge("the pass does not fit into a link that a phone would take")

    def _signed(self, document: Json, *, now: int) -> str:
        header = {"alg": "RS256", "typ": "JWT"}
        claims = {
            "iss": self.account.email,
            "aud": "google",
            "typ": "savetowallet",
            "iat": now,
            "payload": {"genericObjects": [document]},
        }
        signing_input = f"{_part(header)}.{_part(claims)}".encode()
        signature = self.account.key.sign(signing_input, padding.PKCS1v15(), hashes.SHA256())
        return f"{signing_input.decode()}.{b64url_encode(signature)}"

    def _object(self, facts: PassFacts) -> Json:
        content = facts.content
        assert content is not None  # noqa: S101 the caller's promise
        document: Json = {
            "id": f"{self.issuer_id}.{facts.serial}",
            "classId": f"{self.issuer_id}.{self.class_id}",
            "state": "ACTIVE",
            "cardTitle": _text(facts.institution),
            "header": _text(content.name),
            "barcode": {"type": "QR_CODE", "value": content.code, "alternateText": facts.escn},
            "hexBackgroundColor": facts.look.background,
            "validTimeInterval": {"end": {"date": utc_text(content.expires_at)}},
        }
        title = words.TITLE
        document["subheader"] = _text(title, lv=words.LATVIAN[title])
        if facts.look.logo_sha256 is not None:
            uri = f"{self.public_url}/{facts.pic}/logo/{facts.look.logo_sha256}"
            document["logo"] = {"sourceUri": {"uri": uri}}
        document["textModulesData"] = [
            {"id": "until", "header": words.VALID_UNTIL, "body": facts.expires_on.isoformat()}
        ]
        return document


def load_google_links(settings: WalletSettings) -> GoogleLinks | None:
    """The links of these settings, or None if they name no service account.

    Raises:
        UnusableSecret: The service account's file is missing, damaged or none.
    """
    if (
        settings.google_issuer_id is None
        or settings.google_class_id is None
        or settings.google_service_account_file is None
    ):
        return None
    account = load_service_account(settings.google_service_account_file)
    return GoogleLinks(
        account, settings.google_issuer_id, settings.google_class_id, settings.public_url
    )


def load_service_account(path: Path) -> ServiceAccount:
    """A service account from the JSON file that Google gives for it.

    Raises:
        UnusableSecret: The file is missing, damaged or none.
    """
    document = _json_object(path)
    email, pem = document.get("client_email"), document.get("private_key")
    if not isinstance(email, str) or "@" not in email or not isinstance(pem, str):
        raise UnusableSecret(f"{path} has no client_email and private_key of a service account")
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableSecret(f"the private_key in {path} does not open") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableSecret(f"the private_key in {path} is not RSA, as Google's are")
    return ServiceAccount(email, key)


def _json_object(path: Path) -> Json:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_MAX_KEY_FILE_BYTES))
    except OSError as error:
        raise UnusableSecret(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        # Without its cause, which holds the text.
        raise UnusableSecret(f"{path} is not the JSON of a service account") from None
    if not isinstance(document, dict):
        raise UnusableSecret(f"{path} is not the JSON of a service account")
    return document


def _text(text: str, *, lv: str | None = None) -> Json:
    value: Json = {"defaultValue": {"language": "en", "value": text}}
    if lv is not None:
        value["translatedValues"] = [{"language": "lv", "value": lv}]
    return value


def _leave_out(document: Json, place: tuple[str, ...]) -> None:
    for name in place[:-1]:
        document = document.get(name, {})
    document.pop(place[-1], None)


def _part(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return b64url_encode(text.encode())
