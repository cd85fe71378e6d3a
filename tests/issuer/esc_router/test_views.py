"""What the client sends is what the router's document asks for, and nothing it does not know."""

import copy
import json
from datetime import date
from pathlib import Path

from jsonschema import Draft202012Validator

from issuer.esc_router.views import (
    CardStatusType,
    CardType,
    CardUpdateView,
    CardView,
    PersonOrganisationUpdateView,
    PersonUpdateView,
    PersonView,
)

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "data" / "esc-router-v2.openapi.json").read_text("utf-8")
)


def check(name: str, sent: str) -> None:
    schemas = copy.deepcopy(DOCUMENT["components"]["schemas"])
    for schema in schemas.values():
        schema["additionalProperties"] = False
    root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    Draft202012Validator(root).validate(json.loads(sent))


def test_a_person_is_sent_as_documented() -> None:
    enrolment = PersonOrganisationUpdateView(
        organisation_identifier="999978433", full_name="Zoë", email="", academic_level="MASTER"
    )
    sent = PersonUpdateView(identifier="urn:x", person_organisation_update_views=(enrolment,))
    text = sent.model_dump_json(exclude_none=True)
    check("PersonUpdateView", text)
    assert json.loads(text)["personOrganisationUpdateViews"] == [
        {"organisationIdentifier": "999978433", "fullName": "Zoë", "academicLevel": "MASTER"}
    ]


def test_a_card_is_sent_as_documented() -> None:
    sent = CardUpdateView(
        card_number="25539be8-6423-103e-add8-001999978433",
        card_status_type=CardStatusType.INACTIVE,
        card_type=CardType.SMART_PASSIVE,
        issued_at=date(2026, 9, 1),
        expires_at=date(2027, 8, 31),
        issuer_identifier="999978433",
        person_identifier="urn:x",
        processor_identifier=" ",
    ).model_dump_json(exclude_none=True)
    check("CardUpdateView", sent)
    assert json.loads(sent)["expiresAt"] == "2027-08-31"
    assert "processorIdentifier" not in json.loads(sent)


def test_a_newer_routers_fields_and_nulls_are_read_past() -> None:
    person = PersonView.model_validate(
        {"identifier": "urn:x", "organisations": None, "organisationCount": 2, "shoeSize": 43}
    )
    assert (person.organisations, person.organisation_count) == ((), 2)
    assert CardView.model_validate({}).card_number is None


def test_a_view_does_not_show_a_persons_data_when_printed() -> None:
    person = PersonView.model_validate({"identifier": "urn:secret"})
    assert "secret" not in f"{person} {person!r}"
