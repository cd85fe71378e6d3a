"""`make semester`: thousands of students take their card on their phones in the same minutes."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The deployment is the benches'.
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench")]

from semester_start.program import main  # noqa: E402 found only now

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
