"""Vectors of presentations in parts and of requests (docs/presentation-qr.md)."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from generating import world
from generating.credentials import bound, credential
from generating.encodings import Raw, b64url, base32, cbor, compact_json
from generating.vector import Vector

PRESENTATION = bound(credential())
OTHER = bound(credential(), nonce="another")
BAD, MISSING = "MalformedPresentation", "IncompletePresentation"
NONCE = b64url(hashlib.sha256(b"nonce of the vectors").digest()[:16])
SIZE = 300


def vectors() -> Iterator[Vector]:
    yield from _joining()
    yield from _parts()
    yield from _wholes()
    yield from _requests()
    yield from _queries()


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pieces_of(presentation: str) -> list[bytes]:
    first, *disclosures, last = presentation.split("~")
    return [unpadded(one) for one in (*first.split("."), *disclosures, *last.split("."))]


def digest_of(whole: bytes) -> str:
    return base32(hashlib.sha256(whole).digest()[:10])


def part(index: object, total: object, digest: str, data: bytes, *, mark: str = "ESCP1") -> str:
    return f"{mark}/{index}/{total}/{digest}/{base32(data)}"


def parts_of(whole: bytes, size: int = SIZE) -> list[str]:
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    return [part(i, len(chunks), digest_of(whole), c) for i, c in enumerate(chunks, start=1)]


def joined(name: str, expect: str, lines: list[str], says: str | None = None) -> Vector:
    result = {"presentation": PRESENTATION if says is None else says}
    return Vector(
        "presentation",
        name,
        "presentation",
        expect,
        "\n".join(lines),
        result if expect == "valid" else None,
    )


def _joining() -> Iterator[Vector]:
    whole = cbor(pieces_of(PRESENTATION))
    lines, others = parts_of(whole), parts_of(cbor(pieces_of(OTHER)))
    yield joined("valid", "valid", lines)
    yield joined("valid_in_reverse", "valid", lines[::-1])
    yield joined("valid_each_part_twice", "valid", [*lines, *lines])
    yield joined("valid_parts_of_512_bytes", "valid", parts_of(whole, 512))
    yield joined("valid_with_space_around", "valid", [f"\t {one} \r" for one in lines])
    short = bound(credential().split("~")[0] + "~")
    yield joined("valid_nothing_disclosed", "valid", parts_of(cbor(pieces_of(short))), short)
    yield joined("first_part_missing", MISSING, lines[1:])
    yield joined("last_part_missing", MISSING, lines[:-1])
    yield joined("one_part_of_another_presentation", BAD, [*lines[:-1], others[-1]])
    yield joined("two_presentations", BAD, [*lines, *others])
    changed = part(2, len(lines), digest_of(whole), whole[SIZE : 2 * SIZE - 1] + b"\x00")
    yield joined("two_parts_for_one_place", BAD, [lines[0], lines[1], changed, *lines[2:]])
    yield joined("one_byte_changed", BAD, [lines[0], changed, *lines[2:]])
    swapped = [lines[0].replace("P1/1/", "P1/2/"), lines[1].replace("P1/2/", "P1/1/"), *lines[2:]]
    yield joined("two_parts_swapped", BAD, swapped)
    more = [line.replace(f"/{len(lines)}/", f"/{len(lines) + 1}/") for line in lines[:1]]
    yield joined("another_total", BAD, [*lines, *more])


def _parts() -> Iterator[Vector]:
    whole = cbor(pieces_of(PRESENTATION))
    lines, digest, count = parts_of(whole), digest_of(whole), len(parts_of(whole))
    data = whole[:SIZE]

    def first(text: str) -> list[str]:
        return [text, *lines[1:]]

    yield joined("version_2", "UnknownVersion", first(lines[0].replace("ESCP1", "ESCP2")))
    yield joined("version_10", "UnknownVersion", first(lines[0].replace("ESCP1", "ESCP10")))
    yield joined("version_missing", "UnknownVersion", first(lines[0].replace("ESCP1", "ESCP")))
    yield joined("mark_in_lower_case", "NotACard", first(lines[0].replace("ESCP1", "escp1")))
    yield joined("a_card_among_the_parts", "NotACard", [*lines, "https://esc.gg/"])
    yield joined("empty", "NotACard", [""])
    yield joined("index_0", BAD, first(part(0, count, digest, data)))
    yield joined("index_above_the_total", BAD, first(part(count + 1, count, digest, data)))
    yield joined("index_with_a_zero_before", BAD, first(part("01", count, digest, data)))
    yield joined("index_with_a_sign", BAD, first(part("+1", count, digest, data)))
    yield joined("index_in_other_digits", BAD, first(part("\u0661", count, digest, data)))
    yield joined("total_0", BAD, [part(1, 0, digest, data)])
    yield joined("total_17", BAD, [part(1, 17, digest, data)])
    yield joined("digest_of_15_characters", BAD, first(part(1, count, digest[:15], data)))
    yield joined("digest_of_17_characters", BAD, first(part(1, count, digest + "A", data)))
    yield joined("digest_in_lower_case", BAD, first(part(1, count, digest.lower(), data)))
    yield joined("data_empty", BAD, first(part(1, count, digest, b"")))
    yield joined("data_of_513_bytes", BAD, parts_of(whole, 513))
    yield joined("data_in_lower_case", BAD, first(part(1, count, digest, b"") + "mzxw6"))
    yield joined("data_with_padding", BAD, first(part(1, count, digest, b"x") + "======"))
    yield joined("data_with_unused_bits", BAD, first(part(1, count, digest, b"") + "AB"))
    yield joined("data_of_impossible_length", BAD, first(part(1, count, digest, b"") + "ABC"))
    yield joined("a_further_field", BAD, first(lines[0] + "/A"))
    yield joined("space_inside", BAD, first(lines[0].replace("/", "/ ", 1)))
    yield joined("part_of_851_characters", BAD, first(lines[0] + " " * (851 - len(lines[0]))))


def _wholes() -> Iterator[Vector]:
    pieces = pieces_of(PRESENTATION)

    def whole(name: str, data: bytes) -> Vector:
        return joined(name, BAD, parts_of(data, 512))

    issuer, binding, disclosures = pieces[:3], pieces[-3:], pieces[3:-3]
    yield whole("whole_without_key_binding", cbor(pieces[:3]))
    yield whole("whole_of_5_pieces", cbor(pieces[:2] + binding))
    many = [b"x" for _ in range(65)]
    yield whole("whole_of_71_pieces", cbor([*issuer, *many, *binding]))
    yield whole("whole_with_an_empty_piece", cbor([*issuer, b"", *binding]))
    yield whole("whole_with_a_text", cbor([*issuer, "text", *binding]))
    yield whole("whole_with_a_number", cbor([*issuer, 1, *binding]))
    yield whole("whole_with_an_array", cbor([*issuer, disclosures, *binding]))
    yield whole("whole_a_map", cbor(dict(enumerate(pieces))))
    yield whole("whole_with_a_byte_after", cbor(pieces) + b"\x00")
    yield whole("whole_cut_off", cbor(pieces)[:-1])
    long = b"\x98" + bytes([len(pieces)]) + b"".join(map(cbor, pieces))
    yield whole("whole_with_a_long_head", long)
    endless = b"\x9f" + b"".join(map(cbor, pieces)) + b"\xff"
    yield whole("whole_of_indefinite_length", endless)
    tagged = [*issuer, Raw(b"\xd8\x18" + cbor(b"x")), *binding]
    yield whole("whole_with_a_tag", cbor(tagged))
    yield whole("whole_not_cbor", b"\xff" * 40)


def asked(**changes: Any) -> dict[str, Any]:
    """The usual request; changes of its members."""
    query = {
        "id": "card",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [world.VCT]},
        "claims": [{"path": ["name"]}, {"path": ["schac_personal_unique_code"]}],
    }
    usual = {"client_id": 'Bibliotēka "Centrs"', "nonce": NONCE}
    return {**usual, "dcql_query": {"credentials": [query]}, **changes}


def query(**changes: Any) -> dict[str, Any]:
    """The usual request with changes of its one credential; None leaves a member out."""
    usual = asked()["dcql_query"]["credentials"][0]
    body = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    return asked(dcql_query={"credentials": [body]})


def request(
    name: str, expect: str, body: dict[str, Any] | bytes | str, says: dict[str, Any] | None = None
) -> Vector:
    data = compact_json(body) if isinstance(body, dict) else body
    payload = data if isinstance(data, str) else f"ESCR1/{base32(data)}"
    usual = {
        "audience": 'Bibliotēka "Centrs"',
        "nonce": NONCE,
        "types": [world.VCT],
        "claims": ["name", "schac_personal_unique_code"],
    }
    result = {**usual, **(says or {})} if expect == "valid" else None
    return Vector("request", name, "request", expect, payload, result)


def _requests() -> Iterator[Vector]:
    usual = compact_json(asked())
    text = f"ESCR1/{base32(usual)}"
    yield request("valid", "valid", asked())
    yield request("valid_with_space_around", "valid", f"\r\n {text}\t")
    long = "n" * 86
    yield request("valid_nonce_of_86_characters", "valid", asked(nonce=long), {"nonce": long})
    name = "a" * 119 + "\U0001f393"
    yield request(
        "valid_audience_of_120_characters", "valid", asked(client_id=name), {"audience": name}
    )
    yield request("request_version_2", "UnknownVersion", text.replace("ESCR1", "ESCR2"))
    yield request("request_mark_in_lower_case", "NotACard", text.replace("ESCR1", "escr1"))
    yield request("a_part", "NotACard", parts_of(cbor(pieces_of(PRESENTATION)))[0])
    yield request("request_of_2501_characters", BAD, text + " " * (2501 - len(text)))
    yield request("request_empty", BAD, "ESCR1/")
    yield request("request_in_lower_case", BAD, f"ESCR1/{base32(usual).lower()}")
    yield request("request_not_json", BAD, usual[:-1])
    yield request("request_an_array", BAD, b"[" + usual + b"]")
    yield request("request_not_utf8", BAD, usual.replace(b"Centrs", b"C\xffntrs"))
    yield request("request_with_white_space", BAD, usual.replace(b",", b", ", 1))
    yield request("request_with_an_escape", BAD, usual.replace(b"Centrs", b"\\u0043entrs"))
    turned = dict(reversed(asked().items()))
    yield request("request_in_another_order", BAD, turned)
    yield request("request_with_a_further_member", BAD, asked(state="x"))
    twice = usual.replace(b"{", b'{"client_id":"x",', 1)
    yield request("request_with_a_member_twice", BAD, twice)
    yield request("audience_with_a_colon", BAD, asked(client_id="x509_hash:abc"))
    yield request("audience_empty", BAD, asked(client_id=""))
    yield request("audience_of_121_characters", BAD, asked(client_id="a" * 121))
    yield request("audience_with_a_direction_mark", BAD, asked(client_id="a\u202eb"))
    yield request("audience_with_space_after", BAD, asked(client_id="a "))
    yield request("audience_a_number", BAD, asked(client_id=1))
    yield request("nonce_of_21_characters", BAD, asked(nonce="n" * 21))
    yield request("nonce_of_87_characters", BAD, asked(nonce="n" * 87))
    yield request("nonce_with_a_plus", BAD, asked(nonce="n" * 21 + "+"))
    yield request("nonce_a_number", BAD, asked(nonce=10**22))


def _queries() -> Iterator[Vector]:
    other = "VerifiableStudentID"
    eight = [f"{world.VCT}/{number}" for number in range(8)]
    yield request("valid_no_claim", "valid", query(claims=None), {"claims": []})
    yield request(
        "valid_eight_types", "valid", query(meta={"vct_values": eight}), {"types": eight}
    )
    usual = asked()["dcql_query"]["credentials"][0]
    yield request("two_credentials", BAD, asked(dcql_query={"credentials": [usual, usual]}))
    yield request("no_credential", BAD, asked(dcql_query={"credentials": []}))
    yield request("credentials_an_object", BAD, asked(dcql_query={"credentials": usual}))
    sets = {"credentials": [usual], "credential_sets": [{"options": [["card"]]}]}
    yield request("credential_sets", BAD, asked(dcql_query=sets))
    yield from _alternatives(usual)
    yield request("credential_of_another_id", BAD, query(id="pid"))
    yield request("credential_of_another_format", BAD, query(format="mso_mdoc"))
    yield request("meta_missing", BAD, query(meta=None))
    yield request("types_empty", BAD, query(meta={"vct_values": []}))
    yield request("types_nine", BAD, query(meta={"vct_values": [*eight, other]}))
    yield request("type_twice", BAD, query(meta={"vct_values": [other, other]}))
    yield request("type_a_number", BAD, query(meta={"vct_values": [1]}))
    yield request("types_a_text", BAD, query(meta={"vct_values": other}))
    yield request("type_of_513_characters", BAD, query(meta={"vct_values": ["t" * 513]}))
    yield request("claims_empty", BAD, query(claims=[]))
    yield request("claims_17", BAD, query(claims=[{"path": [f"c{n}"]} for n in range(17)]))
    yield request("claim_twice", BAD, query(claims=[{"path": ["name"]}, {"path": ["name"]}]))
    yield request("claim_of_two_steps", BAD, query(claims=[{"path": ["address", "street"]}]))
    yield request("claim_without_path", BAD, query(claims=[{"id": "name"}]))
    yield request("claim_path_empty", BAD, query(claims=[{"path": []}]))
    yield request("claim_path_a_text", BAD, query(claims=[{"path": "name"}]))
    yield request("claim_of_any_element", BAD, query(claims=[{"path": [None]}]))
    yield request("claim_with_values", BAD, query(claims=[{"path": ["name"], "values": ["x"]}]))
    yield request("claim_with_id", BAD, query(claims=[{"id": "n", "path": ["name"]}]))
    yield request("claim_of_65_characters", BAD, query(claims=[{"path": ["n" * 65]}]))
    yield request("claim_sets", BAD, query(claim_sets=[["n"]]))


def _alternatives(usual: dict[str, Any]) -> Iterator[Vector]:
    """What will do as well: another credential, with claims of its own."""
    student_id = {
        "id": "card-2",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": ["VerifiableStudentID"]},
        "claims": [{"path": ["firstName"]}, {"path": ["familyName"]}],
    }
    said = {"types": ["VerifiableStudentID"], "claims": ["firstName", "familyName"]}

    def either(*credentials: dict[str, Any], sets: Any = None) -> dict[str, Any]:
        options = [[credential["id"]] for credential in credentials]
        chosen = [{"options": options}] if sets is None else sets
        return asked(dcql_query={"credentials": list(credentials), "credential_sets": chosen})

    def further(number: int, **changes: Any) -> dict[str, Any]:
        meta = {"vct_values": [f"urn:example:{number}"]}
        return {"id": f"card-{number}", "format": "dc+sd-jwt", "meta": meta, **changes}

    both = either(usual, student_id)
    yield request("valid_two_ways_to_answer", "valid", both, {"others": [said]})
    four = either(usual, student_id, further(3), further(4))
    others = [{"types": [f"urn:example:{number}"], "claims": []} for number in (3, 4)]
    yield request("valid_four_ways_to_answer", "valid", four, {"others": [said, *others]})
    five = either(usual, student_id, *(further(number) for number in (3, 4, 5)))
    yield request("five_ways_to_answer", BAD, five)
    unsaid = asked(dcql_query={"credentials": [usual, student_id]})
    yield request("two_credentials_without_sets", BAD, unsaid)
    for name, sets in {
        "sets_empty": [],
        "sets_an_object": {"options": [["card"], ["card-2"]]},
        "sets_of_both_at_once": [{"options": [["card", "card-2"]]}],
        "sets_of_one": [{"options": [["card"]]}],
        "sets_in_another_order": [{"options": [["card-2"], ["card"]]}],
        "sets_not_required": [{"options": [["card"], ["card-2"]], "required": False}],
        "sets_twice": [{"options": [["card"], ["card-2"]]}, {"options": [["card"]]}],
    }.items():
        yield request(name, BAD, either(usual, student_id, sets=sets))
    yield request("ids_in_another_order", BAD, either({**student_id, "id": "card-1"}, usual))
    yield request("id_twice", BAD, either(usual, {**student_id, "id": "card"}))
    meta = {"vct_values": ["VerifiableStudentID", world.VCT]}
    yield request("type_of_both", BAD, either(usual, {**student_id, "meta": meta}))
    yield request("second_not_an_object", BAD, asked(dcql_query={"credentials": [usual, 1]}))
    yield request("second_without_types", BAD, either(usual, further(2, meta={"vct_values": []})))
    yield request("second_with_no_claims", BAD, either(usual, further(2, claims=[])))
