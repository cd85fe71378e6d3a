"""A signed `.pkpass`: files, their manifest, a detached PKCS #7 signature over it, one ZIP.

Two packages of the same pass differ in the signature only, which holds the time of signing.
Nothing is compressed: pictures are already, and the rest is small.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from io import BytesIO

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)

from issuer.passes.certificate import PassCertificate
from issuer.sealing import Sealer
from verifier.jws import b64url_encode
from wallet_api.passes.apple_document import pass_document, strings_file
from wallet_api.passes.facts import PassFacts
from wallet_api.passes.pictures import PassFile, own_pictures, pictures_of
from wallet_api.passes.words import LATVIAN

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can say
_OPTIONS = [
    PKCS7Options.DetachedSignature,
    PKCS7Options.Binary,
    PKCS7Options.NoCapabilities,
]
_KEPT_LOGOS = 64


class ApplePasses:
    """Signs Apple's passes of one pass type."""

    def __init__(self, certificate: PassCertificate, sealer: Sealer, public_url: str) -> None:
        """Draw what all passes share.

        Args:
            certificate: Of the pass type.
            sealer: Makes each pass's token.
            public_url: Of the wallet API.
        """
        self.certificate = certificate
        self._sealer = sealer
        self._web_service_url = f"{public_url}/passes/"
        self._strings = _strings()
        self._drawn = lru_cache(maxsize=_KEPT_LOGOS)(_DrawnLogo)

    def token_of(self, serial: str) -> str:
        """The token with which a phone asks about a pass; it is nowhere stored."""
        return b64url_encode(self._sealer.derive("apple pass", serial.encode()))

    def package(self, facts: PassFacts, *, logo: Callable[[str], bytes | None]) -> bytes:
        """The pass as a file.

        Args:
            facts: What it says.
            logo: Reads the institution's logo with this SHA-256, when it was not drawn before.
        """
        document = pass_document(
            facts,
            pass_type_id=self.certificate.pass_type_id,
            team_id=self.certificate.team_id,
            web_service_url=self._web_service_url,
            token=self.token_of(facts.serial),
        )
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        files = [_file("pass.json", body), *self._strings, *self._pictures(facts, logo)]
        return _archive(self.certificate, files)

    def _pictures(
        self, facts: PassFacts, logo: Callable[[str], bytes | None]
    ) -> Sequence[PassFile]:
        sha256 = facts.look.logo_sha256
        if sha256 is None:
            return own_pictures()
        return self._drawn(sha256).pictures(logo)


class _DrawnLogo:
    """The pictures of the logo with this SHA-256, once they are drawn."""

    def __init__(self, sha256: str) -> None:
        self._sha256 = sha256
        self._pictures: Sequence[PassFile] = ()

    def pictures(self, logo: Callable[[str], bytes | None]) -> Sequence[PassFile]:
        if not self._pictures:
            body = logo(self._sha256)
            if body is None:
                return own_pictures()
            self._pictures = pictures_of(body)
        return self._pictures


def _strings() -> list[PassFile]:
    by_language: Mapping[str, dict[str, str]] = {
        "en": {key: key for key in LATVIAN},
        "lv": LATVIAN,
    }
    return [
        _file(f"{language}.lproj/pass.strings", strings_file(translations))
        for language, translations in by_language.items()
    ]


def _file(name: str, body: bytes) -> PassFile:
    return PassFile(name, body, hashlib.sha1(body, usedforsecurity=False).hexdigest())


def _archive(certificate: PassCertificate, files: Sequence[PassFile]) -> bytes:
    manifest = json.dumps({file.name: file.sha1 for file in files}).encode()
    signature = (
        PKCS7SignatureBuilder()
        .set_data(manifest)
        .add_signer(certificate.certificate, certificate.key, hashes.SHA256())
        .add_certificate(certificate.wwdr)
        .sign(Encoding.DER, _OPTIONS)
    )
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for file in (*files, _file("manifest.json", manifest), _file("signature", signature)):
            archive.writestr(zipfile.ZipInfo(file.name, _EPOCH), file.body)
    return written.getvalue()
