"""Telling the story: steps, commands as they are run, and the table at the end."""

import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


class StepFailed(Exception):
    """Something did not turn out as the story says; the demo ends with code 1."""


@dataclass
class Story:
    """What has been told so far."""

    console: Console
    environment: dict[str, str]
    begun_at: float = field(default_factory=time.monotonic)
    outcomes: list[tuple[str, str, str]] = field(default_factory=list)
    _step: str = ""

    def step(self, letter: str, title: str) -> None:
        """Begin a step of the story."""
        self._step = letter
        seconds = time.monotonic() - self.begun_at
        self.console.print()
        self.console.rule(
            f"[bold]{letter}. {title}[/bold] [dim]({seconds:.0f} s)[/dim]", align="left"
        )

    def say(self, text: str) -> None:
        """A sentence of the story; text from outside must not be in it."""
        self.console.print(text, highlight=False)

    def show(self, text: str) -> None:
        """Output as it is, indented, without markup."""
        for line in text.rstrip().splitlines():
            self.console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)

    def expect(self, what: str, *, expected: str, found: str) -> None:
        """Note an outcome for the table; end the story if it is another one than expected.

        Raises:
            StepFailed: It is another one.
        """
        if found != expected:
            raise StepFailed(f"{what}: expected {expected!r}, found {found!r}")
        self.outcomes.append((self._step, what, found))
        self.console.print(f"  [green]✔[/green] {what}: [bold]{found}[/bold]", highlight=False)

    def run(self, *words: str, typed: str = "", told: bool = True, expected_code: int = 0) -> str:
        """Run `python -m ...` as a person would; the command is shown, its output returned.

        Args:
            words: After `python -m`.
            typed: Standard input.
            told: Whether the command is shown.
            expected_code: The exit code that the story expects.

        Raises:
            StepFailed: It ended with another code.
        """
        if told:
            shown = shlex.join(["python", "-m", *(_short(word) for word in words)])
            self.console.print(f"  [cyan]$ {shown}[/cyan]", highlight=False, soft_wrap=True)
        done = subprocess.run(  # noqa: S603 - our own modules
            [sys.executable, "-m", *words],
            input=typed,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment,
            timeout=120,
            check=False,
        )
        if done.returncode != expected_code:
            raise StepFailed(
                f"{' '.join(words[:3])} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def table(self) -> Table:
        """What happened, a row an outcome."""
        table = Table(title="What happened", title_justify="left")
        for heading in ("step", "what", "outcome"):
            table.add_column(heading)
        for row in self.outcomes:
            table.add_row(*row)
        return table


def _short(word: str) -> str:
    return word if len(word) <= 80 else f"{word[:60]}..."
