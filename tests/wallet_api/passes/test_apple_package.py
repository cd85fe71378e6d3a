"""How a pass looks: pictures, colours, words; and what it must never hold."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from issuer.database import make_engine
from issuer.errors import UnusableSecret
from issuer.passes.certificate import load_pass_certificate
from issuer.passes.content import PassContent
from issuer.sealing import Sealer
from tests.conftest import SettableClock
from tests.pass_files import END, PassFolder, make_pass_folder, read_pass
from tests.wallet_api.conftest import PASSPHRASE, service_on
from tests.wallet_api.passes.test_google import facts
from wallet_api.app import create_app
from wallet_api.passes.apple_document import strings_file
from wallet_api.passes.apple_package import ApplePasses
from wallet_api.passes.facts import Look, PassState
from wallet_api.settings import WalletSettings


def settings(folder: PassFolder, tmp_path: Path, **more: object) -> WalletSettings:
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    (tmp_path / "secret").write_bytes(b"a deployment's secret of some length")
    return WalletSettings.model_validate(
        {
            "database_url": "sqlite:///x",
            "public_url": "https://wallet.example/base",
            "issuer_public_url": "https://issuer.example",
            "keys_dir": tmp_path,
            "key_passphrase_file": tmp_path / "passphrase",
            "secret_file": tmp_path / "secret",
            **folder.apple,
            **more,
        }
    )


@pytest.fixture
def apple(pass_folder: PassFolder, tmp_path: Path) -> ApplePasses:
    given = settings(pass_folder, tmp_path)
    certificate = load_pass_certificate(given)
    assert certificate is not None
    return ApplePasses(certificate, Sealer(b"s" * 40), given.public_url)


def logo(width: int, height: int) -> bytes:
    written = BytesIO()
    Image.new("RGBA", (width, height), (200, 0, 0, 128)).save(written, "PNG")
    return written.getvalue()


def no_logo(_: str) -> None:
    return None


def test_a_misfit_stops_the_wallet_api_at_its_start(sqlite_url: str, tmp_path: Path) -> None:
    folder = make_pass_folder(tmp_path / "p", pass_type="pass.example.other")
    with pytest.raises(UnusableSecret, match=r"pass type pass\.example\.other"):
        create_app(settings(folder, tmp_path, database_url=sqlite_url))


def test_a_certificate_that_ends_soon_is_told_in_the_log_and_stops_nothing(
    sqlite_url: str, clock: SettableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_pass_folder(tmp_path / "p", end=clock() + timedelta(days=29))
    given = settings(folder, tmp_path, database_url=sqlite_url)
    app = create_app(given, clock=clock)
    assert "the certificate of Apple's passes ends at 2026-12-22" in caplog.text
    clock.advance(timedelta(days=29))
    assert not app.state.exporters.apple.certificate.is_valid(clock())
    app.state.wallet.engine.dispose()


def test_after_the_certificates_end_no_pass_is_offered_and_cards_are_as_ever(
    sqlite_url: str, clock: SettableClock, tmp_path: Path, pass_folder: PassFolder
) -> None:
    clock.at = END
    engine = make_engine(sqlite_url)
    with service_on(sqlite_url, engine, clock, tmp_path, **pass_folder.apple) as service:
        headers = {"authorization": f"Bearer {service.take().device_token}"}
        answer = service.http.get(f"{service.url}/device/passes", headers=headers)
        assert answer.json() == {"apple": False, "google": False, "held": []}
        taken = service.http.post(f"{service.url}/device/passes/apple", json={}, headers=headers)
        assert taken.status_code == 404
    engine.dispose()


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1_000, 40), (30, 900), (1, 1)])
def test_pictures_are_made_of_the_institutions_logo(
    apple: ApplePasses, width: int, height: int
) -> None:
    asked: list[str] = []

    def body(sha256: str) -> bytes:
        asked.append(sha256)
        return logo(width, height)

    given = facts(look=Look("#5a0f1b", "#ffeecc", f"{width:064}"))
    read = read_pass(apple.package(given, logo=body))
    again = read_pass(apple.package(given, logo=body))

    assert asked == [f"{width:064}"]
    assert again.files["logo.png"] == read.files["logo.png"]
    assert read.document["backgroundColor"] == "rgb(90, 15, 27)"
    assert read.document["labelColor"] == "rgb(255, 238, 204)"
    assert "logoText" not in read.document
    assert read.values()["Institution"] == "Daugava University"
    with Image.open(BytesIO(read.files["icon@3x.png"])) as icon:
        assert icon.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_logo_that_is_gone_is_replaced_by_our_own_until_it_is_back(apple: ApplePasses) -> None:
    given = facts(look=Look("#003399", "#ffffff", "e" * 64))
    own = read_pass(apple.package(facts(look=Look("#003399", "#ffffff", None)), logo=no_logo))

    without = read_pass(apple.package(given, logo=no_logo))
    back = read_pass(apple.package(given, logo=lambda _: logo(50, 50)))

    assert without.files["logo.png"] == own.files["logo.png"]
    assert back.files["logo.png"] != own.files["logo.png"]


@pytest.mark.parametrize("state", [one for one in PassState if one is not PassState.ACTIVE])
def test_every_state_but_active_is_voided_and_said_in_both_languages(
    apple: ApplePasses, state: PassState
) -> None:
    read = read_pass(apple.package(facts(state=state, content=None), logo=no_logo))

    assert read.is_voided
    assert read.code is None
    (said,) = read.document["generic"]["headerFields"]
    assert said["value"] in read.latvian
    assert said["changeMessage"] == "%@"


def test_the_address_to_ask_is_below_that_of_the_service(apple: ApplePasses) -> None:
    read = read_pass(apple.package(facts(), logo=no_logo))
    assert read.document["webServiceURL"] == "https://wallet.example/base/passes/"


def test_the_tokens_of_two_passes_and_two_deployments_differ(apple: ApplePasses) -> None:
    other = ApplePasses(apple.certificate, Sealer(b"t" * 40), "https://wallet.example")
    tokens = {apple.token_of("a"), apple.token_of("b"), other.token_of("a")}
    assert len(tokens) == 3
    assert apple.token_of("a") == apple.token_of("a")


def test_names_in_every_script_and_quotes_in_words_are_kept(apple: ApplePasses) -> None:
    name = 'Þórður "Ўладзімір" Ελένη \\ '
    end = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    content = PassContent("X", name, None, end)
    read = read_pass(apple.package(facts(content=content), logo=no_logo))
    assert read.values()["European Student Card"] == name
    assert "Level of study" not in read.values()
    assert strings_file({'a"b\\': "c\nd"}) == b'"a\\"b\\\\" = "c\\nd";\n'
