"""What every operation of the sandbox has at hand, and who calls it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from secrets import randbelow
from threading import Lock
from typing import Annotated

from fastapi import Depends, Header, Request

from issuer.esc_router.sandbox.organisations import Organisation, Organisations
from issuer.esc_router.sandbox.store import Store
from verifier.escn import CLOCK_SEQUENCES, EscnGenerator
from verifier.identifiers import Escn, Pic


@dataclass(slots=True)
class Sandbox:
    """One sandbox."""

    store: Store
    organisations: Organisations
    clock: Callable[[], datetime]
    _generators: dict[tuple[str, str], EscnGenerator] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def today(self) -> date:
        """The day by which cards expire."""
        return self.clock().date()

    def mint(self, prefix: str, pic: Pic, count: int = 1) -> list[Escn]:
        """Card numbers that this sandbox has not given before."""
        with self._lock:
            generator = self._generators.get((prefix, pic))
            if generator is None:
                # A random clock sequence keeps a restarted sandbox apart from its past.
                generator = EscnGenerator(
                    prefix=prefix,
                    pic=pic,
                    clock_sequence=randbelow(CLOCK_SEQUENCES),
                    now=self.clock,
                )
                self._generators[prefix, pic] = generator
        return generator.mint(count)


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


SandboxDep = Annotated[Sandbox, Depends(_sandbox)]


def _caller(
    sandbox: SandboxDep,
    authorization: Annotated[str | None, Header()] = None,
    api_key: Annotated[str | None, Header(convert_underscores=False)] = None,
) -> Organisation:
    return sandbox.organisations.caller(authorization, api_key)


Caller = Annotated[Organisation, Depends(_caller)]
