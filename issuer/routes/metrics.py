"""`/metrics`, for monitoring (`issuer.metrics`); only there if the deployment has its token."""

from typing import Annotated

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import Response

from issuer.bearer import parse_bearer
from issuer.metrics import MEDIA_TYPE, Metrics
from issuer.routes.answers import StaffRoute, refusals

router = APIRouter(tags=["operations"], route_class=StaffRoute)

_TOKEN = HTTPBearer(
    auto_error=False,
    scheme_name="metricsToken",
    description="What the file of ESC_ISSUER_METRICS_TOKEN_FILE holds",
)
_TEXT = {
    "description": "In the Prometheus text format",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


@router.get(
    "/metrics",
    summary="Metrics of the deployment",
    response_class=Response,
    responses={200: _TEXT, **refusals()},
)
def show_metrics(
    request: Request,
    _documented: Annotated[HTTPAuthorizationCredentials | None, Security(_TOKEN)],
) -> Response:
    """The present numbers, at most some seconds old; for whoever shows the token."""
    metrics: Metrics = request.app.state.metrics
    metrics.require_token(parse_bearer(request.headers.get("authorization", "")))
    return Response(metrics.render(), headers={"content-type": MEDIA_TYPE})
