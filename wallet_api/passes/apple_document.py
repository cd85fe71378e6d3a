"""`pass.json` of a pass for Apple's wallet, and the words beside it.

PassKit Package Format (pass design and creation), style `generic`. English texts are the keys of
the localisations, so that a language that is missing shows English.
"""

from typing import Any

from issuer.clock import utc_text
from verifier.jws import Json
from wallet_api.passes import words
from wallet_api.passes.facts import PassFacts, PassState

MEDIA_TYPE = "application/vnd.apple.pkpass"


def pass_document(
    facts: PassFacts, *, pass_type_id: str, team_id: str, web_service_url: str, token: str
) -> Json:
    """What `pass.json` holds.

    Args:
        facts: What the pass says.
        pass_type_id: As in the certificate.
        team_id: As in the certificate.
        web_service_url: Where the phone asks for changes, without `v1`.
        token: With which it asks.
    """
    document: Json = {
        "formatVersion": 1,
        "passTypeIdentifier": pass_type_id,
        "teamIdentifier": team_id,
        "serialNumber": facts.serial,
        "organizationName": facts.institution,
        "description": words.TITLE,
        "backgroundColor": _rgb(facts.look.background),
        "foregroundColor": _rgb(facts.look.text),
        "labelColor": _rgb(facts.look.text),
        "sharingProhibited": True,
        "webServiceURL": web_service_url,
        "authenticationToken": token,
        "generic": _fields(facts),
    }
    if facts.state is not PassState.ACTIVE:
        document["voided"] = True
    if facts.look.logo_sha256 is None:
        document["logoText"] = facts.institution
    content = facts.content
    if content is not None:
        document["expirationDate"] = utc_text(content.expires_at)
        if content.code:
            document["barcodes"] = [_barcode(content.code, facts.escn)]
    return document


def strings_file(translations: dict[str, str]) -> bytes:
    """A `pass.strings`: property list strings, UTF-8."""
    lines = [f'"{_escaped(key)}" = "{_escaped(text)}";' for key, text in translations.items()]
    return "\n".join([*lines, ""]).encode()


def _fields(facts: PassFacts) -> Json:
    content, state = facts.content, words.STATES[facts.state]
    is_active = facts.state is PassState.ACTIVE
    # A phone says what changed in a field that it finds again by its key.
    of_state = _field(words.STATE, state) | {"changeMessage": "%@"}
    why = (words.WORTH, words.WORTH_TEXT) if is_active else (words.NOT_SHOWN, words.NOT_SHOWN_TEXT)
    holder = state if content is None else content.name
    return {
        "headerFields": [] if is_active else [of_state],
        "primaryFields": [_field(words.TITLE, holder)],
        "secondaryFields": _institution(facts),
        "auxiliaryFields": [*_level(facts), _day(words.VALID_UNTIL, facts)],
        "backFields": [
            _field(words.NUMBER, facts.escn),
            *([of_state] if is_active else []),
            _field(*why),
        ],
    }


def _institution(facts: PassFacts) -> list[Json]:
    """Its name where a logo stands in place of it."""
    has_logo = facts.look.logo_sha256 is not None
    return [_field(words.INSTITUTION, facts.institution)] if has_logo else []


def _level(facts: PassFacts) -> list[Json]:
    level = None if facts.content is None else facts.content.level
    return [] if level is None else [_field(words.LEVEL, words.LEVELS.get(level, level))]


def _field(label: str, value: str) -> dict[str, Any]:
    return {"key": label.lower().replace(" ", "-"), "label": label, "value": value}


def _day(label: str, facts: PassFacts) -> Json:
    return _field(label, f"{facts.expires_on.isoformat()}T12:00:00Z") | {
        "dateStyle": "PKDateStyleMedium",
        "timeStyle": "PKDateStyleNone",
        "ignoresTimeZone": True,
    }


def _barcode(code: str, escn: str) -> Json:
    return {
        "format": "PKBarcodeFormatQR",
        "message": code,
        "messageEncoding": "iso-8859-1",
        "altText": escn,
    }


def _rgb(colour: str) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({', '.join(map(str, parts))})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
