"""What phones are called says nothing of how many there are, and is safe to type."""

import re

from issuer.sealing import Sealer
from wallet_api.opaque_ids import opaque_id

SEALER = Sealer(b"a deployment's secret of some length")


def test_another_deployment_calls_its_phones_otherwise():
    other = Sealer(b"another deployment's secret, as long")
    assert opaque_id(SEALER, 1) != opaque_id(other, 1)


def test_ids_are_apart_the_same_again_and_never_read_as_an_option():
    ids = [opaque_id(SEALER, device_id) for device_id in range(300)]
    assert len(set(ids)) == 300
    assert ids == [opaque_id(SEALER, device_id) for device_id in range(300)]
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)
