"""Ports for programs that have to be told theirs before they listen.

A port that a system gives out (by port 0) and that is closed again may be given to somebody else
before the program has started. These are of a range that systems do not give out by themselves,
and are held for this process, as long as it lives, by a UDP socket that nobody speaks to.
"""

import socket
from random import SystemRandom

_CANDIDATES = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """So many ports of the loopback address; no other process that asks here gets them.

    Args:
        count: How many.

    Raises:
        OSError: There are not so many.
    """
    found: list[int] = []
    for port in SystemRandom().sample(_CANDIDATES, len(_CANDIDATES)):
        if len(found) == count:
            return found
        if _hold(port):
            found.append(port)
    raise OSError(f"no {count} ports are free between {_CANDIDATES[0]} and {_CANDIDATES[-1]}")


def _hold(port: int) -> bool:
    """Whether nobody listens there, and nobody else holds it."""
    with socket.socket(type=socket.SOCK_DGRAM) as held, socket.socket() as probe:
        try:
            for one in (held, probe):
                one.bind(("127.0.0.1", port))
        except OSError:
            return False
        held.detach()  # it stays open
        return True
