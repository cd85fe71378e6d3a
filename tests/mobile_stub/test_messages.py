"""Every sentence in every language, and every sentence that the code asks for."""

import ast
import string
from pathlib import Path

import pytest

import mobile_stub
from mobile_stub import errors
from mobile_stub.messages import language_of, languages, load_messages
from tests.mobile_stub.conftest import PhoneUser

_FOLDER = Path(mobile_stub.__file__).parent
_ERRORS = {"Refused", "WrongUse", "NoNetwork", "CardNotActive"}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", languages())
def test_a_language_has_every_sentence_with_the_same_places(language: str) -> None:
    english, other = load_messages("en").texts, load_messages(language).texts
    own = (_FOLDER / "languages" / f"{language}.toml").read_text(encoding="utf-8")
    assert english.keys() == other.keys()
    for key, text in english.items():
        assert _places(text) == _places(other[key]), key
        assert f"\n{key.split('.')[1]} = " in own, key


def test_every_error_that_is_raised_has_its_sentence() -> None:
    texts = load_messages("en").texts
    raised = [
        str(call.args[0].value)
        for path in _FOLDER.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in _ERRORS
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]
    assert len(raised) > 40
    assert [key for key in raised if f"errors.{key}" not in texts] == []


def test_every_kind_of_error_has_the_documented_exit_code() -> None:
    help_text = load_messages("en").say("help.exit_codes")
    for kind in (errors.Refused, errors.WrongUse, errors.NoNetwork, errors.CardNotActive):
        assert f"  {kind.exit_code}  " in help_text


def test_the_language_follows_the_environment() -> None:
    assert language_of({"LANG": "lv_LV.UTF-8"}) == "lv"
    assert language_of({"LC_ALL": "en_GB.UTF-8", "LANG": "lv_LV.UTF-8"}) == "en"
    assert language_of({"LANG": "xx_XX"}) == "en"
    assert language_of({"LANG": "C.UTF-8"}) == "en"
    assert language_of({}) == "en"


def test_the_option_wins_over_the_environment(phone: PhoneUser) -> None:
    phone.language = "lv_LV.UTF-8"
    assert "nav maka" in phone("list").err
    assert "There is no wallet" in phone("list", "--lang", "en").err
    assert "There is no wallet" in phone("--lang=en", "list").err


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "command", [[], ["take"], ["show"], ["list"], ["refresh"], ["credential"], ["forget"]]
)
def test_help_exists_for_every_command(
    phone: PhoneUser, capsys: pytest.CaptureFixture[str], language: str, command: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        phone("--lang", language, *command, "--help")
    assert ended.value.code == 0
    assert load_messages(language).say("help.usage") in capsys.readouterr().out


def test_a_wrong_option_ends_with_2(phone: PhoneUser) -> None:
    for arguments in ([], ["dance"], ["show", "--profile", "all"], ["list", "--lang", "xx"]):
        with pytest.raises(SystemExit) as ended:
            phone(*arguments)
        assert ended.value.code == 2
