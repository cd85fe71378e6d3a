"""Files of cards: `/cards/csv-config`, and `/cards/validate-csv`, which writes nothing.

What is wrong with a request is answered as the document has it, with a list of faults; a wrong
key with the usual message, for which the document shows the shapes of the successes by mistake.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteHTTPException

from issuer.esc_router.sandbox.csv_files import COLUMNS, UnreadableFile, faults_in
from issuer.esc_router.sandbox.documented import Responses, refusals
from issuer.esc_router.sandbox.refusals import FieldRefusal, as_refusal, refuse_field
from issuer.esc_router.sandbox.state import Caller, SandboxDep
from issuer.esc_router.sandbox.views import CsvOperation, CsvValidationError

_WITH_LIST: Responses = {400: {"description": "Bad request", "model": list[CsvValidationError]}}


class CsvRoute(APIRoute):
    """Refuses a malformed request with a list of faults."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook around one operation."""
        serve = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await serve(request)
            except (FieldRefusal, RequestValidationError, StarletteHTTPException) as error:
                return _fault_of_the_file(error)

        return handle


router = APIRouter(tags=["V2/card"], route_class=CsvRoute)


@router.get("/cards/csv-config", responses=refusals(401))
async def read_csv_config(_caller: Caller) -> dict[str, int]:
    """The name of each column and its position."""
    return {name: position for position, name in enumerate(COLUMNS)}


# A plain function, which has a thread of its own: a long file takes a second.
@router.post("/cards/validate-csv", responses=_WITH_LIST | refusals(401, 500))
def validate_csv(
    sandbox: SandboxDep,
    caller: Caller,
    operation: Annotated[CsvOperation, Query()],
    file: Annotated[UploadFile, File()],
) -> list[CsvValidationError]:
    """What would be wrong if the file were imported."""
    try:
        return faults_in(file.file.read(), operation, sandbox, caller)
    except UnreadableFile as error:
        refuse_field("file", str(error))


def _fault_of_the_file(error: Exception) -> JSONResponse:
    refusal = as_refusal(error)
    field, why = "file", refusal.message
    if isinstance(refusal, FieldRefusal):
        field, why = refusal.field, refusal.why
    fault = CsvValidationError(row_number=0, field_name=field, error_message=why, params={})
    return JSONResponse([fault.model_dump()], status_code=refusal.status)
