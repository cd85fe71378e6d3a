"""When a worker last ended a round of each job: the only sign of it that other processes see."""

from enum import StrEnum

from sqlmodel import Session

from issuer.store import dialect
from issuer.tables import WorkerRound


class WorkerJob(StrEnum):
    """What has a thread of its own in a worker."""

    DELIVERIES = "deliveries"  # to the ESC-Router
    PUBLISHING = "publishing"  # and cards that begin and end


def note(session: Session, job: WorkerJob, *, now: int) -> None:
    """A round of the job has ended, whosever it was."""
    insert = dialect.insert(session, WorkerRound).values(job=job.value, ended_at=now)
    session.exec(insert.on_conflict_do_update(index_elements=["job"], set_={"ended_at": now}))


def ended_at(session: Session, job: WorkerJob) -> int | None:
    """When a round of the job last ended, None if none ever did."""
    row = session.get(WorkerRound, job.value)
    return None if row is None else row.ended_at
