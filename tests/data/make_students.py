"""Makes docs/examples/students.csv: 231 invented students and ten rows that each have one fault.

Run it from the root of the repository: `python tests/data/make_students.py`. It uses no chance,
so that the file is the same each time, and a test compares it. Names are combinations of
ordinary given and family names; nobody is meant.
"""

import csv
import io
import unicodedata
from collections.abc import Sequence
from itertools import count
from pathlib import Path

TARGET = Path(__file__).parents[2] / "docs" / "examples" / "students.csv"
ESI = "urn:schac:personalUniqueCode:int:esi:"
COLUMNS = (
    "institution", "esi", "full_name", "given_name", "family_name", "email", "academic_level",
    "birth_date", "issued_on", "expires_on", "escn_prefix", "eduperson_principal_name",
)  # fmt: skip
LEVELS = ("BACHELOR", "MASTER", "DOCTORATE")

# Given and family names that go together.
LATVIAN = (
    (
        ["Žaneta", "Līga", "Ilze", "Šarlote", "Ieva", "Dārta", "Ņina"],
        ["Bērziņa", "Kalniņa", "Ozoliņa", "Liepiņa", "Ķēniņa", "Šķēle"],
    ),
    (
        ["Ēriks", "Ģirts", "Jānis", "Mārtiņš", "Kārlis", "Uģis", "Žanis"],
        ["Bērziņš", "Vītols", "Zariņš", "Ķirsis", "Krūmiņš", "Šteins"],
    ),
)
POLISH = (
    (
        ["Małgorzata", "Zofia", "Agnieszka", "Żaneta", "Świętosława", "Łucja"],
        ["Wójcik", "Kaźmierczak", "Dąbrowska", "Żuławska", "Łęcka", "Śliwińska", "Gołębiewska"],
    ),
    (
        ["Łukasz", "Paweł", "Stanisław", "Józef", "Błażej", "Michał"],
        [
            "Wójcik",
            "Kaźmierczak",
            "Dąbrowski",
            "Gołębiewski",
            "Śliwiński",
            "Brzęczyszczykiewicz",
            "Źrebiec",
        ],
    ),
)
SPANISH = (
    (
        ["Íñigo", "Begoña", "José", "Lucía", "Ramón", "Sofía", "Ángel", "Inés"],
        ["Núñez", "Peña", "Gutiérrez", "Muñoz", "Ibáñez", "Zúñiga"],
    ),
)
GREEK = (
    (
        ["Ελένη", "Σοφία", "Αικατερίνη", "Δέσποινα"],
        ["Παπαδοπούλου", "Οικονόμου", "Αγγελοπούλου", "Βασιλείου"],
    ),
    (
        ["Γιώργος", "Δημήτρης", "Νίκος", "Ιωάννης"],
        ["Παπαδόπουλος", "Οικονόμου", "Αγγελόπουλος", "Χατζηγιάννης"],
    ),
)
MALTESE = (
    (
        ["Ġorġ", "Ċetta", "Żaren", "Marija", "Ħanna", "Ġużeppi"],
        ["Ħabib", "Żahra", "Ċassar", "Għarib", "Vella", "Buġeja"],
    ),
)


def plain(text: str) -> str:
    """Letters for an address; a Greek name gives none."""
    letters = unicodedata.normalize("NFKD", text.translate(str.maketrans("łŁħĦ", "lLhH")))
    return "".join(letter for letter in letters.lower() if "a" <= letter <= "z")


Names = Sequence[tuple[list[str], list[str]]]


def people(names: Names, number: int) -> list[tuple[str, str]]:
    """So many combinations of given and family names, no two alike, well mixed."""
    found = [
        (given[(step + turn) % len(given)], family[turn % len(family)])
        for step in range(len(names[0][0]))
        for turn in range(len(names[0][1]))
        for given, family in names
    ]
    return list(dict.fromkeys(found))[:number]


def student(
    pic: str, scope: str, domain: str, number: int, name: tuple[str, str]
) -> dict[str, str]:
    """A row without a fault."""
    given, family = name
    code = f"{number:06d}" if "." in scope else f"{3200 + number % 90}{number * 7919 % 10**7:07d}"
    user = f"{plain(given)[:1] or 'x'}{plain(family)[:10] or 'student'}{number}"
    return {
        "institution": pic,
        "esi": f"{ESI}{scope}:{code}",
        "full_name": f"{given} {family}",
        "given_name": given,
        "family_name": family,
        "email": f"{user}@{domain}",
        "academic_level": LEVELS[number % 3] if number % 17 else "",
        "birth_date": f"{1996 + number % 10}-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "issued_on": "2026-09-01",
        "expires_on": f"{2027 + number % 3}-{'09-30' if number % 2 else '07-31'}",
        "escn_prefix": "",
        "eduperson_principal_name": f"{user}@{domain}",
    }


def good_rows() -> list[dict[str, str]]:
    """All students, institution by institution."""
    numbers = count(1)
    rows = [
        student("999900101", "lv", "daugava.example", next(numbers), name)
        for name in people(LATVIAN, 77)
    ]
    for name in people(POLISH, 77):
        row = student("999900202", "wisla.example", "wisla.example", next(numbers), name)
        rows.append(row | {"escn_prefix": ("010", "011")[len(rows) % 2]})
    own, branch = "mediterraneo.example", "nicosia.mediterraneo.example"
    for names, scope, many in ((SPANISH, own, 27), (GREEK, branch, 25), (MALTESE, own, 25)):
        rows += [
            student("999900303", scope, own, next(numbers), name) for name in people(names, many)
        ]
    return rows


def faulty_rows(sample: dict[str, str]) -> list[dict[str, str]]:
    """Ten rows, each with another fault."""
    changes = (
        {"full_name": "=cmd()"},
        {"full_name": "Aleksandrs " * 30},
        {"esi": f"{ESI}wisla.example:900003"},
        {"expires_on": "2020-08-31"},
        {"academic_level": "KINDERGARTEN"},
        {"email": "not an address"},
        {"birth_date": "2001-02-30"},
        {"institution": "999999999"},
        {"escn_prefix": "999"},
        {"esi": sample["esi"]},
    )
    return [
        sample | {"esi": f"{ESI}lv:9000{number}", "full_name": "Jānis Paraugs"} | change
        for number, change in enumerate(changes, start=10)
    ]


def render() -> str:
    """The whole file."""
    rows = good_rows()
    for position, row in enumerate(faulty_rows(rows[0]), start=1):
        rows.insert(position * 22, row)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
