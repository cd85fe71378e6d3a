"""A letter as a page to print: one HTML file, A4, in every language, that loads nothing.

What it says is in `languages/`, one file for each language.
"""

import tomllib
from html import escape
from pathlib import Path

from issuer.letters import NewLetter

_FOLDER = Path(__file__).parent / "languages"
_STYLE = """
@page { size: A4; margin: 22mm 20mm }
body { font: 11.5pt/1.5 system-ui, sans-serif; color: #000; background: #fff;
  margin: 0 auto; padding: 1mm; max-width: 170mm }
header { display: flex; justify-content: space-between; gap: 10mm; margin: 8mm 0 14mm }
h1 { font-size: 16pt; line-height: 1.25; margin: 0 0 4mm }
section + section { border-top: .3mm solid #000; margin-top: 8mm; padding-top: 8mm }
dl { border: .4mm solid #000; border-radius: 2mm; padding: 5mm 6mm; margin: 5mm 0;
  break-inside: avoid }
dt { font-size: 9.5pt }
dd { margin: 0 0 3mm }
dd:last-child { margin: 0 }
.code { font: 600 18pt/1.3 ui-monospace, monospace; letter-spacing: .04em; white-space: nowrap }
.address { font-weight: 600; overflow-wrap: anywhere }
"""


def draw_letter(letter: NewLetter, *, institution: str, name: str, today: str) -> str:
    """The page for one student.

    Args:
        letter: What it says.
        institution: Who writes.
        name: The student's.
        today: The date on it.
    """
    languages = sorted(_FOLDER.glob("*.toml"), reverse=True)  # Latvian before English
    sections = "".join(_section(letter, path) for path in languages)
    return (
        f'<!doctype html>\n<html lang="{languages[0].stem}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(institution)}</title><style>{_STYLE}</style></head><body>\n"
        f"<header><strong>{escape(institution)}</strong><span>{escape(today)}</span></header>\n"
        f"<p>{escape(name)}</p>\n{sections}</body></html>\n"
    )


def _section(letter: NewLetter, path: Path) -> str:
    say = tomllib.loads(path.read_text("utf-8"))["letter"]
    facts = {
        "address": letter.address,
        "code": letter.code,
        "until": letter.expires_on.isoformat(),
    }
    told = "".join(
        f'<dt>{escape(say[name])}</dt><dd class="{name}">{escape(value)}</dd>'
        for name, value in facts.items()
    )
    return (
        f'<section lang="{path.stem}"><h1>{escape(say["title"])}</h1>\n'
        f"<p>{escape(say['what'])}</p>\n<dl>{told}</dl>\n<p>{escape(say['keep'])}</p></section>\n"
    )
