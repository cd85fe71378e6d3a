"""What fuzzing begins with: the test vectors, taken apart as the targets put them together."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cbor2

from tests.fuzz import forging
from tests.fuzz.forging import CUT, NOW, credentials, public_jwk, world
from tests.fuzz.targets import USUAL
from tests.verifier.vector_files import FOLDER, read_vector
from verifier.base32 import decode_base32
from verifier.errors import CardError
from verifier.jws import b64url_decode

PRESETS = Path(forging.__file__).parents[2] / "verifier" / "presets"


def seeds_of(name: str) -> list[bytes]:
    """The inputs to begin a target's fuzzing with."""
    return list(dict.fromkeys(_SEEDS[name]()))


def _payloads(kind: str) -> Iterator[str]:
    for path in sorted(FOLDER.glob(f"{kind}/*.txt")):
        yield read_vector(path.read_bytes()).payload


def _scanned() -> Iterator[bytes]:
    for text in _payloads("esc_qr"):
        yield b"\x00" + text.encode()
        _, hash_sign, fragment = text.strip().partition("#")
        if not hash_sign:
            continue
        with suppress(CardError, cbor2.CBORError, ValueError, IndexError, TypeError):
            data = decode_base32(fragment[2:])
            yield (b"\x02" if fragment.startswith("E1") else b"\x04") + data
            e1 = data if fragment.startswith("E1") else cbor2.loads(data)[0]
            protected, _, payload, _ = cbor2.loads(e1[1:])
            yield b"\x01" + payload
            yield b"\x03" + b"\x5f" + payload
            yield b"\x05" + protected


def _credential() -> Iterator[bytes]:
    for text in _payloads("sd_jwt_vc"):
        yield b"\x00" + text.encode()
        jwt, *disclosures = text.split("~")
        with suppress(CardError, ValueError, IndexError):
            header, payload, _ = (b64url_decode(part) for part in jwt.split("."))
            yield b"\x03" + header + CUT + payload
            shown = [part for part in disclosures[:-1] if part]
            for index, part in enumerate(shown):
                payload = payload.replace(credentials.digest(part).encode(), b"@%d" % index)
            whole = CUT.join([payload, *map(b64url_decode, shown)])
            yield b"\x01" + whole
            binding = {"iat": NOW - 5, "aud": credentials.AUDIENCE, "nonce": credentials.NONCE}
            yield b"\x02" + json.dumps({**binding, "sd_hash": "@h"}).encode() + CUT + whole


def _jws_payloads(kind: str) -> Iterator[bytes]:
    for text in _payloads(kind):
        with suppress(CardError, IndexError):
            yield b64url_decode(text.split(".")[1])


def _status_list() -> Iterator[bytes]:
    for text in _payloads("status_list"):
        yield b"\x00" + text.encode()
    for payload in _jws_payloads("status_list"):
        yield b"\x01" + payload
    for mark in ("@z", "@r"):
        body = {"bits": 2, "lst": mark}
        claims = {"sub": world.list_uri(world.PIC_A, 1), "iat": NOW, "status_list": body}
        yield b"\x01" + json.dumps(claims).encode() + CUT + bytes(range(16))


def _status_delta() -> Iterator[bytes]:
    for text in _payloads("status_delta"):
        if len(text) < 3_000:
            yield b"\x00" + text.encode()
    for payload in _jws_payloads("status_delta"):
        if len(payload) < 3_000:
            yield b"\x02" + payload
    for text in _payloads("changes"):
        with suppress(ValueError, OSError, EOFError):
            data = base64.b64decode(text, validate=True)
            yield b"\x00" + data[:3_000]
            yield b"\x01" + gzip.decompress(data)[:3_000]


def _trust_list() -> Iterator[bytes]:
    for text in _payloads("trust_list"):
        if len(text) < 8_000:
            yield b"\x00" + text.encode()
    for payload in _jws_payloads("trust_list"):
        if len(payload) < 8_000:
            yield b"\x01" + payload
            yield b'\x02{"alg":"ES256","typ":"esc-trust-list+jwt"}' + CUT + payload


