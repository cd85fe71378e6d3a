"""The two well-known documents: where they are, and that they are what the schema asks for."""

import json
from pathlib import Path

import httpx
import jsonschema
import pytest

from tests.wallet_api.conftest import CARD, OTHER_PIC, PIC, QR, STUDENT_ID, Service

DATA = Path(__file__).parents[1] / "data" / "openid4vci"


def validate(document: object, schema: str) -> None:
    loaded = json.loads((DATA / f"schema-{schema}-1_0.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(loaded, format_checker=jsonschema.FormatChecker())
    validator.validate(document)


def well_known(service: Service, name: str, pic: str = PIC) -> httpx.Response:
    return service.http.get(f"{service.url}/.well-known/{name}/{pic}")


NOT_INSERTED = [
    f"/{PIC}/.well-known/openid-credential-issuer",
    f"/{PIC}/.well-known/oauth-authorization-server",
    "/.well-known/openid-credential-issuer",
    "/.well-known/oauth-authorization-server",
    f"/.well-known/openid-credential-issuer/{PIC}/",
]


def test_there_is_nothing_where_the_path_is_not_inserted(
    service: Service, subtests: pytest.Subtests
) -> None:
    for path in NOT_INSERTED:
        with subtests.test(repr(path)[:80]):
            answer = service.http.get(service.url + path)

            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("pic", ["123456789", "x", "99990000", "9999000011", "٩٩٩٩٠٠٠٠١"])
@pytest.mark.parametrize("name", ["openid-credential-issuer", "oauth-authorization-server"])
def test_an_institution_that_we_do_not_issue_for_has_no_documents(
    service: Service, name: str, pic: str
) -> None:
    assert well_known(service, name, pic).status_code in (404, 422)


def test_the_checks_of_these_tests_refuse_a_wrong_document() -> None:
    name = "sample-invalid-openid-credential-issuer-metadata-missing-required-property.json"
    with pytest.raises(jsonschema.ValidationError):
        validate(json.loads((DATA / name).read_text("utf-8")), "credential_issuer_metadata")


def test_the_checks_of_these_tests_accept_a_right_document() -> None:
    name = "sample-valid-openid-credential-issuer-metadata-spec-DcSdJwt-claims-example.json"
    validate(json.loads((DATA / name).read_text("utf-8")), "credential_issuer_metadata")


def test_the_issuer_metadata_is_valid_and_names_itself(service: Service) -> None:
    answer = well_known(service, "openid-credential-issuer")

    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    validate(document, "credential_issuer_metadata")
    assert document["credential_issuer"] == service.issuer
    assert set(document["credential_configurations_supported"]) == {CARD, STUDENT_ID, QR}
    for configuration in document["credential_configurations_supported"].values():
        # One needs the other (section 12.2.4).
        assert configuration["cryptographic_binding_methods_supported"] == ["jwk"]
        assert configuration["proof_types_supported"]["jwt"]


def test_each_institution_has_its_own_documents(service: Service) -> None:
    document = well_known(service, "openid-credential-issuer", OTHER_PIC).json()

    assert document["credential_issuer"] == f"{service.url}/{OTHER_PIC}"
    assert document["display"] == [{"name": "Daugava University 2"}]


def test_the_authorization_server_is_the_issuer_itself(service: Service) -> None:
    document = well_known(service, "oauth-authorization-server").json()

    assert document["issuer"] == service.issuer
    assert document["token_endpoint"] == f"{service.issuer}/token"
    assert document["pre-authorized_grant_anonymous_access_supported"] is True


def test_documents_can_be_cached_and_asked_for_again(service: Service) -> None:
    first = well_known(service, "openid-credential-issuer")
    assert "max-age=" in first.headers["cache-control"]

    again = service.http.get(first.url, headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


def test_a_wallet_in_a_browser_may_read_them_and_staff_routes_stay_closed(
    service: Service,
) -> None:
    origin = {"origin": "https://wallet.example"}
    url = f"{service.url}/.well-known/openid-credential-issuer/{PIC}"
    assert service.http.get(url, headers=origin).headers["access-control-allow-origin"] == "*"

    ask = {**origin, "access-control-request-method": "POST"}
    allowed = service.http.options(f"{service.issuer}/credential", headers=ask)
    assert allowed.headers["access-control-allow-origin"] == "*"

    staff = f"{service.url}/api/v1/cards/{service.escn}/offers"
    assert "access-control-allow-origin" not in service.http.options(staff, headers=ask).headers
