"""Documents are held to what exists: commands, options, module paths, links, help texts."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic_settings import BaseSettings

from issuer.cli.program import program as issuer_cli
from issuer.settings import IssuerSettings
from verifier.cli.answers import Answer, as_json
from verifier.cli.languages import load_language
from verifier.errors import Replayed
from wallet_api.__main__ import cli as wallet_cli
from wallet_api.settings import WalletSettings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRAMS = {"issuer": issuer_cli, "wallet_api": wallet_cli}


def _blocks(document: Path, *languages: str) -> list[str]:
    found = _BLOCK.findall(document.read_text(encoding="utf-8"))
    return [text for language, text in found if language in languages]


def _commands(document: Path) -> list[list[str]]:
    """The words of every `python -m ...` in blocks of shell commands and in running text."""
    text = document.read_text(encoding="utf-8")
    code = [*_blocks(document, "sh"), *re.findall(r"`(python -m [^`\n]+)`", text)]
    lines = "\n".join(code).replace("\\\n", " ").splitlines()
    found = [re.search(r"python -m (?:issuer|wallet_api) [^|>&#)]*", line) for line in lines]
    return [shlex.split(match[0])[2:] for match in found if match]


def _command_of(words: list[str]) -> tuple[Any, list[str]]:
    command: Any = typer.main.get_command(_PROGRAMS[words[0]])
    rest = words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        found = command.commands.get(rest[0])
        assert found is not None, f"there is no command {rest[0]!r} in {' '.join(words)!r}"
        command, rest = found, rest[1:]
    return command, rest


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_command_or_an_option_that_does_not_exist(document: Path) -> None:
    for words in _commands(document):
        command, rest = _command_of(words)
        known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert asked <= known, f"{' '.join(words)}: no option {asked - known}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [target for target in _LINK.findall(text) if "://" not in target]
    missing = [t for t in targets if not (document.parent / t.partition("#")[0]).exists()]
    assert not missing


def test_every_module_in_the_readmes_table_exists() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition("## Specification to module")[2].partition("\n## ")[0]
    paths = re.findall(r"`((?:verifier|issuer|wallet_api)/[^`]+)`", table)
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []


BUILT = {"verifier/web/dist", "mobile_stub/web/dist"}  # not where there is no Node


def test_every_path_in_the_documents_exists() -> None:
    pattern = re.compile(r"`((?:verifier|issuer|wallet_api|mobile_stub|tests|docs)/[\w./-]*)`")
    for document in DOCUMENTS:
        for path in set(pattern.findall(document.read_text(encoding="utf-8"))) - BUILT:
            assert (ROOT / path).exists(), f"{document.name}: {path}"


def test_every_make_target_in_the_documents_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        named = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
        assert set(named) <= set(targets), document.name


@pytest.mark.parametrize(
    "command", ["", "check", "fetch", "show", "rules", "serve", "web", "status", "export"]
)
def test_the_verifiers_help_is_the_one_in_the_document(command: str) -> None:
    words = [*command.split(), "--help"]
    environment = {key: value for key, value in os.environ.items() if key != "ESC_VERIFIER_DIR"}
    environment |= {"COLUMNS": "100", "HOME": "/home/till", "PYTHONPATH": str(ROOT)}
    real = subprocess.run(
        [sys.executable, "-m", "verifier", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the document shows the help as Python 3.11 lays it out")
    shown = "\n".join(line.rstrip() for line in real.rstrip().splitlines())
    expected = f"$ python -m verifier {' '.join(words)}\n{shown}\n"
    assert expected in _blocks(ROOT / "docs" / "verifier.md", "console")


def test_the_answers_in_the_document_are_those_that_the_verifier_gives() -> None:
    shown = "\n".join(_blocks(ROOT / "docs" / "verifier.md", "console"))
    refusals = re.findall(r"✘ REFUSED  (.+)\n  (.+)\n  \[(\w+)\]", shown)
    assert refusals
    for sentence, hint, name in refusals:
        texts = load_language("en").refusal(name)
        assert (texts.sentence, texts.hint) == (sentence, hint)


def test_the_members_of_the_verifiers_json_are_those_in_the_document() -> None:
    real = as_json(Answer(None, Replayed("shown before"), 0), load_language("en")).keys()
    text = (ROOT / "docs" / "verifier.md").read_text(encoding="utf-8")
    section = text.partition("\n## 5. JSON")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"\w+", row)] == list(real)
    example = section.rpartition("codes.txt\n")[2].partition("\n")[0]
    assert json.loads(example).keys() == real


@pytest.mark.parametrize("settings", [IssuerSettings, WalletSettings])
def test_every_setting_is_in_the_operations_document(settings: type[BaseSettings]) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    missing = [name for name in settings.model_fields if f"`{name.upper()}`" not in text]
    assert not missing


def test_the_settings_for_a_trial_are_settings() -> None:
    text = (ROOT / "docs" / "examples" / "local.env").read_text(encoding="utf-8")
    for prefix, settings in (("ESC_ISSUER_", IssuerSettings), ("ESC_WALLET_", WalletSettings)):
        names = re.findall(rf"^{prefix}(\w+)=", text, re.MULTILINE)
        required = {n for n, field in settings.model_fields.items() if field.is_required()}
        assert required <= {name.lower() for name in names} <= set(settings.model_fields)