def _bundle() -> Iterator[bytes]:
    for text in _payloads("bundle"):
        with suppress(ValueError, OSError, EOFError):
            data = base64.b64decode(text, validate=True)
            yield b"\x00" + data[:3_000]
            body = gzip.decompress(data)
            body = body.replace(forging.TRUST_LIST.encode(), b"@t")
            if len(body) < 8_000:
                yield b"\x01" + body
    yield b'\x01{"version":1,"trust_list":"@t","status_lists":["@s"],"type_metadata":{}}'
    trust = json.dumps(world.trust_claims()).encode()
    lists = [
        json.dumps(world.status_list_claims(world.list_uri(world.PIC_A, n))).encode()
        for n in (1, 2)
    ]
    yield b"\x02" + CUT.join([trust, *lists])


def _knowledge_file() -> Iterator[bytes]:
    key = public_jwk("trust")
    content = {
        "sequence": 10, "anchors": [key], "signed_by": [key], "source": "https://x.example/b",
        "etag": '"1"', "fetched_at": NOW, "bundle": "@b",
    }  # fmt: skip
    yield b"\x01" + json.dumps(content).encode()
    for name in content:
        yield b"\x01" + json.dumps({**content, name: None}).encode()
    yield b"\x00" + json.dumps({**content, "bundle": base64.b64encode(USUAL).decode()}).encode()


def _rules() -> Iterator[bytes]:
    for path in sorted(PRESETS.glob("*.toml")):
        yield path.read_bytes()
    yield b'rules = 1\nservice = "x"\nservice_lv = "y"\ninstitutions = ["999800001"]\n'
    yield b'rules = 1\nservice = "x"\nlevels = ["MASTER"]\nclaims = ["name"]\nfresh_hours = 0x10\n'
    yield b"rules = 1.0\nservice = 1979-05-27T07:32:00Z\ncountries = {a = [1e9, inf]}\n"


def _batch() -> Iterator[bytes]:
    codes = [text for text in _payloads("esc_qr") if len(text) < 700 and "\n" not in text][::8]
    for code in codes:
        yield f"code;time\r\n{code};{NOW}\r\n".encode()
    yield b'\xef\xbb\xbftime,code\n2027-01-15T08:00:00Z,"a ""code"""\n1800000000,\n'
    yield b"code\ttime\nx\t2027-01-15T08:00:00+02:00\n\n,\t \n"


def _request() -> Iterator[bytes]:
    for kind in ("esc_qr", "sd_jwt_vc"):
        for code in list(_payloads(kind))[::8]:
            yield json.dumps({"code": code}).encode()
    whole = {"code": "x", "rules": "any", "challenge": "c", "language": "lv"}
    yield json.dumps(whole).encode()
    yield json.dumps({**whole, "audience": "a", "nonce": "n"}).encode()


def name_of(data: bytes) -> str:
    """What a file of a corpus is called."""
    return hashlib.sha256(data).hexdigest()[:16]


def _presentation() -> Iterator[bytes]:
    for text in _payloads("presentation"):
        yield b"\x00" + text.encode()
        with suppress(CardError, IndexError):
            yield b"\x01" + b"".join(decode_base32(one.split("/")[4]) for one in text.split("\n"))


def _asking() -> Iterator[bytes]:
    for text in _payloads("request"):
        yield b"\x00" + text.encode()
        with suppress(CardError):
            yield b"\x01" + decode_base32(text.strip().removeprefix("ESCR1/"))


_SEEDS = {
    "scanned": _scanned,
    "credential": _credential,
    "status_list": _status_list,
    "status_delta": _status_delta,
    "trust_list": _trust_list,
    "bundle": _bundle,
    "knowledge_file": _knowledge_file,
    "rules": _rules,
    "batch": _batch,
    "request": _request,
    "presentation": _presentation,
    "asking": _asking,
}
