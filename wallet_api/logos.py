"""Institutions' logos, for every wallet: an address that changes with the logo, kept for ever.

Only what our own code has drawn is served (`issuer.looks`), as pixels that no browser runs.
"""

from collections import OrderedDict
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from issuer.looks import LOGO_MEDIA_TYPE
from issuer.store import logos
from wallet_api.deps import PicPath, Wallet, WalletDep
from wallet_api.errors import LogoNotFound

_MOST_KEPT: Final = 64  # logos, of at most 256 KiB each
_HEADERS: Final = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
    "content-security-policy": "default-src 'none'; sandbox",
}

router = APIRouter(tags=["look"])


class Logos:
    """The logos that were asked for last, in memory: phones ask for them by the thousand."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def of(self, wallet: Wallet, pic: str, sha256: str) -> bytes:
        """The pixels of the institution's logo with this hash.

        Args:
            wallet: The service.
            pic: Whose.
            sha256: Hexadecimal.

        Raises:
            LogoNotFound: The institution has no such logo, or not any more.
        """
        found = self._kept.get((pic, sha256))
        if found is None:
            found = await run_in_threadpool(_read, wallet, pic, sha256)
        if found is None:
            raise LogoNotFound("no such logo, or not any more")
        self._kept[pic, sha256] = found
        self._kept.move_to_end((pic, sha256))
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found


@router.get(
    "/{pic}/logo/{sha256}",
    response_class=Response,
    responses={
        200: {
            "description": "A PNG",
            "content": {LOGO_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        404: {"description": "The institution has no such logo"},
    },
    summary="An institution's logo",
)
async def show_logo(
    request: Request,
    pic: PicPath,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    wallet: WalletDep,
) -> Response:
    """The same for ever: another logo has another address."""
    kept: Logos = request.app.state.logos
    headers = _HEADERS | {"etag": f'"{sha256}"'}
    body = await kept.of(wallet, pic, sha256)
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=LOGO_MEDIA_TYPE)


def _read(wallet: Wallet, pic: str, sha256: str) -> bytes | None:
    with wallet.reading() as session:
        return logos.body_of(session, pic, sha256)
