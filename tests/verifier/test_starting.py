"""What a till loads before its first answer, in a process of its own."""

import subprocess
import sys

import pytest

import verifier


def _modules_after(program: str) -> set[str]:
    program += "\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return set(done.stdout.decode().split())


def test_a_name_that_the_package_does_not_have_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'verify_nothing'"):
        verifier.verify_nothing  # noqa: B018


def test_a_till_that_reads_codes_starts_without_what_reads_credentials_and_deltas() -> None:
    loaded = _modules_after("from verifier import verify_bundle, verify_card")
    late = {"verifier.sd_jwt", "verifier.sd_jwt_vc", "verifier.status_delta", "cbor2", "hashlib"}
    assert "verifier.verify" in loaded
    assert not late & loaded


def test_the_check_of_credentials_is_there_when_it_is_asked_for() -> None:
    loaded = _modules_after(
        "import verifier\n"
        "from verifier import *\n"
        "assert verify_credential is verifier.verify_credential\n"
        "assert ExpectedKeyBinding('a', 'b').nonce == 'b'"
    )
    assert "verifier.sd_jwt_vc" in loaded
