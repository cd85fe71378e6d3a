"""The words of a pass in English and Latvian; English ones are the keys of both."""

from issuer.configurations import NAMES, Configuration
from wallet_api.passes.facts import PassState

TITLE = NAMES[Configuration.CARD]["en"]
INSTITUTION = "Institution"
LEVEL = "Level of study"
VALID_UNTIL = "Valid until"
STATE = "State"
NUMBER = "Card number"
WORTH = "What this code proves"
WORTH_TEXT = (
    "The code is signed by your institution and can be checked without a network. A copy of it "
    "looks the same: whoever checks it may ask for a document with a photo, or for the live code "
    "in your institution's wallet."
)
NOT_SHOWN = "No code is shown"
NOT_SHOWN_TEXT = "Your institution can tell you why, and what to do."

LEVELS = {"BACHELOR": "Bachelor", "MASTER": "Master", "DOCTORATE": "Doctorate"}
STATES = {
    PassState.ACTIVE: "Active",
    PassState.SUSPENDED: "Suspended",
    PassState.REVOKED: "Revoked",
    PassState.EXPIRED: "Expired",
    PassState.ENDED: "No longer on this phone",
}

LATVIAN = {
    TITLE: NAMES[Configuration.CARD]["lv"],
    INSTITUTION: "Mācību iestāde",
    LEVEL: "Studiju līmenis",
    VALID_UNTIL: "Derīga līdz",
    STATE: "Stāvoklis",
    NUMBER: "Kartes numurs",
    WORTH: "Ko šis kods apliecina",
    WORTH_TEXT: (
        "Kodu ir parakstījusi jūsu mācību iestāde, un to var pārbaudīt bez tīkla. Tā kopija "
        "izskatās tāpat, tāpēc pārbaudītājs drīkst lūgt dokumentu ar foto vai dzīvo kodu jūsu "
        "mācību iestādes makā."
    ),
    NOT_SHOWN: "Kods netiek rādīts",
    NOT_SHOWN_TEXT: "Kāpēc un ko darīt, jums pateiks jūsu mācību iestāde.",
    LEVELS["BACHELOR"]: "Bakalaura studijas",
    LEVELS["MASTER"]: "Maģistra studijas",
    LEVELS["DOCTORATE"]: "Doktora studijas",
    STATES[PassState.ACTIVE]: "Aktīva",
    STATES[PassState.SUSPENDED]: "Apturēta",
    STATES[PassState.REVOKED]: "Anulēta",
    STATES[PassState.EXPIRED]: "Beigusies",
    STATES[PassState.ENDED]: "Šajā tālrunī vairs nav",
}
