"""The page's HTML. Every text and value goes through `escape`; nothing is loaded from anywhere."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from issuer.letters import SELF_SERVICE_PATH
from issuer.shared_with_router import SHARED
from wallet_api.self_service.reading import CardShown, Phone, StudentShown
from wallet_api.self_service.texts import Texts, every_language

_STYLE = (Path(__file__).parent / "style.css").read_text("utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def enter_page(texts: Texts, *, fault: str | None = None, note: str | None = None) -> str:
    """Where the code is typed."""
    say = texts.say
    wrong = ' aria-invalid="true"' if fault else ""
    form = (
        f'<form method="post" action="{_address(texts)}">'
        f'<label for="code">{escape(say("enter.label"))}</label>'
        f'<span class="quiet" id="hint">{escape(say("enter.hint"))}</span>'
        f'<input type="text" id="code" name="code" maxlength="64" required autocomplete="off" '
        f'autocapitalize="characters" spellcheck="false" '
        f'aria-describedby="hint{_and_fault(fault)}"'
        f"{wrong}>"
        f"<button>{escape(say('enter.button'))}</button></form>"
    )
    content = (
        f"<h1>{escape(say('enter.title'))}</h1>{_fault(fault)}{_told(note)}"
        f'<p>{escape(say("enter.what"))}</p><div class="sheet">{form}</div>'
        f'<p class="quiet">{escape(say("enter.no_letter"))}</p>'
    )
    return _page(texts, content)


def student_page(
    texts: Texts, shown: StudentShown, *, form_token: str, told: Sequence[str] = ()
) -> str:
    """Cards, phones and consent."""
    say = texts.say
    listed = "".join(_card(texts, card) for card in shown.cards)
    sign_out = _form(
        texts,
        "/sign-out",
        form_token,
        f'<button class="plain">{escape(say("page.sign_out"))}</button>',
    )
    content = (
        f"<h1>{escape(say('cards.title'))}</h1>{_told(*told)}"
        f"{listed or _paragraph(say('cards.no_card'))}"
        f'<p class="quiet">{escape(say("cards.new_phone"))}</p>'
        f"{_consent(texts, shown, form_token)}{sign_out}"
    )
    return _page(texts, content, heading=shown.institution)


def ending_page(
    texts: Texts, shown: StudentShown, card: CardShown, phone: Phone, *, form_token: str
) -> str:
    """Asks before a phone is ended."""
    say = texts.say
    facts = ((say("ending.what"), _name(texts, phone)), (say("ending.card"), card.escn))
    form = _form(
        texts,
        f"/phones/{quote(phone.id)}",
        form_token,
        f'<button class="grave">{escape(say("ending.button"))}</button>',
    )
    content = (
        f"<h1>{escape(say('ending.title'))}</h1>"
        f'<div class="sheet">{_facts(facts)}<p>{escape(say("ending.consequence"))}</p>'
        f"<p>{escape(say('ending.final'))}</p>"
        f'<div class="actions">{form}{_back(texts)}</div></div>'
    )
    return _page(texts, content, heading=shown.institution, path=f"/phones/{quote(phone.id)}")


def withdrawing_page(texts: Texts, shown: StudentShown, *, form_token: str) -> str:
    """Asks before consent is taken back."""
    say = texts.say
    hidden = '<input type="hidden" name="choice" value="withdraw">'
    button = f'<button class="grave">{escape(say("consent.withdraw"))}</button>'
    form = _form(texts, "/consent", form_token, hidden + button)
    content = (
        f"<h1>{escape(say('consent.withdraw_title'))}</h1>"
        f'<div class="sheet"><p>{escape(say("consent.withdraw_what"))}</p>'
        f'<div class="actions">{form}{_back(texts)}</div></div>'
    )
    return _page(texts, content, heading=shown.institution, path="/consent")


def fault_page(texts: Texts, fault: str) -> str:
    """Something was refused, and where to go on."""
    content = (
        f"<h1>{escape(texts.say('errors.title'))}</h1>{_fault(fault)}"
        f'<p><a class="button plain" href="{_address(texts)}">'
        f"{escape(texts.say('page.back'))}</a></p>"
    )
    return _page(texts, content)


def _page(texts: Texts, content: str, *, heading: str | None = None, path: str = "") -> str:
    title = texts.say("page.title")
    return (
        f'<!doctype html>\n<html lang="{texts.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f'<header class="top"><strong>{escape(heading or title)}</strong>{_languages(texts, path)}'
        f"</header>\n<main>{content}</main></body></html>\n"
    )


def _languages(texts: Texts, path: str) -> str:
    current = {texts.language: ' aria-current="true"'}
    links = "".join(
        f'<a href="{SELF_SERVICE_PATH}{path}?lang={code}" lang="{code}" hreflang="{code}"'
        f"{current.get(code, '')}>{escape(one.name)}</a>"
        for code, one in every_language().items()
    )
    return f'<nav aria-label="{escape(texts.say("page.languages"))}">{links}</nav>'


def _card(texts: Texts, card: CardShown) -> str:
    say = texts.say
    facts = (
        (say("cards.number"), card.escn),
        (say("cards.state"), say(f"state.{card.state}")),
        (say("cards.until"), texts.day(card.expires_on)),
    )
    phones = "".join(_phone(texts, phone) for phone in card.phones)
    listed = f'<ul class="phones">{phones}</ul>' if phones else _paragraph(say("cards.none"))
    heading = f"<h2>{escape(say('cards.phones'))}</h2>"
    return f'<section class="sheet">{_facts(facts)}{heading}{listed}</section>'


def _phone(texts: Texts, phone: Phone) -> str:
    say, name = texts.say, _name(texts, phone)
    since = say("cards.added", day=texts.day_of(phone.added_at))
    if phone.renewed_at is not None:
        since += ", " + say("cards.renewed", day=texts.day_of(phone.renewed_at))
    label = say("cards.end_named", name=name)
    return (
        f'<li><span><b>{escape(name)}</b><span class="quiet">{escape(since)}</span></span>'
        f'<a class="button grave" href="{_address(texts, f"/phones/{quote(phone.id)}")}" '
        f'aria-label="{escape(label)}">{escape(say("cards.end"))}</a></li>'
    )


def _consent(texts: Texts, shown: StudentShown, form_token: str) -> str:
    if not shown.asks_consent:
        return ""
    say = texts.say
    shares = "".join(f"<li>{escape(say(f'shares.{code}'))}</li>" for code in SHARED)
    if shown.consented_at is None:
        state = say("consent.not_given")
        hidden = '<input type="hidden" name="choice" value="give">'
        button = f"<button>{escape(say('consent.give'))}</button>"
        action = _form(texts, "/consent", form_token, hidden + button)
    else:
        state = say("consent.given", day=texts.day_of(shown.consented_at))
        action = (
            f'<a class="button plain" href="{_address(texts, "/consent")}">'
            f"{escape(say('consent.withdraw'))}</a>"
        )
    return (
        f'<section class="sheet"><h2>{escape(say("consent.title"))}</h2>'
        f"<p>{escape(say('consent.what'))}</p><ul>{shares}</ul>"
        f"<p><strong>{escape(state)}</strong></p>{action}</section>"
    )


def _form(texts: Texts, path: str, form_token: str, content: str) -> str:
    return (
        f'<form method="post" action="{_address(texts, path)}">'
        f'<input type="hidden" name="form_token" value="{escape(form_token)}">{content}</form>'
    )


def _address(texts: Texts, path: str = "") -> str:
    return f"{SELF_SERVICE_PATH}{path}?lang={texts.language}"


def _back(texts: Texts) -> str:
    return f'<a class="button plain" href="{_address(texts)}">{escape(texts.say("page.back"))}</a>'


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f"<dl>{told}</dl>"


def _name(texts: Texts, phone: Phone) -> str:
    return phone.name or texts.say("cards.unnamed")


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _fault(text: str | None) -> str:
    return f'<p class="sheet fault" role="alert" id="fault">{escape(text)}</p>' if text else ""


def _and_fault(fault: str | None) -> str:
    return " fault" if fault else ""


def _told(*texts: str | None) -> str:
    told = " ".join(escape(text) for text in texts if text)
    return f'<p class="sheet told" role="status">{told}</p>' if told else ""
