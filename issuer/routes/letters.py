"""Letters with which students end a lost phone: one, or one for every student."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from pydantic import Field

from issuer.deps import IssuerDep, NowDep, Officer, SessionDep
from issuer.letters import address_of, csv_header, csv_row, make_letter, make_letters
from issuer.routes.answers import Answer, StaffRoute, refusals
from issuer.routes.students import NumberPath

router = APIRouter(prefix="/api/v1", tags=["students"], route_class=StaffRoute)


class LetterAnswer(Answer):
    """What the letter says; the code cannot be had again."""

    address: str = Field(examples=["https://wallet.example/my-card"])
    code: str = Field(examples=["7K3M-9QXA-2C4D-8HJT"])
    expires_on: date = Field(description="The last day on which it opens the page")


@router.post(
    "/students/{number}/letter",
    summary="Make a letter for a student",
    status_code=status.HTTP_201_CREATED,
    responses=refusals(404, 409),
)
def write_letter(
    caller: Officer, session: SessionDep, issuer: IssuerDep, now: NowDep, number: NumberPath
) -> LetterAnswer:
    """An address and a code; the student's earlier letters open nothing any more."""
    letter = make_letter(
        session,
        caller.pic,
        number,
        address=address_of(issuer.settings.wallet_public_url),
        sealer=issuer.sealer,
        now=now,
        actor=caller.actor,
    )
    return LetterAnswer.model_validate(letter)


@router.post(
    "/letters",
    summary="Make letters for all students",
    response_class=Response,
    responses=refusals()
    | {
        200: {
            "description": "For a mail merge: number, full_name, email, address, code, expires_on",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
def write_letters(
    caller: Officer,
    issuer: IssuerDep,
    now: NowDep,
    only_without: Annotated[
        bool, Query(description="Leave out students whose letter still opens the page")
    ] = False,
) -> Response:
    """CSV with a line for each student with a card that lives. Asked again, codes are new."""
    rows = make_letters(
        issuer.engine,
        caller.pic,
        address=address_of(issuer.settings.wallet_public_url),
        sealer=issuer.sealer,
        now=now,
        actor=caller.actor,
        only_without=only_without,
    )
    content = csv_header() + "".join(csv_row(*row) for row in rows)
    headers = {"content-disposition": 'attachment; filename="letters.csv"'}
    return Response(content, headers=headers, media_type="text/csv; charset=utf-8")
