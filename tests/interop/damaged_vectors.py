"""Valid vectors with one change, signed anew where they were signed: do two readers agree?

What a change does is not known beforehand: the vector expects what `verifier` answers.
"""

import base64
import gzip
import json
import random
import shutil
import sys
from pathlib import Path

from tests.verifier.vector_files import CHECKS, FOLDER, VectorFile, all_paths, read_vector
from verifier.errors import CardError
from verifier.jws import b64url_decode

sys.path.insert(0, str(FOLDER))

from generating import cards, credentials
from generating.encodings import b64url, cbor, gzip_stored
from generating.keys import sign

_BYTES = [0x00, 0x18, 0x5F, 0x7F, 0x9F, 0xBF, 0xC1, 0xF6, 0xF9, 0xFF]
_LETTERS = '"\\{}[],:019.eE-+tn \t\n~#%=AZaz_\x1c\x85\xa0ķ\u2028\u3000\ufeff\U0001f600'
_SIGNERS = {
    "sd_jwt_vc": "a-active",
    "trust_list": "trust",
    "status_list": "a-active",
    "status_delta": "a-active",
}


class Damage:
    """One change each; the same ones from the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def of_bytes(self, data: bytes) -> bytes:
        at, value = self.random.randrange(len(data)), self.random.choice(_BYTES)
        change = bytes([data[at] ^ (1 << self.random.randrange(8))])
        kept = [change, b"", data[at : at + 1] * 2, bytes([value])]
        return data[:at] + self.random.choice(kept) + data[at + 1 :]

    def of_text(self, text: str) -> str:
        at, letter = self.random.randrange(len(text) + 1), self.random.choice(_LETTERS)
        return text[:at] + letter + text[at + self.random.choice([0, 1]) :]

    def of_either(self, data: bytes) -> bytes:
        if self.random.random() < 0.5:
            return self.of_bytes(data)
        return self.of_text(data.decode()).encode()

    def of_jws(self, jws: str, label: str) -> str:
        parts = [b64url_decode(part) for part in jws.split(".")[:2]]
        changed = self.random.choice([0, 1, 1, 1])
        parts[changed] = self.of_either(parts[changed])
        signing_input = ".".join(map(b64url, parts))
        return f"{signing_input}.{b64url(sign(label, signing_input.encode()))}"

    def of_code(self) -> str:
        """A code signed by institution and phone over what was changed."""
        part = self.random.choice(["payload", "payload", "header", "e1", "e2", "text"])
        payload = cbor(cards.members(identity=self.random.random() < 0.5))
        header = cards.protected_header("a-active")
        payload = self.of_bytes(payload) if part == "payload" else payload
        header = self.of_bytes(header) if part == "header" else header
        e1 = cards.e1(payload, protected=header)
        e1 = self.of_bytes(e1) if part == "e1" else e1
        if part != "e2" and self.random.random() < 0.5:
            text = cards.text1(e1)
        else:
            e2 = cards.e2(e1)
            text = cards.text2(self.of_bytes(e2) if part == "e2" else e2)
        return self.of_text(text) if part == "text" else text

    def of_credential(self, text: str) -> str:
        issuer_jwt, *disclosures, binding = text.strip().split("~")
        if not disclosures or self.random.random() < 0.5:
            return "~".join([self.of_jws(issuer_jwt, "a-active"), *disclosures, binding])
        at = self.random.randrange(len(disclosures))
        changed = b64url(self.of_either(b64url_decode(disclosures[at])))
        payload = json.loads(b64url_decode(issuer_jwt.split(".")[1]))
        before = credentials.digest(disclosures[at])
        digests = [credentials.digest(changed) if d == before else d for d in payload["_sd"]]
        disclosures[at] = changed
        return "~".join([credentials.jws({**payload, "_sd": digests}), *disclosures, binding])

    def of_bundle(self, payload: str) -> str:
        data = base64.b64decode(payload)
        if self.random.random() < 0.5:
            data = self.of_bytes(data)
        else:
            data = gzip_stored(self.of_either(gzip.decompress(data)))
        return base64.b64encode(data).decode()

    def of_payload(self, kind: str, payload: str) -> str:
        if kind == "esc_qr":
            return self.of_code()
        if kind == "sd_jwt_vc":
            return self.of_credential(payload)
        if kind in ("bundle", "changes"):
            return self.of_bundle(payload)
        if kind in _SIGNERS:
            return self.of_jws(payload, _SIGNERS[kind])
        return self.of_text(payload)


def write_damaged(folder: Path, *, seed: int, count: int) -> None:
    """Write `count` vectors into a folder of their own, with what they need beside them."""
    shutil.copytree(FOLDER / "bundles", folder / "bundles")
    shutil.copy(FOLDER / "keys.json", folder)
    damage = Damage(seed)
    paths = [path for path in all_paths() if "/valid" in path]
    for number in range(count):
        path = damage.random.choice(paths)
        vector = read_vector((FOLDER / path).read_bytes())
        kind = path.partition("/")[0]
        changed = VectorFile(_inputs(vector), damage.of_payload(kind, vector.payload))
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / f"damaged_{number}.txt").write_bytes(_text_of(changed).encode())


def _inputs(vector: VectorFile) -> dict[str, str]:
    answers = {"expect", "result", "comment", "challenge", "shown_before"}
    return {key: value for key, value in vector.headers.items() if key not in answers}


def _text_of(vector: VectorFile) -> str:
    headers = dict(vector.headers)
    try:
        headers["result"] = json.dumps(CHECKS[headers["check"]](vector))
        headers["expect"] = "valid"
    except CardError as refusal:
        headers["expect"] = type(refusal).__name__
    lines = "".join(f"{key}: {value}\n" for key, value in headers.items())
    return f"{lines}\n{vector.payload}\n"
