"""Starting the services as processes of their own, and stopping only those."""

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

START_WITHIN = 90.0  # seconds, on a busy machine
STOP_WITHIN = 20.0


class ServiceFailed(Exception):
    """A service did not start; the message holds the end of its log."""


class Services:
    """The running services; leaving the context stops them."""

    def __init__(self, environment: dict[str, str], logs: Path) -> None:
        self._environment, self._logs = environment, logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, words: list[str]) -> None:
        """Start `python -m ...`, its output in a log.

        Args:
            name: For its log.
            words: After `python -m`.
        """
        with (self._logs / f"{name}.log").open("wb") as file:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *words],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def await_answer(self, name: str, url: str) -> None:
        """Wait until a service that was started answers.

        Args:
            name: As started.
            url: An address that answers below 500 once it serves.

        Raises:
            ServiceFailed: It ended, or did not answer in time.
        """
        deadline = time.monotonic() + START_WITHIN
        while not self._answers(url):
            if self._running[name].poll() is not None or time.monotonic() > deadline:
                log = self._logs / f"{name}.log"
                tail = log.read_text("utf-8", errors="replace")[-2000:]
                raise ServiceFailed(f"{name} did not start; the end of {log}:\n{tail}")
            time.sleep(0.1)

    def wait(self) -> None:
        """Stay until interrupted, or until a service ends."""
        while all(process.poll() is None for process in self._running.values()):
            time.sleep(0.5)

    def __enter__(self) -> "Services":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @staticmethod
    def _answers(url: str) -> bool:
        try:
            return httpx.get(url, timeout=2.0, trust_env=False).status_code < 500
        except httpx.HTTPError:
            return False
