"""All of Europe in one bundle: what is fetched, how long loading takes, and how much memory."""

import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benching.measuring import Effort, Figure, Kind
from benching.world import DAY, ISSUER_URL, NOW, low_s_signature, new_key
from cryptography.hazmat.primitives.asymmetric import ec

from issuer.addresses import issuer_of, status_list_uri
from verifier.bundle import pack_bundle
from verifier.edges.knowledge_file import store_bundle
from verifier.identifiers import Pic
from verifier.jws import assemble_jws, jws_signing_input, public_jwk_of, thumbprint_of
from verifier.status import STATUS_LIST_TYP, CardStatus, pack_entries, status_list_payload
from verifier.trust import TRUST_LIST_TYP
from verifier.trust_document import (
    KeyState,
    TrustedInstitution,
    TrustedKey,
    TrustList,
    trust_list_payload,
)

INSTITUTIONS, CARDS = 4_000, 10_000  # of each institution: 40 million together
REVOKED = 0.01
FETCHED, MEMORY, LOADED = 2_000_000, 60_000_000, 0.5
ROOT = Path(__file__).parents[3]
_SIGNATURE_BYTES, _KEY_BYTES = 64, 64  # nobody can pack these

# In a process of its own: what a till needs, interpreter and all, is what counts.
_LOAD = """
import json, sys, time
from pathlib import Path
from verifier.edges.knowledge_file import load_knowledge
def most():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
before = most()
began = time.process_time()
knowledge = load_knowledge(Path(sys.argv[1]), now=int(sys.argv[2])).knowledge
took = time.process_time() - began
first = next(iter(knowledge.trust.institutions.values()))
assert knowledge.status_list_of(first, 1).entries.value_at(0) in (0, 1)
print(json.dumps([took, before, most()]))
"""


def measure(effort: Effort) -> Iterator[Figure]:
    """The offline bundle at its full size."""
    count = effort.of(INSTITUTIONS, 40)
    anchor = new_key()
    bundle = _make_bundle(anchor, count)
    with tempfile.TemporaryDirectory() as folder:
        anchors = (anchor.public_key(),)
        store_bundle(bundle, Path(folder), now=NOW, anchors=anchors)
        runs = [_load(folder) for _ in range(effort.of(5, 1))]
    millions = count * CARDS / 1e6
    what = f"bundle of {count:,} institutions, {millions:g} million cards, 1 % revoked"
    note = (
        f"{len(bundle):,} bytes, of which {_least_bytes(count):,} cannot be packed: the entropy "
        "of the revocations, signatures, keys"
    )
    size = Figure(f"{what}: to fetch", "2 MB", FETCHED, ours=len(bundle), kind=Kind.SIZE)
    yield replace(size, note=note)
    took, before, most = (min(run[i] for run in runs) for i in range(3))
    note = f"the whole process at its most, of which {before / 1e6:.0f} MB before loading"
    yield Figure("… memory", "60 MB", MEMORY, ours=most, kind=Kind.SIZE, note=note)
    note = "of the processor, all that it waits for; signatures of lists are checked later"
    yield Figure("… loading it", "0.5 s", LOADED, ours=took, kind=Kind.LIMIT, note=note)


def _load(folder: str) -> list[float]:
    command = [sys.executable, "-c", _LOAD, folder, str(NOW)]
    ran = subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    figures: list[float] = json.loads(ran.stdout)
    return figures


def _least_bytes(count: int) -> int:
    """What no packing can go below: entropy of the revocations, signatures, public keys."""
    bits = -REVOKED * math.log2(REVOKED) - (1 - REVOKED) * math.log2(1 - REVOKED)
    entries = count * CARDS * bits / 8
    return round(entries) + count * (_SIGNATURE_BYTES + _KEY_BYTES)


def _make_bundle(anchor: ec.EllipticCurvePrivateKey, count: int) -> bytes:
    chance = random.Random(4)
    made = [_make_institution(number, chance) for number in range(count)]
    trust = TrustList(
        sequence=1,
        issued_at=NOW - DAY,
        expires_at=NOW + 29 * DAY,
        institutions={institution.pic: institution for institution, _ in made},
        anchors=(anchor.public_key(),),
        type_integrity={},
        token="",
    )
    token = _signed(anchor, TRUST_LIST_TYP, trust_list_payload(trust))
    return pack_bundle(token, [status_list for _, status_list in made], {})


def _make_institution(number: int, chance: random.Random) -> tuple[TrustedInstitution, str]:
    private_key, pic = new_key(), Pic(f"{999_000_000 - number * 211}")
    kid = thumbprint_of(public_jwk_of(private_key.public_key()))
    key = TrustedKey(
        kid, private_key.public_key(), KeyState.ACTIVE, NOW - 90 * DAY, NOW + 900 * DAY
    )
    institution = TrustedInstitution(
        pic=pic,
        name=f"{chance.choice(_NAMES)} University of {chance.choice(_NAMES)} {number}",
        country=chance.choice(("LV", "PL", "DE", "FR", "IT", "ES", "SE", "PT")),
        schac_home_organization=f"university-{number}.example",
        issuer=issuer_of(ISSUER_URL, pic),
        esi_scopes=frozenset({f"university-{number}.example"}),
        keys=(key,),
        status_lists={1: status_list_uri(ISSUER_URL, pic, 1)},
    )
    revoked = chance.sample(range(CARDS), round(CARDS * REVOKED))
    payload = status_list_payload(
        pack_entries(dict.fromkeys(revoked, int(CardStatus.REVOKED)), width=2, size=CARDS),
        uri=institution.status_lists[1],
        issued_at=NOW - chance.randrange(6 * 3_600),
        expires_at=NOW + 7 * DAY,
        ttl=3_600,
        aggregation_uri=ISSUER_URL + "/status-lists",
    )
    return institution, _signed(private_key, STATUS_LIST_TYP, payload)


def _signed(key: ec.EllipticCurvePrivateKey, typ: str, payload: dict[str, Any]) -> str:
    kid = thumbprint_of(public_jwk_of(key.public_key()))
    message = jws_signing_input({"typ": typ, "alg": "ES256", "kid": kid}, payload)
    return assemble_jws(message, low_s_signature(key, message))


_NAMES = ("Daugava", "Gauja", "Venta", "Wisla", "Odra", "Elbe", "Rhein", "Seine", "Po", "Tejo")
