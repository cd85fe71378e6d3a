"""`make fuzz`: every target for its share of the time, and what is worth keeping of it.

Atheris (libFuzzer) mutates inputs towards code that none has reached. Each target runs in a
process of its own, as libFuzzer ends its process. New inputs are kept under corpus/ only where
they reach lines that no seed and no kept input reaches.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.scratch import scratch

ROOT = Path(__file__).parents[2]
MOST_BYTES = 16_384  # of one input


def main(words: list[str]) -> int:
    """Exit code 1 if any target found something."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together")
    parser.add_argument("--only", action="append", metavar="TARGET", help="some of them")
    parser.add_argument("--target", help=argparse.SUPPRESS)  # one, in this very process
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.target:
        _fuzz_here(arguments.target, arguments.corpus, arguments.seconds)
    return _fuzz_all(arguments.only or _names(), arguments.minutes)


def _names() -> list[str]:
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415  not before they are instrumented

    return list(TARGETS)


def _fuzz_all(names: list[str], minutes: float) -> int:
    failed = 0
    for name in names:
        with scratch("fuzz") as folder:
            seconds = max(int(minutes * 60 / len(names)), 1)
            failed += _fuzz(name, folder, seconds)
    return 1 if failed else 0


def _fuzz(name: str, folder: Path, seconds: int) -> bool:
    from tests.fuzz.keeping import keep, write_seeds  # noqa: PLC0415  as above

    write_seeds(name, folder)
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz.run", "--target", name, "--corpus", folder]
    ran = subprocess.run(
        [*map(str, command), "--seconds", str(seconds)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    output = ran.stdout.decode("utf-8", "replace")
    done = re.findall(r"stat::number_of_executed_units:\s*(\d+)|^#(\d+)", output, re.MULTILINE)
    count = max((int(a or b) for a, b in done), default=0)
    took, kept = time.monotonic() - began, keep(name, folder)
    what = "FOUND SOMETHING" if ran.returncode else "nothing found"
    print(f"{name:<15} {count:>10,} runs in {took:>4.0f} s, {kept} new kept: {what}", flush=True)
    if ran.returncode:
        print(output[-6_000:], flush=True)
    return ran.returncode != 0


def _fuzz_here(name: str, corpus: Path, seconds: int) -> None:
    import atheris  # noqa: PLC0415  only `make fuzz` needs it

    with atheris.instrument_imports(include=["verifier"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    from tests.fuzz.watching import run_watched  # noqa: PLC0415

    target = TARGETS[name]
    # Our watching says what is too slow or too much; libFuzzer's own only stops what never ends.
    options = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", "-timeout=60"]
    options += ["-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={corpus}/"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: run_watched(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
