"""What tests of a card's phones ask the service and its database."""

from typing import Any

import httpx
from sqlmodel import Session, col, select

from issuer.tables import Credential, Device, StatusEntry
from tests.wallet_api.conftest import Service


def ask(service: Service, method: str, path: str, token: str, json: Any = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return service.http.request(method, f"{service.url}{path}", headers=headers, json=json)


def listed(service: Service, token: str) -> list[dict[str, Any]]:
    answer = ask(service, "GET", "/device/devices", token)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["devices"]
    return found


def ended(service: Service) -> dict[int, str | None]:
    with Session(service.engine) as session:
        rows = session.exec(select(Device).where(col(Device.ended_at).is_not(None)))
        return {row.id or 0: row.end_reason for row in rows}


def statuses(service: Service) -> list[tuple[bool, int]]:
    """Of each credential, the oldest first: whether it has ended, and what its entry says."""
    with Session(service.engine) as session:
        return [
            (
                row.ended_at is not None,
                session.get_one(StatusEntry, (row.list_id, row.index)).value,
            )
            for row in session.exec(select(Credential).order_by(col(Credential.id)))
        ]
