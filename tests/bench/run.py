"""`make bench`: every figure of the design against its floor, as a table and a document."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benching.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
