"""Files of cards for the router's bulk import: which columns, and what is wrong with a file."""

from typing import Final

from issuer.esc_router.exchange import exchange
from issuer.esc_router.line import Line, viewed
from issuer.esc_router.views import CsvOperation, CsvValidationError

# The document has the list of faults under 200 and under 400.
_FAULTS_FOUND: Final = frozenset({400})


def read_columns(line: Line) -> dict[str, int]:
    """The name of each column and its position from 0."""
    return line.read("/cards/csv-config", dict[str, int])


def validate(line: Line, content: bytes, operation: CsvOperation) -> list[CsvValidationError]:
    """What the router finds wrong with a file; see `EscRouterClient.validate_csv`."""
    params = {"operation": operation.value}
    form = line.upload(
        "/cards/validate-csv", params, content, filename="cards.csv", media_type="text/csv"
    )
    return viewed(exchange(line.http, form, also=_FAULTS_FOUND), list[CsvValidationError])
