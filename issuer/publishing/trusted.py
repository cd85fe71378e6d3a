"""Institutions as the trust list names them, from their rows."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from issuer.addresses import issuer_of, status_list_uri
from issuer.store.institutions import InstitutionRow
from issuer.store.keys import KeyRow
from issuer.store.status_indices import ListRow
from issuer.tables import Institution, SigningKey, StatusListRow
from verifier.identifiers import parse_pic
from verifier.jws import parse_public_jwk
from verifier.trust_document import KeyState, TrustedInstitution, TrustedKey


def trusted_key(key: SigningKey | KeyRow) -> TrustedKey:
    """A key and when it may have signed."""
    return TrustedKey(
        kid=key.kid,
        public_key=_public_key(tuple(key.public_jwk.items())),
        state=KeyState(key.state),
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        compromised_since=key.compromised_since,
    )


# To make a key and check its point takes as long as a statement, for each credential.
@lru_cache(maxsize=1024)
def _public_key(members: tuple[tuple[str, str], ...]) -> EllipticCurvePublicKey:
    return parse_public_jwk(dict(members))


def trusted_institution(
    institution: Institution | InstitutionRow,
    *,
    keys: Sequence[SigningKey] | Sequence[KeyRow],
    lists: Iterable[StatusListRow] | Iterable[ListRow],
    public_url: str,
    processor: str | None = None,
) -> TrustedInstitution:
    """What the trust list says of an institution.

    Args:
        institution: Its row.
        keys: All of its keys, also retired and compromised ones.
        lists: All of its status lists.
        public_url: The issuer's address.
        processor: The name of who issues for it.
    """
    pic = parse_pic(institution.pic)
    return TrustedInstitution(
        pic=pic,
        name=institution.name,
        country=institution.country,
        schac_home_organization=institution.schac_home_organization,
        issuer=issuer_of(public_url, pic),
        esi_scopes=frozenset(scope.lower() for scope in institution.esi_scopes),
        keys=tuple(trusted_key(key) for key in keys),
        status_lists={row.number: status_list_uri(public_url, pic, row.number) for row in lists},
        processor=processor,
    )
