"""The answer that nearly every refresh gets, on the shortest way: 304 ahead of all routing.

Routes, dependencies and tables of refusals take four times as long as the read that decides. So
this looks first whether the phone knows the answer already; any other answer, a refusal too, is
given by the route (`refresh.show_card`), which reads for itself.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from issuer.bearer import parse_bearer
from issuer.clock import seconds_of, today_of
from wallet_api.deps import Wallet
from wallet_api.errors import WalletError
from wallet_api.refresh import CARD_PATH, HEADERS, card_of, etag_of, needs_renewal, state_on
from wallet_api.row_reading import ReadFailed

_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class NotModified:
    """Answers a refresh of what did not change; passes everything else on."""

    def __init__(self, app: ASGIApp, *, wallet: Wallet) -> None:
        self._app = app
        self._wallet = wallet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless 304 is its answer."""
        etag = await self._known_etag(scope) if _is_refresh(scope) else None
        if etag is None:
            await self._app(scope, receive, send)
            return
        headers = [*_HEADERS, (b"etag", etag.encode())]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _known_etag(self, scope: Scope) -> str | None:
        """The ETag of the answer, if the request names it."""
        # Turned round: of two headers of one name the first counts, as everywhere else.
        given = dict(reversed(scope["headers"]))
        token = parse_bearer(given.get(b"authorization", b"").decode("latin-1"))
        known = given.get(b"if-none-match", b"").decode("latin-1")
        if token is None or not known:
            return None
        try:
            found = await card_of(self._wallet, token)
        except (WalletError, ReadFailed):
            return None
        now = self._wallet.clock()
        state = state_on(found, today_of(now))
        if needs_renewal(found, state, seconds_of(now)):
            return None
        etag = etag_of(found, state)
        return etag if etag in known else None


def _is_refresh(scope: Scope) -> bool:
    """Whether it is one; what has a query may be an attempt to send the token there."""
    return (
        scope["type"] == "http"
        and scope["path"] == CARD_PATH
        and scope["method"] == "GET"
        and not scope["query_string"]
    )
