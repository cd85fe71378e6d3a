"""The wallet's file: closed to others, never half written."""

import os
import stat
from pathlib import Path

import pytest

from mobile_stub.cards import Card, Enrolment, Wallet, decode_wallet, encode_wallet
from mobile_stub.errors import Refused
from mobile_stub.files import only_writer, replace_file
from mobile_stub.sealed_file import new_sealed_file, open_sealed_file
from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.issuer_simulator import IssuerSimulator

_COST_BYTES = (9, 10, 11)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "folder" / "wallet"
    new_sealed_file(file, "a passphrase").save(b"secret content")
    return file


def test_a_wrong_passphrase_opens_nothing(path: Path) -> None:
    with pytest.raises(Refused, match="wrong_passphrase"):
        open_sealed_file(path, "a passphrasE")


def test_every_changed_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    # The cost stands for itself below: most of its values would only make this test slow.
    for place in set(range(len(content))) - set(_COST_BYTES) - set(range(12, 40, 3)):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(Refused):
            open_sealed_file(path, "a passphrase")
        if place > 44:
            break


def test_a_cost_beyond_reason_is_refused_before_it_is_paid(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in _COST_BYTES:
        changed = content[:place] + b"\xff" + content[place + 1 :]
        path.write_bytes(changed)
        with pytest.raises(Refused, match="not_a_wallet"):
            open_sealed_file(path, "a passphrase")


@pytest.mark.parametrize("content", [b"", b"ESCPHONE", b"{}" * 40, b"ESCPHONE\x02" + bytes(50)])
def test_other_files_are_not_taken_for_wallets(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Refused, match=r"not_a_wallet|wallet_version"):
        open_sealed_file(path, "a passphrase")


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="file_not_written"):
        replace_file(tmp_path / "file" / "wallet", b"")
    with pytest.raises(Refused, match="file_not_read"):
        open_sealed_file(tmp_path, "a passphrase")


def test_a_crash_while_writing_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def crash(_source: object, _target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(Refused, match="file_not_written"):
        replace_file(path, b"new")
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_two_commands_do_not_change_one_wallet_at_once(path: Path) -> None:
    with only_writer(path), pytest.raises(Refused, match="wallet_in_use"), only_writer(path):
        pass
    with only_writer(path):
        pass


def test_what_is_saved_is_read_again_and_only_by_its_owner(path: Path) -> None:
    assert open_sealed_file(path, "a passphrase")[1] == b"secret content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"secret" not in path.read_bytes()


def test_every_save_has_its_own_nonce(path: Path) -> None:
    file, content = open_sealed_file(path, "a passphrase")
    saved = set()
    for _ in range(3):
        file.save(content)
        saved.add(path.read_bytes()[28:40])
    assert len(saved) == 3


def test_a_wallet_of_another_version_is_refused() -> None:
    for content in (b"", b"[]", b'{"version":2}', b'{"version":1}', b'{"version":1,"cards":[{}]}'):
        with pytest.raises(Refused, match="wallet_content"):
            decode_wallet(content)


def test_a_wallet_survives_being_written_down() -> None:
    card = Card(
        "https://a.example/1", "key", enrolment=Enrolment("link", "{}", "token", {"a": "b"})
    )
    wallet = Wallet([card, Card("https://a.example/1", "other")])
    assert decode_wallet(encode_wallet(wallet)) == wallet


def test_the_key_is_on_disk_before_the_code_is_sent(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    seen: list[bool] = []
    requested = issuer.requests.append

    class Watcher(list[str]):
        def append(self, request: str) -> None:
            if request.endswith("/token"):
                seen.append(phone.wallet.exists())
            requested(request)

    issuer.requests = Watcher()
    assert phone("take", issuer.publish(issuer.offer()), "--tx-code", "493536").code == 0
    assert seen == [True]


def test_the_wrong_passphrase_is_a_sentence(phone: PhoneUser, card: IssuerSimulator) -> None:
    before = phone.wallet.read_bytes()
    phone.passphrase = "another"
    for command in (["show"], ["refresh"], ["forget"], ["take", card.offer()]):
        run = phone(*command)
        assert run.code == 1
    assert "does not fit" in phone("list").err
    assert phone.wallet.read_bytes() == before
