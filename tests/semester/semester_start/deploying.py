"""The services as they run in earnest: processes of the wallet API, a worker, one database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benching.deployment import Deployment, running
from benching.world import PIC
from sqlalchemy import text
from sqlmodel import Session, select

from issuer.staff import Role, create_staff_key
from issuer.tables import Card
from wallet_api.demo.free_ports import free_ports


class Term:
    """A deployment with students who wait for their cards."""

    def __init__(self, folder: Path, database_url: str | None, students: int) -> None:
        self.deployment = Deployment(folder, database_url)
        self.deployment.import_cards(students)
        with Session(self.deployment.engine) as session, session.begin():
            now = self.deployment.now
            _, self.staff_key = create_staff_key(
                session, pic=PIC, role=Role.OFFICER, label="portal", now=now
            )
            self.escns = list(session.exec(select(Card.escn)).all())

    @contextmanager
    def services(self, processes: int, keep_alive: int) -> Iterator[tuple[str, list[int]]]:
        """Run them; gives the public address, and the ports that phones are spread over."""
        ports = free_ports(processes)
        public_url = f"http://127.0.0.1:{ports[0]}"
        settings = self.deployment.wallet_environment(public_url)
        settings |= {"ESC_WALLET_KEEP_ALIVE": f"PT{keep_alive}S"}
        with ExitStack() as stack:
            worker = self.deployment.issuer_environment()
            stack.enter_context(
                running("-m", "issuer", "worker", environment=worker, says_port=False)
            )
            for port in ports:
                environment = settings | {"ESC_WALLET_LISTEN_PORT": str(port)}
                stack.enter_context(running("-m", "wallet_api", "serve", environment=environment))
            yield public_url, ports

    def credentials_besides(self) -> int:
        """Those that a phone has of a kind beyond the first: an answer that came was lost."""
        question = (
            "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM credential "
            "WHERE ended_at IS NULL GROUP BY device_id, configuration, profile) AS held"
        )
        with self.deployment.engine.connect() as connection:
            return int(connection.execute(text(question)).scalar_one())

    def faults(self, taken: int) -> list[str]:
        """What is not as it must be in the database after so many phones took a card."""
        questions = {
            "cards": ("SELECT count(*) FROM card", len(self.escns)),
            "living devices": ("SELECT count(*) FROM device WHERE ended_at IS NULL", taken),
            "cards with two living devices": (
                "SELECT count(*) FROM (SELECT escn FROM device WHERE ended_at IS NULL "
                "GROUP BY escn HAVING count(*) > 1) AS twice",
                0,
            ),
            "status entries without a credential": (
                "SELECT count(*) FROM status_entry LEFT JOIN credential ON "
                "credential.list_id = status_entry.list_id AND credential.idx = status_entry.idx "
                "WHERE credential.id IS NULL",
                0,
            ),
        }
        with self.deployment.engine.connect() as connection:
            found = {
                what: (connection.execute(text(question)).scalar_one(), expected)
                for what, (question, expected) in questions.items()
            }
        return [
            f"{what}: {n}, not {expected}"
            for what, (n, expected) in found.items()
            if n != expected
        ]
