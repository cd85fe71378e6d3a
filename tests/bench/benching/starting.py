"""How long a till waits from its start to its first answer."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benching.measuring import Effort, Figure, best_of
from benching.world import DAY, ISSUER_URL, NOW, Phone, make_issuance, new_key

from issuer.keys import FileSigner
from verifier.bundle import pack_bundle
from verifier.jws import assemble_jws, dump_json, jws_signing_input
from verifier.status import STATUS_LIST_TYP, StatusList, status_list_payload
from verifier.trust import TRUST_LIST_TYP
from verifier.trust_document import TrustList, trust_list_payload

_FLOOR = "from cryptography.hazmat.primitives.asymmetric import ec; import sys"
_OURS = """
import json, sys
import verifier
from verifier.jws import parse_public_jwk
folder, now = sys.argv[1], int(sys.argv[2])
anchor = parse_public_jwk(json.loads(open(folder + "/anchor.jwk", "rb").read()))
bundle = open(folder + "/bundle", "rb").read()
knowledge = verifier.verify_bundle(bundle, anchors=(anchor,), now=now)
card = verifier.verify_card(sys.argv[3], knowledge=knowledge, now=now)
sys.exit(0 if card.name else 1)
"""
ROOT = Path(__file__).parents[3]


def measure(effort: Effort) -> Iterator[Figure]:
    """The last row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        code = _write_world(Path(folder))
        start = _python(folder, _OURS, folder, str(NOW), code)
        start()  # compiles, as an installation does
        floor, ours = best_of(effort.of(30, 1), _python(folder, _FLOOR), start)
    what = "start: `import verifier` to the first answer"
    yield Figure(what, "Python + cryptography import", 1.3, floor, ours)


def _python(compiled: str, program: str, *words: str) -> Callable[[], object]:
    command = [sys.executable, "-c", program, *words]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
    return lambda: subprocess.run(command, check=True, cwd=ROOT, env=environment)


def _write_world(folder: Path) -> str:
    phone = Phone(make_issuance(), 1)
    institution, signer = phone.issuance.institution, phone.issuance.signer
    anchor = FileSigner(new_key())
    trust = TrustList(
        sequence=1,
        issued_at=NOW,
        expires_at=NOW + DAY,
        institutions={institution.pic: institution},
        anchors=(anchor._private_key.public_key(),),
        type_integrity={},
        token="",
    )
    entries = status_list_payload(
        StatusList(2, bytes(32_768)),
        uri=institution.status_lists[1],
        issued_at=NOW,
        expires_at=NOW + DAY,
        ttl=3600,
        aggregation_uri=ISSUER_URL + "/status-lists",
    )
    trust_token = _signed(anchor, TRUST_LIST_TYP, trust_list_payload(trust))
    bundle = pack_bundle(trust_token, [_signed(signer, STATUS_LIST_TYP, entries)], {})
    (folder / "bundle").write_bytes(bundle)
    (folder / "anchor.jwk").write_bytes(dump_json(anchor.public_jwk))
    return phone.static_code


def _signed(signer: FileSigner, typ: str, payload: dict) -> str:
    message = jws_signing_input({"typ": typ, "alg": "ES256", "kid": signer.kid}, payload)
    return assemble_jws(message, signer.sign(message))
