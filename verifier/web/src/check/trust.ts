/** Who is trusted to sign cards: checking a trust list (docs/trust-list.md), and a key's time. */

import { isLongerThan } from "./bytes.ts";
import { refuse, refusingAs } from "./errors.ts";
import { parseJws, verifiesJws, type UnverifiedJws } from "./jws.ts";
import type { PublicKey } from "./p256.ts";
import { parseTrustList, type TrustedKey, type TrustList } from "./trust_document.ts";

const TRUST_LIST_TYP = "esc-trust-list+jwt";
const MAX_TRUST_LIST_CHARS = 16 * 1024 * 1024; // 5,000 institutions take about 5 MB
export const LEEWAY = 60; // seconds between two honest clocks

/** What binds the next trust list: who may have signed it, when it is, what was seen before. */
export interface Expected {
  readonly anchors: readonly PublicKey[];
  readonly now: number; // seconds since 1970, UTC
  readonly leastSequence?: number; // the highest ever accepted
  // Take one past its end, of which only what it vouched for is wanted; no card is accepted by it.
  readonly mayHaveEnded?: boolean;
}

/** Checks a trust list and reads it; throws a `CardError` of the documents' branch. */
export async function verifyTrustList(token: string, expected: Expected): Promise<TrustList> {
  const { anchors, now, leastSequence = 0, mayHaveEnded = false } = expected;
  // 1. Size and form.
  if (isLongerThan(token, MAX_TRUST_LIST_CHARS))
    refuse("DocumentTooLarge", "a trust list of more than 16 MiB");
  const jws = refusingAs("MalformedDocument", "not a trust list", () =>
    parseJws(token, TRUST_LIST_TYP, MAX_TRUST_LIST_CHARS),
  );
  // 2. Signature, by one of the anchors. The header's kid is not asked: there are few.
  if (!(await isSignedByOneOf(anchors, jws))) {
    refuse("DocumentUntrusted", "the trust list is not signed by a key that is trusted for it");
  }
  // 3. Content.
  const trust = await parseTrustList(jws.payload, token);
  // 4. Sequence and time.
  if (trust.sequence < leastSequence) {
    refuse("DocumentRolledBack", `sequence ${trust.sequence}, but ${leastSequence} was seen`);
  }
  if (trust.issuedAt > now + LEEWAY) refuse("DocumentFromFuture", "the trust list is from the future");
  if (trust.expiresAt + LEEWAY <= now && !mayHaveEnded)
    refuse("DocumentExpired", "the trust list is past its end");
  return trust;
}

/** Holds a key to the time in which it may sign (docs/trust-list.md, section 3). */
export function checkKeyAt(key: TrustedKey, signedAt: number): void {
  if (signedAt < key.validFrom - LEEWAY || signedAt >= key.validUntil + LEEWAY) {
    refuse("KeyNotValid", "signed at a time at which the key was not in use");
  }
  if (key.state !== "compromised") return;
  // Without leeway, in which a thief could date back.
  if (key.compromisedSince === null || signedAt < key.validFrom || signedAt >= key.compromisedSince) {
    refuse("KeyCompromised", "signed after the key was compromised");
  }
}

async function isSignedByOneOf(anchors: readonly PublicKey[], jws: UnverifiedJws): Promise<boolean> {
  for (const anchor of anchors) if (await verifiesJws(jws, anchor)) return true;
  return false;
}
