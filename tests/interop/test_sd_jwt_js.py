"""SD-JWT VCs and status lists, ours read by theirs and theirs by ours (JavaScript)."""

import time
from typing import Any

import pytest
from sqlmodel import Session

from issuer.keys import FileSigner
from issuer.lifecycle import suspend_card
from tests.interop.conftest import Node, Published
from tests.wallet_api.conftest import CARD, PIC, STUDENT_ID
from verifier.errors import BadSignature, CardError, Revoked
from verifier.identifiers import parse_esi
from verifier.jws import b64url_encode, parse_jws
from verifier.status import STATUS_LIST_TYP, parse_status_list_token
from verifier.verify_sd_jwt_vc import verify_credential

pytestmark = pytest.mark.interop

ESI = "urn:schac:personalUniqueCode:int:esi:university1.example:7"


def check(node: Node, published: Published, credential: str) -> dict[str, Any]:
    return node(
        "sd_jwt.mjs",
        "verify",
        credential=credential,
        issuer_jwk=published.issuer_jwk,
        status_lists=published.status_lists(),
    )


@pytest.mark.parametrize("name", [CARD, STUDENT_ID])
def test_theirs_accepts_our_credential_with_its_status(
    node: Node, published: Published, name: str
) -> None:
    credential = published.service.take(name).credentials[name]
    published.publish()

    found = check(node, published, credential)

    assert found["valid"], found
    payload = found["payload"]
    assert payload["iss"] == f"https://issuer.example/{PIC}"
    assert (payload.get("name") or payload.get("displayName")) == "Anna Bērziņa"
    assert found["header"]["typ"] == "dc+sd-jwt"


def test_theirs_refuses_our_credential_when_it_is_suspended_or_changed(
    node: Node, published: Published
) -> None:
    credential = published.service.take(CARD).credentials[CARD]
    published.publish()
    head, *rest = credential.split("~")
    body, signature = head.rsplit(".", 1)
    changed = "~".join([f"{body}.{signature[:-8]}AAAAAAAA", *rest])
    assert not check(node, published, changed)["valid"]

    with Session(published.engine) as session, session.begin():
        suspend_card(
            session,
            PIC,
            published.service.escn,
            reason="fees",
            now=published.service.clock(),
            actor="test",
        )
    # Two lists never have the same second: the second of one second would be a second ahead,
    # for which theirs has no tolerance.
    time.sleep(1)
    published.publish()

    assert check(node, published, credential)["reason"] == "Status is not valid"


def private_jwk(signer: FileSigner) -> dict[str, str]:
    """A key as JavaScript takes it; no signer gives it away, the test reaches in."""
    number = signer._private_key.private_numbers().private_value
    return signer.public_jwk | {"d": b64url_encode(number.to_bytes(32))}


def made_by_theirs(node: Node, published: Published, *, index: int, pic: str = PIC) -> str:
    """A credential in the institution's name, signed by its key in JavaScript."""
    wallet = published.service.app.state.wallet
    (uri,) = published.status_lists()
    kid = published.issuer_document()["jwks"]["keys"][0]["kid"]
    made = node(
        "sd_jwt.mjs",
        "issue",
        issuer_jwk=private_jwk(wallet.keys.signer(kid)),
        kid=kid,
        payload={
            "iss": f"https://issuer.example/{PIC}",
            "iat": published.now,
            "nbf": published.now,
            "exp": published.now + 86_400,
            "vct": "VerifiableStudentID",
            "cnf": {"jwk": published.service.key.signer.public_jwk},
            "status": {"status_list": {"idx": index, "uri": uri}},
            "pic": pic,
            "firstName": "Zoë",
            "familyName": "Ōzola",
            "schacPersonalUniqueCode": ESI,
        },
        disclosable=["firstName", "familyName", "schacPersonalUniqueCode"],
    )
    credential: str = made["credential"]
    return credential


def test_ours_accepts_their_credential(node: Node, published: Published) -> None:
    published.service.take(CARD)
    knowledge = published.publish()

    card = verify_credential(
        made_by_theirs(node, published, index=5), knowledge=knowledge, now=published.now
    )

    assert card.name == "Zoë Ōzola"
    assert card.esi == parse_esi(ESI)


def test_ours_refuses_their_credential_for_the_same_reasons_as_ours(
    node: Node, published: Published
) -> None:
    published.service.take(CARD)
    knowledge = published.publish()
    good = made_by_theirs(node, published, index=5)
    head, _, rest = good.partition("~")
    forged = f"{head[:-8]}AAAAAAAA~{rest}"
    with pytest.raises(BadSignature):
        verify_credential(forged, knowledge=knowledge, now=published.now)

    foreign = made_by_theirs(node, published, index=5, pic="999900002")
    with pytest.raises(CardError, match="another institution"):
        verify_credential(foreign, knowledge=knowledge, now=published.now)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_ours_reads_their_status_list(node: Node, published: Published, bits: int) -> None:
    published.service.take(CARD)
    published.publish()
    values = [(n * 7) % (1 << bits) for n in range(64)]
    key = published.service.key.signer

    made = node(
        "status_list.mjs",
        "write",
        values=values,
        bits=bits,
        uri="https://x.example/1",
        issuer_jwk=private_jwk(key),
        kid=key.kid,
    )

    jws = parse_jws(made["token"], expected_typ=STATUS_LIST_TYP, max_chars=100_000)
    assert jws.payload["sub"] == "https://x.example/1"
    token = parse_status_list_token(made["token"])
    assert [token.entries.value_at(n) for n in range(64)] == values


def test_theirs_reads_our_status_list(node: Node, published: Published) -> None:
    service = published.service
    ended = service.take(CARD)
    headers = {"authorization": f"Bearer {ended.device_token}"}
    service.http.delete(f"{service.url}/device", headers=headers)
    kept = service.take(CARD).credentials[CARD]
    knowledge = published.publish()
    (text,) = published.status_lists().values()

    found = node("status_list.mjs", "read", token=text, indices=list(range(131_072)))

    assert found["bits"] == 2
    assert sorted(set(found["values"])) == [0, 1]
    assert found["values"].count(1) == 1
    assert verify_credential(kept, knowledge=knowledge, now=published.now)
    with pytest.raises(Revoked):
        verify_credential(ended.credentials[CARD], knowledge=knowledge, now=published.now)
