"""The credential endpoint: what is refused by which code, and what is given out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select, update

from issuer.lifecycle import revoke_card, suspend_card
from issuer.tables import AccessToken, Credential, Device, Institution, StatusEntry, Student
from tests.wallet_api.conftest import CARD, OTHER_PIC, PIC, QR, STUDENT_ID, PhoneKey, Service
from verifier.jws import b64url_encode, thumbprint_of
from wallet_api.batches import Batches
from wallet_api.issuance import issue_for_tokens


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


# The bearer token (RFC 6750)


def test_without_a_token_there_is_a_bare_challenge(service: Service) -> None:
    answer = service.http.post(f"{service.issuer}/credential", json={})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


UNKNOWN_TOKENS = ["x", "A" * 43, "A" * 512]


def test_an_unknown_token_is_invalid(service: Service, subtests: pytest.Subtests) -> None:
    for token in UNKNOWN_TOKENS:
        with subtests.test(repr(token)[:80]):
            answer = service.credential(token)

            assert refusal(answer) == (401, "invalid_token")
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


OTHER_SCHEMES = ["Basic eA==", "Bearer", "Bearer a b", 'Bearer "x"', "x"]


def test_another_scheme_is_no_token(service: Service, subtests: pytest.Subtests) -> None:
    for header in OTHER_SCHEMES:
        with subtests.test(repr(header)[:80]):
            answer = service.http.post(
                f"{service.issuer}/credential", json={}, headers={"authorization": header}
            )

            assert answer.status_code == 401


def test_a_token_in_the_query_is_refused_also_beside_a_good_one(service: Service) -> None:
    access = service.access()
    url = f"{service.issuer}/credential?access_token={access}"
    body = {"credential_configuration_id": CARD, "proofs": {"jwt": [service.proof()]}}

    alone = service.http.post(url, json=body)
    beside = service.http.post(url, json=body, headers={"authorization": f"Bearer {access}"})

    assert refusal(alone) == refusal(beside) == (400, "invalid_request")


def test_a_token_is_nothing_at_another_institution(service: Service) -> None:
    headers = {"authorization": f"Bearer {service.access()}"}

    elsewhere = service.http.post(
        f"{service.url}/{OTHER_PIC}/credential", headers=headers, json={}
    )
    nowhere = service.http.post(f"{service.url}/123456789/credential", headers=headers, json={})

    assert refusal(elsewhere) == (401, "invalid_token")
    assert refusal(nowhere) == (404, "invalid_request")


def test_a_token_is_good_for_eight_credentials(service: Service) -> None:
    access = service.access()

    statuses = [service.credential(access).status_code for _ in range(9)]

    assert statuses == [200] * 8 + [401]


# The request


MALFORMED = "invalid_credential_request"


FAULTS = [
    ({}, MALFORMED),
    ({"proofs": {"jwt": ["x"]}}, MALFORMED),
    ({"credential_configuration_id": 5}, MALFORMED),
    ({"credential_configuration_id": None}, MALFORMED),
    ({"credential_configuration_id": [CARD]}, MALFORMED),
    (
        {"credential_configuration_id": CARD, "credential_identifier": "x"},
        MALFORMED,
    ),
    ({"format": "dc+sd-jwt", "vct": "x"}, MALFORMED),
    ({"credential_configuration_id": "Diploma"}, "unknown_credential_configuration"),
    ({"credential_configuration_id": ""}, "unknown_credential_configuration"),
    ({"credential_identifier": "x"}, "unknown_credential_identifier"),
    ({"credential_configuration_id": CARD}, "invalid_proof"),
    ({"credential_configuration_id": CARD, "proof": {"jwt": "x"}}, "invalid_proof"),
    ({"credential_configuration_id": CARD, "proofs": {"attestation": ["x"]}}, "invalid_proof"),
    ({"credential_configuration_id": CARD, "proofs": {"jwt": ["x"]}}, "invalid_proof"),
    ({"credential_configuration_id": CARD, "proofs": {}}, MALFORMED),
    ({"credential_configuration_id": CARD, "proofs": []}, MALFORMED),
    ({"credential_configuration_id": CARD, "proofs": "x"}, MALFORMED),
    (
        {"credential_configuration_id": CARD, "proofs": {"jwt": []}},
        MALFORMED,
    ),
    (
        {"credential_configuration_id": CARD, "proofs": {"jwt": "x"}},
        MALFORMED,
    ),
    (
        {"credential_configuration_id": CARD, "proofs": {"jwt": [5]}},
        MALFORMED,
    ),
    (
        {"credential_configuration_id": CARD, "proofs": {"jwt": ["x", "y"]}},
        MALFORMED,
    ),
    (
        {"credential_configuration_id": CARD, "proofs": {"jwt": ["x"], "di_vp": ["x"]}},
        MALFORMED,
    ),
    (
        {"credential_configuration_id": CARD, "credential_response_encryption": {}},
        "invalid_encryption_parameters",
    ),
    (
        {"credential_configuration_id": CARD, "credential_response_encryption": "x"},
        "invalid_encryption_parameters",
    ),
]


def test_each_fault_of_a_request_has_its_code(service: Service, subtests: pytest.Subtests) -> None:
    for body, code in FAULTS:
        with subtests.test(repr(body)[:80]):
            assert refusal(service.credential(service.access(), body)) == (400, code)


NOT_STRICT_JSON = [
    b"",
    b"{",
    b"[]",
    b'"x"',
    b"\xff",
    b'{"credential_configuration_id": "a", "credential_configuration_id": "b"}',
    b'{"a": NaN}',
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
]


def test_a_body_that_is_no_strict_json_object_is_refused(
    service: Service, subtests: pytest.Subtests
) -> None:
    for content in NOT_STRICT_JSON:
        with subtests.test(repr(content)[:80]):
            headers = {
                "authorization": f"Bearer {service.access()}",
                "content-type": "application/json",
            }
            answer = service.http.post(
                f"{service.issuer}/credential", content=content, headers=headers
            )

            assert refusal(answer) == (400, "invalid_credential_request")


def test_another_media_type_is_refused(service: Service) -> None:
    headers = {"authorization": f"Bearer {service.access()}", "content-type": "text/plain"}
    answer = service.http.post(f"{service.issuer}/credential", content=b"{}", headers=headers)

    assert refusal(answer) == (400, "invalid_credential_request")


def test_a_body_over_its_cap_is_refused(service: Service) -> None:
    body = {"credential_configuration_id": CARD, "x": "y" * 66_000}

    assert refusal(service.credential(service.access(), body)) == (413, "invalid_request")


def test_a_body_without_end_is_refused_when_the_cap_is_reached(service: Service) -> None:
    sent = []

    def chunks() -> Any:
        for _ in range(10_000):
            sent.append(1)
            yield b" " * 16_384

    headers = {
        "authorization": f"Bearer {service.access()}",
        "content-type": "application/json",
    }
    try:
        answer = service.http.post(
            f"{service.issuer}/credential", content=chunks(), headers=headers
        )
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        pass
    else:
        assert answer.status_code == 413
    assert len(sent) < 2_000


# The proof


WRONG_PROOFS = [
    ({"nonce": "unknown"}, "invalid_nonce"),
    ({"nonce": "x" * 5000}, "invalid_nonce"),
    ({"nonce": None}, "invalid_proof"),
    ({"aud": "https://another.example"}, "invalid_proof"),
    ({"header": {"typ": "JWT"}}, "invalid_proof"),
    ({"header": {"jwk": PhoneKey().signer.public_jwk}}, "invalid_proof"),
    ({"header": {"alg": "none"}}, "invalid_proof"),
    ({"claims": {"iat": 1_000}}, "invalid_proof"),
]


def test_a_wrong_nonce_and_a_wrong_proof_are_told_apart(
    service: Service, subtests: pytest.Subtests
) -> None:
    for changes, code in WRONG_PROOFS:
        with subtests.test(repr(changes)[:80]):
            body = {
                "credential_configuration_id": CARD,
                "proofs": {"jwt": [service.proof(**changes)]},
            }

            assert refusal(service.credential(service.access(), body)) == (400, code)


def test_the_audience_must_be_the_very_text_of_the_identifier(service: Service) -> None:
    for audience in (service.issuer + "/", [service.issuer], service.url):
        proof = service.proof(aud=audience)
        body = {"credential_configuration_id": CARD, "proofs": {"jwt": [proof]}}
        assert refusal(service.credential(service.access(), body)) == (400, "invalid_proof")


def test_an_old_nonce_is_invalid(service: Service) -> None:
    nonce = service.nonce()
    service.clock.advance(timedelta(minutes=5))
    proof = service.proof(nonce=nonce)
    body = {"credential_configuration_id": CARD, "proofs": {"jwt": [proof]}}

    assert refusal(service.credential(service.access(), body)) == (400, "invalid_nonce")


def test_another_institutions_nonce_is_invalid(service: Service) -> None:
    nonce = service.http.post(f"{service.url}/{OTHER_PIC}/nonce").json()["c_nonce"]
    body = {
        "credential_configuration_id": CARD,
        "proofs": {"jwt": [service.proof(nonce=nonce)]},
    }

    assert refusal(service.credential(service.access(), body)) == (400, "invalid_nonce")


def test_a_nonce_is_burnt_by_a_refused_proof_too(service: Service) -> None:
    access, nonce = service.access(), service.nonce()
    bad = service.proof(nonce=nonce, aud="https://another.example")
    good = service.proof(nonce=nonce)

    first = service.credential(
        access, {"credential_configuration_id": CARD, "proofs": {"jwt": [bad]}}
    )
    second = service.credential(
        access, {"credential_configuration_id": CARD, "proofs": {"jwt": [good]}}
    )

    assert (refusal(first)[1], refusal(second)[1]) == ("invalid_proof", "invalid_nonce")


def test_a_proof_is_good_once(service: Service) -> None:
    access = service.access()
    body = {"credential_configuration_id": CARD, "proofs": {"jwt": [service.proof()]}}

    assert service.credential(access, body).status_code == 200
    assert refusal(service.credential(access, body)) == (400, "invalid_nonce")


def test_of_many_uses_of_a_nonce_at_once_exactly_one_wins(service: Service) -> None:
    access, other = service.access(), service.access()
    body = {"credential_configuration_id": CARD, "proofs": {"jwt": [service.proof()]}}

    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda n: service.credential(access if n % 2 else other, body), range(24))
        )

    assert [answer.status_code for answer in answers].count(200) == 1
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {refusal(answer) for answer in refused} == {(400, "invalid_nonce")}
    with Session(service.engine) as session:
        assert len(session.exec(select(Credential)).all()) == 1
        assert len(session.exec(select(StatusEntry)).all()) == 1


def test_of_many_requests_at_once_no_more_succeed_than_the_token_allows(
    service: Service,
) -> None:
    access = service.access()
    proofs = [service.proof() for _ in range(12)]

    def ask(proof: str) -> int:
        body = {"credential_configuration_id": CARD, "proofs": {"jwt": [proof]}}
        return service.credential(access, body).status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(ask, proofs))

    assert sorted(statuses) == [200] * 8 + [401] * 4
    with Session(service.engine) as session:
        assert len(session.exec(select(Device)).all()) == 1
        assert len(session.exec(select(Credential)).all()) == 8


# The card


def test_a_card_suspended_since_the_offer_is_denied_and_nothing_is_recorded(
    service: Service,
) -> None:
    access = service.access()
    with Session(service.engine) as session, session.begin():
        suspend_card(session, PIC, service.escn, reason="fees", now=service.clock(), actor="test")

    assert refusal(service.credential(access)) == (400, "credential_request_denied")
    with Session(service.engine) as session:
        assert session.exec(select(Device)).all() == []
        assert session.exec(select(Credential)).all() == []
        (token,) = session.exec(select(AccessToken))
        assert token.credentials_left == 8


def test_a_revoked_card_is_denied(service: Service) -> None:
    access = service.access()
    with Session(service.engine) as session, session.begin():
        revoke_card(session, PIC, service.escn, reason="left", now=service.clock(), actor="test")

    assert refusal(service.credential(access)) == (400, "credential_request_denied")


def test_a_kind_for_which_too_little_is_known_is_denied(service: Service) -> None:
    access = service.access()
    with Session(service.engine) as session, session.begin():
        student = session.exec(select(Student).where(Student.pic == PIC)).one()
        student.given_name = None
        session.add(student)

    body = {"credential_configuration_id": STUDENT_ID, "proofs": {"jwt": [service.proof()]}}

    assert refusal(service.credential(access, body)) == (400, "credential_request_denied")


def test_a_key_that_cannot_be_used_gives_a_500_that_says_nothing(service: Service) -> None:
    for file in service.keys_dir.iterdir():
        file.unlink()
    service.app.state.wallet.keys._signers.clear()

    answer = service.credential(service.access())

    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert set(answer.json()) == {"error", "error_description", "instance"}
    with Session(service.engine) as session:
        assert session.exec(select(Credential)).all() == []


# What is given out


def test_a_phone_takes_all_three_kinds_on_one_access_token(service: Service) -> None:
    taken = service.take(CARD, STUDENT_ID, QR)

    assert taken.credentials[CARD].count("~") > 5
    assert taken.credentials[STUDENT_ID].endswith("~")
    assert set(taken.credentials[QR]) == {"status", "identity"}
    with Session(service.engine) as session:
        rows = session.exec(select(Credential)).all()
        (device,) = session.exec(select(Device))
    assert {row.device_id for row in rows} == {device.id}
    assert {row.holder_thumbprint for row in rows} == {
        thumbprint_of(service.key.signer.public_jwk)
    }
    assert len({(row.list_id, row.index) for row in rows}) == len(rows) == 4


def test_unknown_members_are_ignored(service: Service) -> None:
    answer = service.credential(service.access(), a=1, format="x", proof={"jwt": "x"})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_every_answer_on_an_access_token_tells_the_same_device(service: Service) -> None:
    access = service.access()
    tokens = {service.credential(access).json()["esc_device"]["device_token"] for _ in range(3)}
    other = service.credential(service.access()).json()["esc_device"]["device_token"]

    assert len(tokens) == 1
    assert other not in tokens


def test_no_secret_is_kept_in_the_clear(service: Service) -> None:
    access = service.access()
    answer = service.credential(access).json()

    with Session(service.engine) as session:
        (token,) = session.exec(select(AccessToken))
        (device,) = session.exec(select(Device))
    stored = token.token_sha256 + device.token_sha256
    for secret in (access, answer["esc_device"]["device_token"]):
        assert secret.encode() not in stored
        assert b64url_encode(stored) not in secret


def test_where_too_many_wait_a_phone_is_told_so_and_loses_neither_nonce_nor_token(
    service: Service,
) -> None:
    access, proof = service.access(), service.proof()
    body = {"credential_configuration_id": CARD, "proofs": {"jwt": [proof]}}
    issuing, work = service.app.state.issuing, partial(issue_for_tokens, service.app.state.wallet)
    service.app.state.issuing = Batches(work, threads=1, at_once=1, most_waiting=0)
    answer = service.credential(access, body)

    assert refusal(answer) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    with Session(service.engine) as session:
        assert session.exec(select(AccessToken.credentials_left)).all() == [8]

    service.app.state.issuing.close()
    service.app.state.issuing = issuing
    assert service.credential(access, body).status_code == 200


def test_a_hundred_phones_at_once_are_all_answered(service: Service) -> None:
    with Session(service.engine) as session, session.begin():
        session.exec(update(Institution).values(devices_at_once=13))
    tokens = [service.access() for _ in range(13)]
    orders = [(token, service.proof()) for token in tokens for _ in range(8)]

    def ask(order: tuple[str, str]) -> int:
        body = {"credential_configuration_id": CARD, "proofs": {"jwt": [order[1]]}}
        return service.credential(order[0], body).status_code

    with ThreadPoolExecutor(len(orders)) as pool:
        statuses = list(pool.map(ask, orders))

    assert statuses == [200] * len(orders)
