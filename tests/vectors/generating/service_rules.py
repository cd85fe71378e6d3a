"""Vectors of the step that holds a good card to what one service takes (docs/rules.md)."""

from collections.abc import Iterator

from generating import world
from generating.cards import (
    ESI,
    ESI_PREFIX,
    OMIT,
    SHOWN,
    card,
    e1,
    e2,
    members,
    says,
    text1,
    text2,
)
from generating.credentials import credential, vc
from generating.vector import Vector

CARD, STUDENT_ID = "types=EuropeanStudentCard", "types=VerifiableStudentID"
ALL = f"institutions={world.PIC_B},{world.PIC_A} countries=EE,LV {CARD} levels=MASTER,BACHELOR"


def vectors() -> Iterator[Vector]:
    yield from _codes()
    yield from _order()
    yield from _credentials()


def _codes() -> Iterator[Vector]:
    usual, live = text1(e1()), text2(e2())
    without_level = text1(e1(members({"l": OMIT})))
    for name, expect, text, policy in (
        ("institution", "InstitutionNotAccepted", usual, f"institutions={world.PIC_B}"),
        ("country", "CountryNotAccepted", usual, "countries=PL,EE"),
        ("type", "TypeNotAccepted", usual, "types=VerifiableStudentID"),
        ("type_of_a_live_code", "TypeNotAccepted", live, "types=VerifiableStudentID"),
        ("level", "LevelNotAccepted", usual, "levels=MASTER,DOCTORATE"),
        ("level_of_a_live_code", "LevelNotAccepted", live, "levels=MASTER"),
        ("level_missing", "ClaimMissing", without_level, "claims=level"),
        (
            "level_missing_where_levels_are_listed",
            "ClaimMissing",
            without_level,
            "levels=BACHELOR",
        ),
        ("esi_missing", "ClaimMissing", usual, "claims=name,esi"),
    ):
        yield card(f"service_{name}", expect, text, policy=policy)
    policy = ALL + " claims=level,name"
    yield card("valid_service_takes_it", "valid", usual, policy=policy, result=says())
    identity, result = text1(e1(members(identity=True))), {"esi": ESI_PREFIX + ESI}
    result = says(**result, profile="identity")
    yield card(
        "valid_service_reads_the_esi", "valid", identity, policy="claims=esi", result=result
    )


def _order() -> Iterator[Vector]:
    revoked = text1(e1(members({"s": [world.FRESH, world.REVOKED]})))
    yield card("service_after_the_status", "Revoked", revoked, policy="countries=PL")
    late = text2(e2(shown_at=SHOWN - 60))
    yield card("service_after_the_phone", "StaleCode", late, policy="countries=PL")
    institution_first = f"institutions={world.PIC_B} countries=PL levels=MASTER claims=esi"
    usual = text1(e1())
    yield card(
        "service_institution_first", "InstitutionNotAccepted", usual, policy=institution_first
    )
    policy = "countries=PL levels=MASTER claims=esi"
    yield card("service_country_before_claims", "CountryNotAccepted", usual, policy=policy)
    policy = "countries=PL types=VerifiableStudentID"
    yield card("service_country_before_type", "CountryNotAccepted", usual, policy=policy)
    policy = "types=VerifiableStudentID claims=esi"
    yield card("service_type_before_claims", "TypeNotAccepted", usual, policy=policy)
    policy = "levels=MASTER claims=esi"
    yield card("service_claims_before_level", "ClaimMissing", usual, policy=policy)


def _credentials() -> Iterator[Vector]:
    usual, student_id = credential(), credential({"vct": "VerifiableStudentID"})
    for name, expect, text, policy in (
        ("institution", "InstitutionNotAccepted", usual, f"institutions={world.PIC_B}"),
        ("country", "CountryNotAccepted", usual, "countries=PL"),
        ("type", "TypeNotAccepted", usual, STUDENT_ID),
        ("type_of_the_rulebook", "TypeNotAccepted", student_id, CARD),
        ("level", "LevelNotAccepted", usual, "levels=DOCTORATE"),
        ("name_not_disclosed", "ClaimMissing", credential(name=OMIT), "claims=name"),
        (
            "esi_not_disclosed",
            "ClaimMissing",
            credential(schac_personal_unique_code=OMIT),
            "claims=esi",
        ),
        (
            "level_not_disclosed_where_levels_are_listed",
            "ClaimMissing",
            credential(academic_level=OMIT),
            "levels=BACHELOR,MASTER,DOCTORATE",
        ),
    ):
        yield vc(f"service_{name}", expect, text, policy=policy)
    policy = ALL.replace("BACHELOR", "BACHELOR,DOCTORATE") + " claims=name,level,esi"
    yield vc("valid_service_takes_it", "valid", usual, policy=policy)
    for name, text, policy in (
        ("card", usual, CARD),
        ("student_id", student_id, STUDENT_ID),
        ("student_id_besides", student_id, f"{CARD},VerifiableStudentID"),
    ):
        yield vc(f"valid_service_takes_the_type_{name}", "valid", text, policy=policy)
