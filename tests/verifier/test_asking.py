"""A new request is one that a command line and a QR code carry unharmed."""

import re

import pytest

from verifier.cli.asking import make_request
from verifier.errors import MalformedPresentation
from verifier.policy import CredentialType, Policy


def test_where_nothing_that_is_taken_is_known_nothing_is_asked_for():
    cards_only = Policy(types=frozenset({CredentialType.STUDENT_CARD}))
    with pytest.raises(MalformedPresentation):
        make_request("Library", cards_only, (), {})


def test_a_nonce_is_128_bits_that_no_command_line_reads_as_an_option():
    nonces = {make_request("Library", Policy(), (), {}).nonce for _ in range(200)}
    assert len(nonces) == 200
    assert all(re.fullmatch("[0-9a-f]{32}", nonce) for nonce in nonces)
