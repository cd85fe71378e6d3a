"""When students come: in waves, as after an e-mail and at the end of a lecture, never evenly."""

import random

WAVES = (0.0, 0.08, 0.35, 0.62, 0.8)  # parts of the time; the first is the e-mail
IN_WAVES = 0.75  # of all; the others come at any moment
LENGTH = 0.04  # parts of the time after which a wave has ebbed to a third


def arrivals(count: int, seconds: float, chance: random.Random) -> list[float]:
    """For each student the second in which they come, in order, all within `seconds`."""
    times = []
    for _ in range(count):
        moment = chance.random()
        if chance.random() < IN_WAVES:
            moment = chance.choice(WAVES) + chance.expovariate(1 / LENGTH)
        times.append(min(moment, 1.0) * seconds)
    return sorted(times)
