"""Nearly every refresh: nothing changed, told ahead of all routing."""

import httpx
import pytest
from sqlmodel import Session, col, update

from issuer.tables import Card, Device, Institution, Student
from tests.wallet_api.conftest import CARD, Service


def ask(service: Service, token: str, etag: str, *, query: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {token}", "if-none-match": etag}
    return service.http.get(f"{service.url}/device/card{query}", headers=headers)


def known(service: Service) -> tuple[str, str]:
    """A device's token, and the ETag of its card."""
    token = service.take(CARD).device_token
    return token, service.card(token).headers["etag"]


def test_an_etag_gives_nothing_away_to_who_has_no_device(service: Service) -> None:
    token, etag = known(service)

    assert ask(service, "A" * 43, etag).status_code == 401
    assert service.http.get(f"{service.url}/device/card", headers={"if-none-match": etag}).headers[
        "www-authenticate"
    ] == ("Bearer")
    headers = {"authorization": f"Bearer {token}"}
    assert service.http.delete(f"{service.url}/device", headers=headers).is_success
    assert ask(service, token, etag).status_code >= 400


def test_a_query_is_never_answered_without_being_looked_at(service: Service) -> None:
    token, etag = known(service)

    assert ask(service, token, etag, query=f"?access_token={token}").status_code == 400


def test_any_fact_that_is_read_makes_another_etag(
    service: Service, subtests: pytest.Subtests
) -> None:
    token, etag = known(service)

    for table, fact in (
        (Institution, {"name": "Another University"}),
        (Institution, {"country": "EE"}),
        (Student, {"full_name": "Anna Ozola"}),
        (Student, {"academic_level": "MASTER"}),
        (Card, {"expires_on": service.clock().date()}),
        (Card, {"updated_at": service.now + 1}),
        (Device, {"renew_at": service.now + 1}),
    ):
        with subtests.test(str(fact)):
            with Session(service.engine) as session, session.begin():
                session.execute(update(table).values(fact).where(_of(service, table)))

            answer = ask(service, token, etag)

            assert answer.status_code == 200
            assert ask(service, token, answer.headers["etag"]).status_code == 304
            etag = answer.headers["etag"]


def _of(service: Service, table: type) -> object:
    """The rows that the card of this service consists of."""
    if table in (Card, Device):
        return col(table.escn) == service.escn
    return col(table.pic) == service.escn[-9:]


def test_what_did_not_change_costs_one_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, etag = known(service)
    rows, reads = service.app.state.wallet.reader._rows, []
    read = rows.one
    monkeypatch.setattr(rows, "one", lambda *what: reads.append(what) or read(*what))

    assert ask(service, token, f'"x", {etag}').status_code == 304

    assert len(reads) == 1


def test_a_page_of_any_origin_may_read_it(service: Service) -> None:
    token, etag = known(service)

    answer = ask(service, token, etag)

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"]
    assert answer.headers["cache-control"] == "private, no-cache"
