"""Minting card numbers: `/cards/generate-escn`, without a key as the document shows it."""

from typing import Annotated

from fastapi import APIRouter, Query

from issuer.esc_router.sandbox.refusals import refuse_field, refuse_number_count
from issuer.esc_router.sandbox.state import SandboxDep
from verifier.errors import MalformedIdentifier
from verifier.identifiers import Escn, parse_pic

MAX_NUMBERS = 100  # measured: for more the router answers 500

router = APIRouter(tags=["V2/card"])


@router.get("/cards/generate-escn")
def generate_escn(
    sandbox: SandboxDep,
    prefix: Annotated[int, Query(ge=0, le=999)],
    pic: str,
    number_of_escn: Annotated[int, Query(alias="numberOfESCN", ge=0, le=2**31 - 1)] = 1,
) -> list[Escn]:
    """Card numbers that were not given before."""
    try:
        institution = parse_pic(pic)
    except MalformedIdentifier as error:
        refuse_field("pic", str(error))
    if number_of_escn > MAX_NUMBERS:
        refuse_number_count()
    return sandbox.mint(f"{prefix:03}", institution, number_of_escn) if number_of_escn else []
