"""All phones of a run in one event loop, each beginning when its student comes."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from semester_start.arrivals import arrivals
from semester_start.connection import Book, Connection
from semester_start.phone import Habit, Phone, habits

PORTAL_CONNECTIONS = 8
LONGEST_THINKING = 0.03  # parts of the whole time, at least a second where that is long enough
GIVE_UP_AFTER = 600.0  # seconds after the last arrival


@dataclass
class Outcome:
    """A run."""

    book: Book = field(default_factory=Book)
    seconds: float = 0.0
    busy: float = 0.0  # of a core, the load generator itself
    habits: Counter[Habit] = field(default_factory=Counter)


async def _run(
    escns: Sequence[str], seconds: float, *, ports: Sequence[int], public_url: str, staff_key: str
) -> Outcome:
    chance, outcome = random.Random(20260901), Outcome()
    book, portal = outcome.book, asyncio.Queue[Connection]()
    for number in range(PORTAL_CONNECTIONS):
        portal.put_nowait(Connection(ports[number % len(ports)], book))
    began, used = time.perf_counter(), time.process_time()
    waiting = set()
    moments, drawn = arrivals(len(escns), seconds, chance), habits(len(escns), chance)
    outcome.habits = Counter(drawn)
    for number, (escn, moment, habit) in enumerate(zip(escns, moments, drawn, strict=True)):
        await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
        phone = Phone(
            escn=escn,
            habit=habit,
            portal=portal,
            staff_key=staff_key,
            public_url=public_url,
            connection=Connection(ports[number % len(ports)], book),
            book=book,
            thinks=chance.random() * LONGEST_THINKING * seconds,
        )
        task = asyncio.create_task(phone.take_card())
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    async with asyncio.timeout(GIVE_UP_AFTER):
        while waiting:
            await asyncio.wait(waiting)
    outcome.seconds = time.perf_counter() - began
    outcome.busy = (time.process_time() - used) / outcome.seconds
    while not portal.empty():
        portal.get_nowait().close()
    return outcome


def run_crowd(
    escns: Sequence[str], seconds: float, *, ports: Sequence[int], public_url: str, staff_key: str
) -> Outcome:
    """Have each card taken by a phone; all students come within `seconds`."""
    return asyncio.run(
        _run(escns, seconds, ports=ports, public_url=public_url, staff_key=staff_key)
    )
