"""An institution's logo and colours, as wallets find them."""

from sqlmodel import Session

from issuer.look_life import set_colours, set_logo
from issuer.looks import Colours, DrawnLogo, draw_logo
from tests.conftest import SettableClock
from tests.issuer.photos.pictures import encoded, quarters
from tests.wallet_api.conftest import OTHER_PIC, PIC, Service
from tests.wallet_api.test_metadata import validate, well_known
from wallet_api.metadata import Documents

LOGO = draw_logo(encoded(quarters(60, 40), "PNG"))


def set_look(service: Service, clock: SettableClock, logo: DrawnLogo | None) -> None:
    with Session(service.engine) as session, session.begin():
        set_logo(session, PIC, logo, now=clock(), actor="cli")
        set_colours(session, PIC, Colours("#7a1f3d", "#ffffff"), now=clock(), actor="cli")


def test_there_is_no_logo_but_the_institutions_own_of_now(
    service: Service, clock: SettableClock
) -> None:
    address = f"{service.url}/{PIC}/logo/{LOGO.sha256}"
    assert service.http.get(address).json()["type"].endswith(":logo-not-found")
    set_look(service, clock, LOGO)
    assert service.http.get(address).status_code == 200
    for path in (f"{OTHER_PIC}/logo/{LOGO.sha256}", f"{PIC}/logo/{'0' * 64}"):
        assert service.http.get(f"{service.url}/{path}").status_code == 404
    for path in (f"{PIC}/logo/{LOGO.sha256.upper()}", f"{PIC}/logo/..", f"x/logo/{'0' * 64}"):
        assert service.http.get(f"{service.url}/{path}").status_code in (404, 422)


def test_a_logo_may_be_kept_for_ever_shown_anywhere_and_is_never_run(
    service: Service, clock: SettableClock
) -> None:
    set_look(service, clock, LOGO)
    answer = service.http.get(f"{service.url}/{PIC}/logo/{LOGO.sha256}")
    assert answer.content == LOGO.body
    assert {
        "content-type": "image/png",
        "cache-control": "public, max-age=31536000, immutable",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }.items() <= dict(answer.headers).items()
    known = {"if-none-match": answer.headers["etag"]}
    assert service.http.get(str(answer.url), headers=known).status_code == 304


def test_the_card_and_the_metadata_have_the_look(service: Service, clock: SettableClock) -> None:
    token = service.take("EuropeanStudentCard").device_token
    before = service.card(token)
    set_look(service, clock, LOGO)
    service.app.state.documents = Documents()  # they are read anew once a minute
    uri = f"{service.url}/{PIC}/logo/{LOGO.sha256}"

    after = service.card(token, before.headers["etag"])
    look = {"background_color": "#7a1f3d", "text_color": "#ffffff"}
    logo = {"uri": uri, "media_type": "image/png"}
    assert look | {"logo": logo} == {
        name: after.json()["institution"][name] for name in (*look, "logo")
    }

    document = well_known(service, "openid-credential-issuer").json()
    validate(document, "credential_issuer_metadata")
    shown = {"uri": uri, "alt_text": "Daugava University 1"}
    assert document["display"] == [{"name": "Daugava University 1", "logo": shown}]
    displays = [
        display
        for entry in document["credential_configurations_supported"].values()
        for display in entry["credential_metadata"]["display"]
    ]
    assert len(displays) == 6
    for display in displays:
        assert display["logo"] == shown
        assert look.items() <= display.items()
    other = well_known(service, "openid-credential-issuer", OTHER_PIC).json()
    assert other["display"] == [{"name": "Daugava University 2"}]
    assert "logo" not in str(other)
