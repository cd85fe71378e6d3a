/** The trust anchor as people hand it over: a JWK or a JWK Set, as text. */

import { CardError } from "../check/errors.ts";
import { isJsonArray, parseJsonObject } from "../check/json.ts";
import { b64urlEncode, parsePublicJwk, publicJwkOf, thumbprintOf } from "../check/jws.ts";
import type { PublicKey } from "../check/p256.ts";

export type StoredKey = ReturnType<typeof publicJwkOf>;

/** Reads the keys, at least one; null when it is something else. */
export function parseAnchors(text: string): PublicKey[] | null {
  try {
    const content = parseJsonObject(new TextEncoder().encode(text));
    const keys = content.get("keys");
    const anchors = (isJsonArray(keys) ? keys : [content]).map(parsePublicJwk);
    return anchors.length > 0 ? anchors : null;
  } catch (error) {
    if (error instanceof CardError) return null;
    throw error;
  }
}

/** Keys as they are stored. */
export function storedKeys(keys: readonly PublicKey[]): StoredKey[] {
  return keys.map(publicJwkOf);
}

/** Stored keys as they are used. */
export function keysOf(stored: readonly StoredKey[]): PublicKey[] {
  return stored.map((jwk) => parsePublicJwk(new Map(Object.entries(jwk))));
}

/** What two people compare: the thumbprint. */
export async function namesOf(keys: readonly PublicKey[]): Promise<string> {
  const thumbprints = await Promise.all(keys.map(thumbprintOf));
  return thumbprints.map(b64urlEncode).join(", ");
}
