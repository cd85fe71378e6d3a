"""The page's requests: a code opens a session; in it phones are ended and consent is changed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from issuer.clock import seconds_of, today_of
from issuer.consent import give_consent, withdraw_consent
from issuer.credential_life import EndReason
from issuer.device_life import end_device_of_card
from issuer.errors import CardNotFound, DeviceNotFound
from issuer.letter_codes import hash_code
from issuer.letters import SELF_SERVICE_PATH
from issuer.store import audit, letters
from issuer.students import subject_of
from issuer.tables import Letter
from wallet_api.deps import BodyDep, Wallet, WalletDep, media_type_of
from wallet_api.errors import NotAForm
from wallet_api.forms import FORM, parse_form
from wallet_api.self_service import visits
from wallet_api.self_service.answers import PageRefused, PageRoute, go_to_start, page, texts_of
from wallet_api.self_service.attempts import Attempts
from wallet_api.self_service.pages import (
    ending_page,
    enter_page,
    student_page,
    withdrawing_page,
)
from wallet_api.self_service.reading import (
    CardShown,
    Phone,
    StudentShown,
    letter_of_visit,
    read_student,
)
from wallet_api.self_service.texts import Texts
from wallet_api.self_service.visits import Visit

router = APIRouter(prefix=SELF_SERVICE_PATH, route_class=PageRoute, include_in_schema=False)

PhonePath = Annotated[str, Path(max_length=64)]
_TOLD = {"ended", "given", "withdrawn", "out"}


async def _form(request: Request, body: BodyDep) -> dict[str, str]:
    if media_type_of(request) != FORM:
        raise NotAForm(f"the body is not {FORM}")
    return parse_form(body)


async def _texts(request: Request) -> Texts:
    return texts_of(request)


FormDep = Annotated[dict[str, str], Depends(_form)]
TextsDep = Annotated[Texts, Depends(_texts)]


@router.get("")
def show_start(request: Request, wallet: WalletDep, texts: TextsDep) -> Response:
    """The cards and phones, or where to type the code."""
    told = request.query_params.get("told", "")
    visit = _visit(request, wallet)
    shown = None if visit is None else _shown(wallet, visit)
    if visit is None or shown is None:
        note = texts.say("page.close") if told == "out" else None
        return page(enter_page(texts, note=note))
    sentences = _sentences(texts, told) if told in _TOLD else ()
    return page(student_page(texts, shown, form_token=visit.form_token, told=sentences))


@router.post("")
def enter_code(request: Request, wallet: WalletDep, texts: TextsDep, form: FormDep) -> Response:
    """Open a session with the code of a letter.

    Raises:
        PageRefused: The form was sent by another page.
    """
    if not visits.is_from_this_page(request, wallet.settings.public_url):
        raise PageRefused("elsewhere", 403)
    now, address = seconds_of(wallet.clock()), request.client.host if request.client else ""
    attempts: Attempts = request.app.state.attempts
    wait = attempts.wait_for(address, now=now)
    if wait > 0:
        answer = page(enter_page(texts, fault=_too_often(texts, wait)), 429)
        answer.headers["retry-after"] = str(wait)
        return answer
    # Hashed whatever it is: what is no code takes as long as what is one.
    letter = _open(wallet, hash_code(wallet.sealer, form.get("code", "")), now=now)
    if letter is None:
        attempts.note_wrong(address, now=now)
        return page(enter_page(texts, fault=texts.say("errors.wrong_code")), 422)
    answer = go_to_start(texts)
    public_url = wallet.settings.public_url
    visits.begin(answer, wallet.sealer, public_url, letter_id=letter.id or 0, now=now)
    return answer


@router.get("/phones/{phone_id}")
def ask_before_ending(
    request: Request, wallet: WalletDep, texts: TextsDep, phone_id: PhonePath
) -> Response:
    """Say what ending the phone means."""
    visit, shown = _required(request, wallet)
    card, phone = _phone(shown, phone_id)
    return page(ending_page(texts, shown, card, phone, form_token=visit.form_token))


@router.post("/phones/{phone_id}")
def end_phone(
    request: Request, wallet: WalletDep, texts: TextsDep, form: FormDep, phone_id: PhonePath
) -> Response:
    """End a phone of the student's.

    Raises:
        PageRefused: The phone was ended a moment ago.
    """
    visit, shown = _required(request, wallet, form)
    card, phone = _phone(shown, phone_id)
    try:
        with wallet.transaction() as session:
            end_device_of_card(
                session,
                shown.pic,
                card.escn,
                phone.number,
                reason=EndReason.BY_STUDENT,
                now=wallet.clock(),
                actor=_actor(visit),
            )
    except (CardNotFound, DeviceNotFound) as error:
        raise PageRefused("no_phone", 404) from error
    return go_to_start(texts, told="ended")


@router.get("/consent")
def ask_before_withdrawing(request: Request, wallet: WalletDep, texts: TextsDep) -> Response:
    """Say what taking consent back means."""
    visit, shown = _required(request, wallet)
    return page(withdrawing_page(texts, shown, form_token=visit.form_token))


@router.post("/consent")
def change_consent(
    request: Request, wallet: WalletDep, texts: TextsDep, form: FormDep
) -> Response:
    """Give consent, or take it back.

    Raises:
        PageRefused: It is not asked for, or the form is none of ours.
    """
    visit, shown = _required(request, wallet, form)
    choice = form.get("choice")
    if choice not in ("give", "withdraw") or not shown.asks_consent:
        raise PageRefused("broken", 400)
    change = give_consent if choice == "give" else withdraw_consent
    with wallet.transaction() as session:
        change(session, shown.pic, shown.student_id, now=wallet.clock(), actor=_actor(visit))
    return go_to_start(texts, told="given" if choice == "give" else "withdrawn")


@router.post("/sign-out")
def sign_out(request: Request, wallet: WalletDep, texts: TextsDep, form: FormDep) -> Response:
    """End the session."""
    _required(request, wallet, form)
    answer = go_to_start(texts, told="out")
    visits.end(answer, wallet.settings.public_url)
    return answer


def _visit(request: Request, wallet: Wallet) -> Visit | None:
    now = seconds_of(wallet.clock())
    return visits.visit_of(request, wallet.sealer, wallet.settings.public_url, now=now)


def _required(
    request: Request, wallet: Wallet, form: dict[str, str] | None = None
) -> tuple[Visit, StudentShown]:
    """The session and what it shows; of a form, also that a page of ours sent it.

    Raises:
        PageRefused: There is no session, or not any more, or the form is another's.
    """
    visit = _visit(request, wallet)
    shown = None if visit is None else _shown(wallet, visit)
    if visit is None or shown is None:
        raise PageRefused("session_over", 403)
    if form is not None:
        own = visits.is_from_this_page(request, wallet.settings.public_url)
        if not own or not visits.carries(form.get("form_token", ""), visit):
            raise PageRefused("elsewhere", 403)
    return visit, shown


def _phone(shown: StudentShown, phone_id: str) -> tuple[CardShown, Phone]:
    found = shown.phone(phone_id)
    if found is None:
        raise PageRefused("no_phone", 404)
    return found


def _shown(wallet: Wallet, visit: Visit) -> StudentShown | None:
    now = wallet.clock()
    with wallet.reading() as session:
        letter = letter_of_visit(session, visit.letter_id, now=seconds_of(now))
        if letter is None:
            return None
        return read_student(session, letter, wallet.sealer, today=today_of(now))


def _open(wallet: Wallet, code_hash: bytes, *, now: int) -> Letter | None:
    with wallet.reading() as session:
        letter = letters.living(session, code_hash, now=now)
    if letter is None:
        return None
    with wallet.transaction() as session:
        audit.add(
            session,
            now=now,
            pic=letter.pic,
            actor=f"letter:{letter.id}",
            action="student.self-service",
            subject=subject_of(letter.student_id),
        )
    return letter


def _actor(visit: Visit) -> str:
    return f"letter:{visit.letter_id}"


def _too_often(texts: Texts, wait: int) -> str:
    return texts.say("errors.too_often", minutes=-(-wait // 60))


def _sentences(texts: Texts, told: str) -> tuple[str, ...]:
    if told == "ended":
        return (texts.say("ended.title"), texts.say("ended.next"))
    return () if told == "out" else (texts.say(f"consent.done_{told}"),)
