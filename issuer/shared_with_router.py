"""What leaves for the ESC-Router, in codes that phones have words for (docs/wallet-api.md).

Each field of `issuer.esc_router.wanted` has its code here; those that say the same to everybody
(kinds of card and identifier) have none.
"""

from typing import Final

RECIPIENT: Final = {
    "en": "European Student Card Router of the European Commission",
    "lv": "Eiropas Komisijas Eiropas studentu apliecību maršrutētājs (ESC-Router)",
}
CODE_OF_FIELD: Final = {
    "identifier": "student_identifier",
    "person_identifier": "student_identifier",
    "full_name": "name",
    "academic_level": "academic_level",
    "organisation_identifier": "institution",
    "issuer_identifier": "institution",
    "processor_identifier": "institution",
    "card_number": "card_number",
    "card_status_type": "card_state",
    "issued_at": "card_days",
    "expires_at": "card_days",
}
SHARED: Final = tuple(dict.fromkeys(CODE_OF_FIELD.values()))
