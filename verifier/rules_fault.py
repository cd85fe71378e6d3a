"""What can be wrong with a file of rules, by name: so that it can be said in any language.

English is here, for whoever reads rules from Python; `verifier.cli.languages` has the others.
"""

from typing import Final

FAULTS: Final = {
    "too_long": "the file is longer than {most} characters",
    "unreadable": "it cannot be read: {why}",
    "not_utf8": "not UTF-8",
    "not_toml": "not TOML: {why}",
    "too_deep": "nested too deep, or a number too long",
    "several_lines": "a text stays on its line: no triple quotes",
    "table": "no tables: one `key = value` after the other",
    "not_bare": "keys are written bare, one at the start of a line",
    "unknown": "there is no such rule",
    "no_version": "`rules = {version}` is missing",
    "no_service": "`service`, the service's name, is missing",
    "version": "this program knows version {version} only",
    "truth": "true or false",
    "hours": "a whole number of hours from 1 to {most}",
    "less_than_fresh": "it is less than fresh_hours",
    "name": "a name of 1 to {most} characters",
    "list": "a list of 1 to {most}; leave the rule out to take all",
    "twice": "something is listed twice",
    "pic": "a PIC is a text of nine digits",
    "country": "a country is a text of two capital letters (ISO 3166-1)",
    "one_of": "one of {names}",
    "no_level": "a VerifiableStudentID alone names no level, and one is asked for",
}


class RulesError(Exception):
    """The file breaks its format.

    Attributes:
        line: Where, from 1; None for the file as a whole.
        fault: What is wrong there, one of `FAULTS`.
        key: The rule that it concerns, if one.
        values: What fills the blanks of the fault's text.
    """

    def __init__(
        self, line: int | None, fault: str, *, key: str | None = None, **values: object
    ) -> None:
        self.line, self.fault, self.key, self.values = line, fault, key, values
        super().__init__(self.reason if line is None else f"line {line}: {self.reason}")

    @property
    def reason(self) -> str:
        """What is wrong, in English."""
        return self.reason_as(FAULTS[self.fault])

    def reason_as(self, text: str) -> str:
        """What is wrong, as another language says it.

        Args:
            text: With the blanks of the fault's text, or some of them.
        """
        reason = text.format(**self.values)
        return reason if self.key is None else f"{self.key}: {reason}"
