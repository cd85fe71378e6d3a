"""A service's rules: docs/rules.md."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.world import NOW, World
from verifier.cli.languages import DEFAULT_LANGUAGE, available_languages, load_language
from verifier.edges.rules_file import RulesFileError, load_rules, preset_names, preset_text
from verifier.errors import (
    ClaimMissing,
    CountryNotAccepted,
    InstitutionNotAccepted,
    LevelNotAccepted,
    Replayed,
    Revoked,
    TypeNotAccepted,
)
from verifier.identifiers import AcademicLevel
from verifier.policy import HOUR, Claim, CredentialType, Policy
from verifier.replay import InMemoryReplay
from verifier.rules import MAX_CHARS, parse_rules
from verifier.rules_fault import FAULTS as FAULT_TEXTS
from verifier.rules_fault import RulesError
from verifier.status import CardStatus
from verifier.verify import verify_card
from verifier.verify_sd_jwt_vc import verify_credential

ROOT = Path(__file__).parents[2]
SMALLEST = 'rules = 1\nservice = "Till"\n'

FAULTS = {
    "an empty file": ("", None, "`rules = 1` is missing"),
    "no version": ('service = "Till"\n', None, "`rules = 1` is missing"),
    "a newer version": ('rules = 2\nservice = "Till"\n', 1, "version 1 only"),
    "a version that is true": ('rules = true\nservice = "Till"\n', 1, "version 1 only"),
    "a version with a point": ('rules = 1.0\nservice = "Till"\n', 1, "version 1 only"),
    "no name": ("rules = 1\n", None, "`service`, the service's name, is missing"),
    "a blank name": ('rules = 1\nservice = " "\n', 2, "a name of 1 to 60 characters"),
    "a name with a newline": ('rules = 1\nservice = "a\\nb"\n', 2, "a name of 1 to 60"),
    "a name in Latvian that is a number": (SMALLEST + "service_lv = 7\n", 3, "a name of 1 to 60"),
    "a name that is too long": (f'rules = 1\nservice = "{"x" * 61}"\n', 2, "a name of 1 to 60"),
    "an unknown rule": (SMALLEST + "\n\nlive = true\n", 5, "there is no such rule"),
    "a rule with a country's name": (SMALLEST + 'service_lva = "x"\n', 3, "no such rule"),
    "a text for a boolean": (SMALLEST + 'live_only = "yes"\n', 3, "true or false"),
    "a number for a boolean": (SMALLEST + "identity_only = 1\n", 3, "true or false"),
    "no hours": (SMALLEST + "fresh_hours = 0\n", 3, "a whole number of hours"),
    "hours that are true": (SMALLEST + "fresh_hours = true\n", 3, "a whole number of hours"),
    "half an hour": (SMALLEST + "fresh_hours = 0.5\n", 3, "a whole number of hours"),
    "more than a year": (SMALLEST + "usable_hours = 8761\n", 3, "a whole number of hours"),
    "usable for less than fresh": (
        SMALLEST + "usable_hours = 2\nfresh_hours = 3\n",
        3,
        "less than fresh_hours",
    ),
    "usable for less than fresh by default": (
        SMALLEST + "usable_hours = 23\n",
        3,
        "less than fresh_hours",
    ),
    "no country at all": (SMALLEST + "countries = []\n", 3, "leave the rule out"),
    "a country that is no list": (SMALLEST + 'countries = "LV"\n', 3, "a list of 1 to 4000"),
    "a country in small letters": (SMALLEST + 'countries = [\n "LV",\n "ee"]\n', 3, "capital"),
    "a country twice": (SMALLEST + 'countries = ["LV", "LV"]\n', 3, "listed twice"),
    "a PIC that is a number": (SMALLEST + "institutions = [999978433]\n", 3, "nine digits"),
    "a PIC of eight digits": (SMALLEST + 'institutions = ["99997843"]\n', 3, "nine digits"),
    "a type that is none": (SMALLEST + 'types = ["card"]\n', 3, 'one of "EuropeanStudentCard"'),
    "a type alone that says no level, where levels are listed": (
        SMALLEST + 'levels = ["MASTER"]\ntypes = ["VerifiableStudentID"]\n',
        4,
        "names no level",
    ),
    "a type alone that says no level, where one is to be shown": (
        SMALLEST + 'types = ["VerifiableStudentID"]\nclaims = ["level"]\n',
        3,
        "names no level",
    ),
    "a level that is none": (SMALLEST + 'levels = ["PHD"]\n', 3, 'one of "BACHELOR"'),
    "a claim that is none": (SMALLEST + 'claims = ["photo"]\n', 3, 'one of "name", "level"'),
    "a key twice": (SMALLEST + "live_only = true\nlive_only = true\n", 4, "not TOML"),
    "no TOML at all": (SMALLEST + "what is this\n", 3, "not TOML"),
    "a text that does not end": ('rules = 1\nservice = "Till\n', 2, "not TOML"),
    "a list that does not end": (SMALLEST + "countries = [", 3, "not TOML"),
    "a table": (SMALLEST + "[more]\n", 3, "no tables"),
    "a quoted key": (SMALLEST + '"live_only" = true\n', None, "keys are written bare"),
    "a dotted key": (SMALLEST + "live.only = true\n", None, "keys are written bare"),
    "a text of several lines": ('rules = 1\nservice = """Till"""\n', 2, "no triple quotes"),
    "an escape of TOML 1.1": (SMALLEST + 'countries = ["\\x4cV"]\n', 3, "not TOML"),
    "an escape of TOML 1.1 for a control": (SMALLEST + 'service_lv = "\\e"\n', 3, "not TOML"),
    "too long": (SMALLEST + "#" * MAX_CHARS, None, "longer than 16384"),
    "a number without end": ("rules = " + "1" * 5_000, None, "number too long"),
    "nested without end": (SMALLEST + "levels = " + "[" * 9_000, None, ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_file_is_refused_with_the_line_and_the_reason(fault: str) -> None:
    text, line, reason = FAULTS[fault]

    with pytest.raises(RulesError) as refused:
        parse_rules(text)

    if fault != "nested without end":
        assert refused.value.line == line
    assert reason in refused.value.reason


@given(st.text(max_size=300))
def test_garbage_is_refused_as_rules_and_in_no_other_way(text: str) -> None:
    try:
        parse_rules(text)
    except RulesError:
        return


@given(
    st.builds(
        lambda **given: Policy(**given),  # else hypothesis would fill in what has a default, too
        live_only=st.booleans(),
        identity_only=st.booleans(),
        fresh_for=st.integers(1, 4000).map(HOUR.__mul__),
        stale_until=st.integers(4000, 8760).map(HOUR.__mul__),
        institutions=st.none() | st.frozensets(st.from_regex(r"\A[0-9]{9}\Z"), min_size=1),
        countries=st.none() | st.frozensets(st.from_regex(r"\A[A-Z]{2}\Z"), min_size=1),
        types=st.none() | st.just(frozenset(CredentialType)),
        levels=st.none() | st.frozensets(st.sampled_from(AcademicLevel), min_size=1),
        claims=st.frozensets(st.sampled_from(Claim), min_size=1),
    )
)
def test_what_is_written_is_what_is_read(policy: Policy) -> None:
    assert parse_rules(written(policy)).policy == policy


def written(policy: Policy) -> str:
    lines = [
        SMALLEST,
        f"live_only = {str(policy.live_only).lower()}",
        f"identity_only = {str(policy.identity_only).lower()}",
        f"fresh_hours = {policy.fresh_for // HOUR}",
        f"usable_hours = {policy.stale_until // HOUR}",
    ]
    for name in ("institutions", "countries", "types", "levels", "claims"):
        names = getattr(policy, name)
        if names is not None:
            lines.append(f"{name} = [" + ", ".join(f'"{item}"' for item in names) + "]")
    return "\n".join(lines)


def test_what_is_left_out_is_the_default() -> None:
    rules = parse_rules(SMALLEST)

    assert rules.policy == Policy()
    assert rules.name_in("lv") == "Till"


def test_a_status_that_is_fresh_for_longer_than_a_week_is_usable_for_as_long() -> None:
    policy = parse_rules(SMALLEST + "fresh_hours = 200\n").policy

    assert policy.stale_until == policy.fresh_for == 200 * HOUR


def test_a_file_with_windows_line_ends_and_a_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "till.toml"
    file.write_bytes(
        b'\xef\xbb\xbfrules = 1\r\nservice = "Kase"\r\nservice_lv = "K\xc4\x81se"\r\n'
    )

    assert load_rules(str(file)).name_in("lv") == "Kāse"


def test_a_file_that_is_not_utf8_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "till.toml"
    file.write_bytes(b'rules = 1\nservice = "K\xe2se"\n')

    with pytest.raises(RulesFileError) as refused:
        load_rules(str(file))

    assert refused.value.error.line == 2


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(RulesFileError, match="cannot be read"):
        load_rules("/nowhere/till.toml")


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_read_and_stands_in_the_document_as_it_is(name: str) -> None:
    rules = parse_rules(preset_text(name))
    policy = rules.policy

    row = re.search(rf"^\| `{name}` \|(.*)\|$", (ROOT / "docs/rules.md").read_text(), re.M)
    assert row
    codes, ages, types, claims = (cell.strip() for cell in row.group(1).split("|"))
    assert codes == (
        "printed too" if not policy.live_only else f"live{', identity' * policy.identity_only}"
    )
    assert ages == f"{policy.fresh_for // HOUR} h, {policy.stale_until // HOUR} h"
    named = {"card": CredentialType.STUDENT_CARD, "student ID": CredentialType.STUDENT_ID}
    assert frozenset(named[kind] for kind in types.split(", ")) == policy.types
    shown = {"name": Claim.NAME, "ESI": Claim.ESI}
    assert {shown[claim] for claim in claims.split(", ") if claim} == policy.claims
    assert rules.name_in("lv") != rules.name_in("en")


REFUSED = {
    "institution": (Policy(institutions=frozenset({"888777666"})), InstitutionNotAccepted),
    "country": (Policy(countries=frozenset({"EE", "LT"})), CountryNotAccepted),
    "type": (Policy(types=frozenset({CredentialType.STUDENT_ID})), TypeNotAccepted),
    "level": (Policy(levels=frozenset({AcademicLevel.BACHELOR})), LevelNotAccepted),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_good_card_that_the_service_does_not_take_is_refused(what: str, world: World) -> None:
    policy, refusal = REFUSED[what]
    known = world.knowledge()

    with pytest.raises(refusal):
        verify_card(world.static_code(), knowledge=known, now=NOW, policy=policy)
    with pytest.raises(refusal):
        verify_credential(world.credential(), knowledge=known, now=NOW, policy=policy)


def test_a_student_attestation_is_no_card_for_a_service_that_takes_cards_only(
    world: World,
) -> None:
    known = world.knowledge()
    attestation = world.credential({}, vct="VerifiableStudentID")

    with pytest.raises(TypeNotAccepted):
        verify_credential(
            attestation,
            knowledge=known,
            now=NOW,
            policy=Policy(types=frozenset({CredentialType.STUDENT_CARD})),
        )
    both = Policy(types=frozenset(CredentialType))
    taken = verify_credential(attestation, knowledge=known, now=NOW, policy=both)
    assert taken.type is CredentialType.STUDENT_ID


MISSING = {
    "name": ({Claim.NAME}, None),
    "level": ({Claim.LEVEL}, None),
    "esi": ({Claim.ESI}, None),
    "level that is listed": (set(), frozenset({AcademicLevel.MASTER})),
}


@pytest.mark.parametrize("what", MISSING)
def test_a_credential_that_does_not_show_what_is_needed_is_refused(
    what: str, world: World
) -> None:
    claims, levels = MISSING[what]
    policy = Policy(claims=frozenset(claims), levels=levels)

    with pytest.raises(ClaimMissing):
        verify_credential(
            world.credential({}), knowledge=world.knowledge(), now=NOW, policy=policy
        )


def test_a_revoked_card_is_called_revoked_where_it_would_not_be_taken_anyway(world: World) -> None:
    revoked = world.knowledge(world.bundle("", world.status_list({100: CardStatus.REVOKED})))

    with pytest.raises(Revoked):
        verify_card(world.static_code(), knowledge=revoked, now=NOW, policy=REFUSED["country"][0])


def test_a_code_that_the_service_does_not_take_is_not_remembered(world: World) -> None:
    known, memory, code = world.knowledge(), InMemoryReplay(), world.live_code()

    def check(policy: Policy) -> None:
        verify_card(code, knowledge=known, now=NOW, policy=policy, replay=memory)

    with pytest.raises(CountryNotAccepted):
        check(REFUSED["country"][0])
    check(Policy())
    with pytest.raises(Replayed):
        check(Policy())


def test_a_card_that_fits_every_rule_is_taken(world: World) -> None:
    policy = Policy(
        institutions=frozenset({"999978433"}),
        countries=frozenset({"LV"}),
        types=frozenset({CredentialType.STUDENT_CARD}),
        levels=frozenset({AcademicLevel.MASTER}),
        claims=frozenset(Claim),
    )

    verify_card(world.static_code(), knowledge=world.knowledge(), now=NOW, policy=policy)
    verify_credential(world.credential(), knowledge=world.knowledge(), now=NOW, policy=policy)


def rules(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier", "rules", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_command_line_refuses_a_bad_file_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "till.toml"
    file.write_text(SMALLEST + 'countries = ["Latvia"]\n')

    refused = rules(str(file))

    assert refused.returncode == 2
    assert "till.toml: line 3: countries: a country is" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_command_line_says_what_is_wrong_in_latvian_too(tmp_path: Path) -> None:
    file = tmp_path / "till.toml"
    file.write_text(SMALLEST + 'countries = ["Latvia"]\n')

    refused = rules(str(file), "--lang", "lv")

    assert refused.returncode == 2
    assert "till.toml: 3. rinda: countries: valsts ir" in refused.stderr


@pytest.mark.parametrize("code", available_languages())
def test_every_fault_of_a_file_can_be_said_in_every_language(code: str) -> None:
    texts = load_language(code).rules_faults

    assert texts.keys() == (set() if code == DEFAULT_LANGUAGE else FAULT_TEXTS.keys())
    for fault, text in texts.items():
        blanks, known = (re.findall(r"{\w+}", one) for one in (text, FAULT_TEXTS[fault]))
        assert set(blanks) <= set(known)


def test_the_document_shows_what_the_command_line_says(tmp_path: Path) -> None:
    document = (ROOT / "docs/rules.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", document, re.S)
    (shown,) = re.findall(r"rules reading-room.toml\n(.*?)```", document, re.S)
    file = tmp_path / "reading-room.toml"
    file.write_text(example)

    assert rules(str(file), "--lang", "en").stdout == shown
    assert "Lasītava" in rules(str(file), "--lang", "lv").stdout


def test_a_preset_can_be_printed_to_begin_with() -> None:
    assert parse_rules(rules("canteen", "--text").stdout) == load_rules("canteen")
