/** COSE_Sign1 (RFC 9052) with ES256, in deterministic CBOR; its signature's s must be low. */

import { concat, isBytes, type Bytes } from "./bytes.ts";
import { encodeBytes, isCborArray, isCborMap, readCbor } from "./cbor.ts";
import { refuse } from "./errors.ts";
import { isLowS, SIGNATURE_BYTES, verifiesEs256, type PublicKey } from "./p256.ts";

const SIGN1_TAG = 0xd2; // tag 18, COSE_Sign1 (RFC 9052, section 2)
const SIG_STRUCTURE = Uint8Array.of(0x84, 0x6a, ...new TextEncoder().encode("Signature1"));

export interface Sign1 {
  readonly protectedHeader: Bytes;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

/** What is signed: the Sig_structure (RFC 9052, section 4.4). */
export function sign1SigningInput(protectedHeader: Bytes, payload: Bytes, externalAad: Bytes): Bytes {
  return concat(SIG_STRUCTURE, ...[protectedHeader, externalAad, payload].map(encodeBytes));
}

/** Takes a tagged COSE_Sign1 with an empty unprotected header apart, without trusting any of it. */
export function parseSign1(data: Bytes): Sign1 {
  if (data[0] !== SIGN1_TAG) refuse("MalformedCode", "not a tagged COSE_Sign1");
  const parts = readCbor(data.subarray(1));
  if (!isCborArray(parts) || parts.length !== 4) refuse("MalformedCode", "not a COSE_Sign1 of ours");
  const [protectedHeader, unprotected, payload, signature] = parts;
  if (!isCborMap(unprotected) || unprotected.size !== 0) {
    refuse("MalformedCode", "an unprotected header that is not empty");
  }
  if (!isBytes(protectedHeader) || !isBytes(payload) || !isBytes(signature)) {
    return refuse("MalformedCode", "not a COSE_Sign1 of ours");
  }
  if (signature.length !== SIGNATURE_BYTES) refuse("MalformedCode", "an ES256 signature has 64 bytes");
  return { protectedHeader, payload, signature };
}

/** Whether an ES256 signature fits that must have its s in the lower half. */
export async function verifiesLowS(key: PublicKey, signature: Bytes, message: Bytes): Promise<boolean> {
  return isLowS(signature) && (await verifiesEs256(key, signature, message));
}
