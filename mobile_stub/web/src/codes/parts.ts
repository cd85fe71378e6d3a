/**
 * A presentation as the texts of a few codes, shown one after the other (docs/presentation-qr.md,
 * section 3).
 */

import { encode } from "cborg";

import { encodeBase32 } from "./base32.ts";
import { fromBase64url } from "./base64url.ts";

export const PART_BYTES = 300; // a code of version 12 at level L
const MAX_PARTS = 16;
const DIGEST_BYTES = 10;
const [LEAST_PIECES, MOST_PIECES] = [6, 70]; // two JWS of three, and 64 disclosures

/** Of an SD-JWT with key binding; undefined for anything else and for one that is too large. */
export async function splitPresentation(presentation: string): Promise<string[] | undefined> {
  const whole = pack(presentation);
  if (whole === undefined) return undefined;
  const total = Math.ceil(whole.length / PART_BYTES);
  if (total > MAX_PARTS) return undefined;
  const size = Math.ceil(whole.length / total); // parts of equal size make codes of equal size
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).slice(0, DIGEST_BYTES);
  return Array.from({ length: total }, (_, i) => {
    const data = encodeBase32(whole.subarray(i * size, (i + 1) * size));
    return `ESCP1/${i + 1}/${total}/${encodeBase32(digest)}/${data}`;
  });
}

/** The array of what its base64url texts hold. */
function pack(presentation: string): Uint8Array<ArrayBuffer> | undefined {
  const [issuerJwt = "", ...disclosures] = presentation.split("~");
  const binding = disclosures.pop() ?? "";
  const [head, tail] = [issuerJwt.split("."), binding.split(".")];
  const pieces = [...head, ...disclosures, ...tail].map((text) => fromBase64url(text));
  const isWhole = head.length === 3 && tail.length === 3;
  if (!isWhole || pieces.length < LEAST_PIECES || pieces.length > MOST_PIECES) return undefined;
  if (pieces.some((piece) => piece === undefined || piece.length === 0)) return undefined;
  return Uint8Array.from(encode(pieces));
}
