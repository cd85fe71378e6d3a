"""What every operation of the sandbox has at hand, and who calls it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from secrets import randbelow
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

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


# Declared so that `/openapi.json` names the document's scheme; a key is read from both headers.
_SCHEME = APIKeyHeader(name="api_key", scheme_name="api_key", auto_error=False)


# Coroutines, though they wait for nothing: FastAPI runs a plain function in a thread.
async def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


SandboxDep = Annotated[Sandbox, Depends(_sandbox)]


async def _caller(
    request: Request, sandbox: SandboxDep, api_key: Annotated[str | None, Security(_SCHEME)]
) -> Organisation:
    return sandbox.organisations.caller(request.headers.get("authorization"), api_key)


Caller = Annotated[Organisation, Depends(_caller)]
