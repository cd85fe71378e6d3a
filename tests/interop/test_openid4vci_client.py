"""A wallet that we did not write takes a card from our service."""

import pytest

from tests.interop.conftest import Node, Published
from tests.wallet_api.conftest import CARD, QR, STUDENT_ID
from verifier.card_claims import Profile
from verifier.checks import Evidence
from verifier.verify import verify_card
from verifier.verify_sd_jwt_vc import ExpectedKeyBinding, verify_credential

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("how", ["credential_offer_uri", "credential_offer"])
def test_a_foreign_wallet_takes_all_three_credentials(
    node: Node, published: Published, how: str
) -> None:
    made = published.service.offer().json()

    got = node("wallet.mjs", offer=made[how], tx_code=made["tx_code"])

    assert got["version"] == "V1"  # OpenID4VCI 1.0, not a draft
    assert set(got["credentials"]) == {CARD, STUDENT_ID, QR}
    knowledge = published.publish()
    for name in (CARD, STUDENT_ID):
        card = verify_credential(got["credentials"][name], knowledge=knowledge, now=published.now)
        assert card.name == "Anna Bērziņa"
    for profile in Profile:
        text = got["credentials"][QR][profile.value]
        assert verify_card(text, knowledge=knowledge, now=published.now).profile is profile


def test_its_presentation_with_key_binding_passes_our_verifier(
    node: Node, published: Published
) -> None:
    made = published.service.offer().json()
    got = node("wallet.mjs", offer=made["credential_offer_uri"], tx_code=made["tx_code"])

    shown = node(
        "sd_jwt.mjs",
        "present",
        credential=got["credentials"][CARD],
        disclose=["name"],
        holder_jwk=got["private_jwk"],
        audience="https://library.example",
        nonce="n-0S6_WzA2Mj",
    )

    card = verify_credential(
        shown["presentation"],
        knowledge=published.publish(),
        now=published.now,
        expected_key_binding=ExpectedKeyBinding("https://library.example", "n-0S6_WzA2Mj"),
    )
    assert (card.evidence, card.name) == (Evidence.KEY_BINDING, "Anna Bērziņa")
    assert (card.esi, card.escn) == (None, None)
