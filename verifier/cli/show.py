"""`python -m verifier show`: what a code holds, without trusting it."""

import argparse
import json
from typing import Any

from verifier.cli.answers import day_of, instant_of
from verifier.cli.languages import Language
from verifier.cli.reading import read_texts
from verifier.errors import CardError
from verifier.esc_qr import UnverifiedCode, parse_code
from verifier.identifiers import ESI_PREFIX, pic_of
from verifier.sd_jwt_vc import UnverifiedCredential, parse_credential, read_claims


def run_show(arguments: argparse.Namespace, language: Language) -> int:
    """Print what each code says of itself; see `arguments.EXIT_CODES`."""
    failed = 0
    for text in read_texts(arguments):
        try:
            content = _content_of(text)
        except CardError as error:
            failed = 1
            content = {"refusal": type(error).__name__}
        _print(content, language, as_json=arguments.json)
    return failed


def _content_of(text: str) -> dict[str, Any]:
    if "~" in text:
        return _credential(parse_credential(text))
    return _code(parse_code(text))


def _code(code: UnverifiedCode) -> dict[str, Any]:
    claims = code.e1.claims
    return {
        "kind": "E2" if code.is_live else "E1",
        "card_number": code.escn,
        "institution": pic_of(code.escn),
        "name": claims.name,
        "level": claims.level.value if claims.level else None,
        "esi": ESI_PREFIX + claims.esi if claims.esi else None,
        "profile": claims.profile.value,
        "issued": instant_of(claims.issued_at),
        "expires": day_of(claims.expires_at),
        "shown": instant_of(code.shown_at) if code.shown_at is not None else None,
        "status_entry": f"{claims.status_list}/{claims.status_index}",
        "key": code.e1.kid.hex(),
    }


def _credential(credential: UnverifiedCredential) -> dict[str, Any]:
    claims = read_claims(credential)
    return {
        "kind": "SD-JWT VC",
        "card_number": claims.escn,
        "institution": claims.pic,
        "issuer": credential.unverified_issuer,
        "type": claims.vct,
        "name": claims.name,
        "level": claims.level.value if claims.level else None,
        "esi": claims.esis[0].text if claims.esis else None,
        "issued": instant_of(claims.issued_at),
        "expires": day_of(claims.expires_at),
        "status_entry": f"{claims.status_uri} {claims.status_index}",
        "key": credential.jws.header.get("kid"),
    }


def _print(content: dict[str, Any], language: Language, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"checked": False, **content}, ensure_ascii=False))
        return
    if "refusal" in content:
        texts = language.refusal(content["refusal"])
        print(f"✘ {texts.sentence}\n  {texts.hint}\n  [{content['refusal']}]")
        return
    print(f"⚠ {language.word('unchecked')}")
    width = max(len(language.word(key)) for key in content)
    for key, value in content.items():
        if value is not None:
            print(f"  {language.word(key):<{width}}  {_word_of(key, value, language)}")


def _word_of(key: str, value: Any, language: Language) -> str:
    if key == "level":
        return language.word(str(value))
    if key == "profile":
        return language.word(f"profile-{value}")
    # Nobody has signed this yet: it must not move the cursor or turn the text.
    return "".join(c if c.isprintable() else "\ufffd" for c in str(value))
