"""Turning a fuzzer's bytes into documents that are signed, so that the steps behind the signature
are reached as well. The keys are those of the test vectors: their signatures are deterministic.
"""

import gzip
import hashlib
import sys
import zlib
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "vectors"))
from generating import cards, credentials, presentations, world
from generating.encodings import b64url, base32
from generating.keys import public_jwk, thumbprint
from generating.vector import NOW

__all__ = ["NOW", "cards", "credentials", "public_jwk", "world"]

CUT = b"\xff"  # between two texts in one input; UTF-8 never has it
TRUST_LIST, STATUS_LIST = world.trust_list(), world.status_list(1)


def text_of(data: bytes) -> str:
    """Any text, lone surrogates too."""
    return data.decode("utf-8", "surrogateescape")


def static_code(payload: bytes) -> str:
    return cards.text1(cards.e1(payload))


def static_code_of_bytes(data: bytes) -> str:
    return cards.text1(data)


def live_code(data: bytes) -> str:
    shown_at = NOW - 100 + data[0] if data else NOW
    return cards.text2(cards.e2(cards.e1(data[1:]), shown_at=shown_at))


def live_code_of_bytes(data: bytes) -> str:
    return cards.text2(data)


def static_code_with_header(data: bytes) -> str:
    return cards.text1(cards.e1(protected=data))


def presentation(data: bytes) -> str:
    """The payload's JSON, then disclosures' JSON; `@0` stands for the first one's digest."""
    payload, *rest = data.split(CUT)
    disclosures = [b64url(text) for text in rest]
    for index, disclosure in enumerate(disclosures):
        payload = payload.replace(b"@%d" % index, credentials.digest(disclosure).encode())
    return credentials.present(credentials.jws(payload), disclosures)


def bound_presentation(data: bytes) -> str:
    """The key binding's JSON, in which `@h` stands for the hash, before what is bound."""
    binding, _, rest = data.partition(CUT)
    presented = presentation(rest)
    digest = b64url(hashlib.sha256(presented.encode()).digest())
    header = {"alg": "ES256", "typ": "kb+jwt"}
    body = binding.replace(b"@h", digest.encode())
    return presented + credentials.jws(body, label="phone", header=header)


def credential_with_header(data: bytes) -> str:
    header, _, payload = data.partition(CUT)
    return credentials.present(credentials.jws(payload, header=header), [])


def status_list(data: bytes) -> str:
    """The payload's JSON; `@z` stands for what follows deflated, `@r` for it as it is."""
    payload, _, entries = data.partition(CUT)
    payload = payload.replace(b"@z", b64url(zlib.compress(entries)).encode())
    payload = payload.replace(b"@r", b64url(entries).encode())
    header = {"alg": "ES256", "typ": "statuslist+jwt", "kid": thumbprint("a-active")}
    return credentials.jws(payload, header=header)


def trust_list(payload: bytes) -> str:
    header = {"alg": "ES256", "typ": "esc-trust-list+jwt", "kid": thumbprint("trust")}
    return credentials.jws(payload, label="trust", header=header)


def trust_list_with_header(data: bytes) -> str:
    header, _, payload = data.partition(CUT)
    return credentials.jws(payload, label="trust", header=header)


def packed(body: bytes) -> bytes:
    """A bundle of this JSON; `@t` and `@s` stand for a good trust list and status list."""
    body = body.replace(b"@t", TRUST_LIST.encode()).replace(b"@s", STATUS_LIST.encode())
    return gzip.compress(body, compresslevel=1, mtime=0)


def signed_bundle(data: bytes) -> bytes:
    """A trust list's JSON, then those of status lists."""
    trust, *lists = data.split(CUT)
    texts = ",".join(f'"{status_list(item)}"' for item in lists)
    body = f'{{"version":1,"trust_list":"{trust_list(trust)}","status_lists":[{texts}],'
    return gzip.compress(f'{body}"type_metadata":{{}}}}'.encode(), compresslevel=1, mtime=0)


def changes(payload: bytes) -> bytes:
    """A document of changes with one delta, signed over these claims."""
    header = {"alg": "ES256", "typ": "esc-status-delta+jwt", "kid": thumbprint("a-active")}
    token = credentials.jws(payload, header=header)
    body = f'{{"version":1,"sequence":10,"since":0,"status_deltas":["{token}"]}}'
    return gzip.compress(body.encode(), compresslevel=1, mtime=0)


def parts(whole: bytes) -> list[str]:
    """The codes that carry these bytes, under their right digest."""
    return presentations.parts_of(whole, 512)


def asking(content: bytes) -> str:
    """The code that asks with this JSON."""
    return f"ESCR1/{base32(content)}"
