"""The token endpoint: every refusal by its code, attempts counted, a code used once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.wallet_api.conftest import GRANT, OTHER_PIC, PIC, Service, code_of


def wrong(tx_code: str) -> str:
    return f"{(int(tx_code) + 1) % 1_000_000:06}"


TOO_LONG = "invalid_request"


MALFORMED_FORMS = [
    ({}, "invalid_request"),
    ({"grant_type": ""}, "invalid_request"),
    ({"grant_type": "authorization_code", "code": "x"}, "unsupported_grant_type"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": GRANT}, "invalid_request"),
    ({"grant_type": GRANT, "pre-authorized_code": "x"}, "invalid_request"),
    (
        {"grant_type": GRANT, "pre-authorized_code": "x" * 200, "tx_code": "1"},
        "invalid_request",
    ),
    ({"grant_type": GRANT, "pre-authorized_code": "x", "tx_code": ""}, "invalid_request"),
    ({"grant_type": GRANT, "pre-authorized_code": "x", "tx_code": "1"}, "invalid_grant"),
    ({"grant_type": GRANT, "pre-authorized_code": "x\x00é", "tx_code": "ā"}, "invalid_grant"),
]


def test_a_malformed_request_is_refused_by_its_code(
    service: Service, subtests: pytest.Subtests
) -> None:
    for form, error in MALFORMED_FORMS:
        with subtests.test(repr(form)[:80]):
            answer = service.http.post(f"{service.issuer}/token", data=form)

            assert (answer.status_code, answer.json()["error"]) == (400, error)
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["cache-control"] == "no-store"


def test_a_parameter_given_twice_is_refused(service: Service) -> None:
    made = service.offer().json()
    form = {
        "grant_type": GRANT,
        "pre-authorized_code": code_of(made),
        "tx_code": [made["tx_code"], made["tx_code"]],
    }

    answer = service.http.post(f"{service.issuer}/token", data=form)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


NO_FORMS = [
    (b'{"grant_type": "x"}', "application/json"),
    (b"grant_type=x", "text/plain"),
    (b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
    (b"grant_type=%ff", "application/x-www-form-urlencoded"),
    (b"&".join(b"a%d=1" % n for n in range(50)), "application/x-www-form-urlencoded"),
    (b"", ""),
]


def test_a_body_that_is_no_form_is_refused(service: Service, subtests: pytest.Subtests) -> None:
    for content, media_type in NO_FORMS:
        with subtests.test(repr(content)[:80]):
            answer = service.http.post(
                f"{service.issuer}/token", content=content, headers={"content-type": media_type}
            )

            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_form_over_the_cap_is_refused_unread(service: Service) -> None:
    answer = service.http.post(f"{service.issuer}/token", data={"x": "y" * 70_000})

    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


def test_wrong_codes_are_counted_although_each_answer_is_a_refusal(service: Service) -> None:
    made = service.offer().json()
    code, tx_code = code_of(made), made["tx_code"]

    left = []
    for _ in range(5):
        answer = service.token(code, wrong(tx_code))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        left.append(answer.json().get("tries_left"))

    assert left == [4, 3, 2, 1, None]
    assert service.token(code, tx_code).json()["error"] == "invalid_grant"


def test_a_thousand_guesses_at_once_still_get_five(service: Service) -> None:
    made = service.offer().json()
    code, tx_code = code_of(made), made["tx_code"]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: service.token(code, wrong(tx_code)), range(32)))

    assert all(answer.status_code == 400 for answer in answers)
    assert sum("tries_left" in answer.json() for answer in answers) == 4
    assert service.token(code, tx_code).json()["error"] == "invalid_grant"


def test_a_missing_transaction_code_costs_no_attempt(service: Service) -> None:
    made = service.offer().json()
    for _ in range(6):
        assert service.token(code_of(made), None).json()["error"] == "invalid_request"

    assert service.token(code_of(made), made["tx_code"]).status_code == 200


def test_a_code_is_used_once(service: Service) -> None:
    made = service.offer().json()
    assert service.token(code_of(made), made["tx_code"]).status_code == 200

    again = service.token(code_of(made), made["tx_code"])

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_of_many_uses_at_once_exactly_one_wins(service: Service) -> None:
    made = service.offer().json()

    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: service.token(code_of(made), made["tx_code"]), range(24))
        )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {
        "invalid_grant"
    }


def test_an_expired_code_is_refused(service: Service) -> None:
    made = service.offer().json()
    service.clock.advance(timedelta(minutes=15))

    assert service.token(code_of(made), made["tx_code"]).json()["error"] == "invalid_grant"


def test_a_code_is_dead_at_another_institution_and_lives_on_at_its_own(service: Service) -> None:
    made = service.offer().json()
    form = {
        "grant_type": GRANT,
        "pre-authorized_code": code_of(made),
        "tx_code": made["tx_code"],
    }

    elsewhere = service.http.post(f"{service.url}/{OTHER_PIC}/token", data=form)
    nowhere = service.http.post(f"{service.url}/123456789/token", data=form)

    assert elsewhere.json()["error"] == "invalid_grant"
    assert nowhere.status_code == 404
    assert service.http.post(f"{service.url}/{PIC}/token", data=form).status_code == 200


def test_a_token_lives_five_minutes_and_unknown_parameters_are_ignored(service: Service) -> None:
    made = service.offer().json()

    answer = service.token(code_of(made), made["tx_code"], client_id="a wallet", extra="1")

    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert "c_nonce" not in body  # it was in drafts
    service.clock.advance(timedelta(minutes=5))
    late = service.credential(body["access_token"])
    assert late.status_code == 401


REQUEST_NAME = "5f3a1f0e-7d3c-4e7a-9a53-3a0b7a1d2c44"


def named(
    service: Service, made: dict[str, str], name: str, tx_code: str | None = None
) -> tuple[int, str]:
    form = {
        "grant_type": GRANT,
        "pre-authorized_code": code_of(made),
        "tx_code": tx_code or made["tx_code"],
    }
    headers = {"Idempotency-Key": name}
    answer = service.http.post(f"{service.issuer}/token", data=form, headers=headers)
    return answer.status_code, answer.json().get("access_token", answer.json().get("error"))


@pytest.mark.parametrize("name", ["", "too short", "x" * 129, "with a space, but long enough"])
def test_a_name_of_a_request_that_is_easy_to_guess_or_malformed_is_refused(
    service: Service, name: str
) -> None:
    assert named(service, service.offer().json(), name) == (400, "invalid_request")


def test_a_named_request_whose_answer_was_lost_gets_the_same_token_again(service: Service) -> None:
    made = service.offer().json()

    first, again = (named(service, made, REQUEST_NAME) for _ in range(2))

    assert first == again
    assert first[0] == 200


def test_a_used_code_is_dead_for_whoever_does_not_know_the_requests_name(service: Service) -> None:
    made = service.offer().json()
    named(service, made, REQUEST_NAME)

    assert named(service, made, REQUEST_NAME[::-1]) == (400, "invalid_grant")
    assert named(service, made, REQUEST_NAME, wrong(made["tx_code"])) == (400, "invalid_grant")
    assert service.token(code_of(made), made["tx_code"]).status_code == 400


def test_the_same_request_is_not_answered_again_after_a_credential_was_fetched(
    service: Service,
) -> None:
    made = service.offer().json()
    _, token = named(service, made, REQUEST_NAME)
    service.credential(token)

    assert named(service, made, REQUEST_NAME) == (400, "invalid_grant")


def test_the_same_request_is_not_answered_again_after_its_token_ended(service: Service) -> None:
    made = service.offer().json()
    named(service, made, REQUEST_NAME)
    service.clock.advance(timedelta(minutes=5))

    assert named(service, made, REQUEST_NAME) == (400, "invalid_grant")
