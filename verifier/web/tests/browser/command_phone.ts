/** The phone of the command line (`python -m mobile_stub present`), with a student attestation and nothing else. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { NOW, PYTHON } from "./world.ts";

// The attestation and the phone's key are those of the vectors; the wallet is new.
const PRESENT = `
import base64, json, sys, tempfile
from datetime import UTC, datetime
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric import ec
from mobile_stub.__main__ import main
from mobile_stub.cards import Card, Credential
from mobile_stub.device_key import DeviceKey, encode_key
from mobile_stub.received import SD_JWT_VC
from mobile_stub.wallet import load_or_new_wallet
from tests.verifier.vector_files import FOLDER, read_vector

request, now = sys.argv[1], int(sys.argv[2])
secret = json.loads((FOLDER / "keys.json").read_text("utf-8"))["keys"]["phone"]["jwk"]["d"]
value = int.from_bytes(base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4)))
attestation = read_vector((FOLDER / "sd_jwt_vc/valid_student_id_of_the_rulebook.txt").read_bytes())
with tempfile.TemporaryDirectory(prefix="esc-phone-") as folder:
    wallet = load_or_new_wallet(Path(folder) / "phone.wallet", "correct horse")
    card = Card("https://issuer.example", encode_key(DeviceKey(ec.derive_private_key(value, ec.SECP256R1()))))
    card.credentials["VerifiableStudentID"] = Credential(SD_JWT_VC, attestation.payload)
    wallet.cards.append(card)
    wallet.save()
    words = ["present", request, "--text", "--yes"]
    environment = {"MOBILE_STUB_WALLET": f"{folder}/phone.wallet", "MOBILE_STUB_PASSPHRASE": "correct horse"}
    clock = lambda: datetime.fromtimestamp(now, UTC)
    sys.exit(main(words, environment=environment, clock=clock, out=sys.stdout, complaints=sys.stderr, keyboard=sys.stdin, sleep=None))
`;

/** The texts of the codes with which it answers a request. */
export function attestationFor(request: string): string[] {
  const cwd = join(import.meta.dirname, "../../../..");
  const done = spawnSync(PYTHON, ["-c", PRESENT, request, String(NOW)], { cwd, encoding: "utf8", input: "" });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout.trim().split("\n");
}
