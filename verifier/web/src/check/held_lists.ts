/**
 * Status lists that are held by address, and newer ones and deltas taken in their place. The newest
 * stays, whatever comes later: an old list or delta brings no revoked card back.
 */

import { CardError } from "./errors.ts";
import { findSigner, verifySignedStatus, type Owners, type SignedStatus } from "./status_list_trust.ts";
import { parseStatusListToken, type StatusListToken } from "./status.ts";
import { amend, parseStatusDelta } from "./status_delta.ts";

/** What of the lists known before the new trust list still lets its signer sign. */
export function stillTrusted(
  known: ReadonlyMap<string, StatusListToken> | undefined,
  owners: Owners,
): Map<string, StatusListToken> {
  const kept = new Map<string, StatusListToken>();
  for (const [uri, token] of known ?? []) {
    const base = token.base ?? token;
    if (!maySpeak(base, owners)) continue;
    kept.set(uri, token.delta && maySpeak(token.delta, owners) ? token : base);
  }
  return kept;
}

/** A status list whose signature fits. */
export async function verifyStatusList(text: string, owners: Owners, now: number): Promise<StatusListToken> {
  const token = parseStatusListToken(text);
  await verifySignedStatus(token, owners, now);
  return token;
}

/** Takes a verified list, unless a newer one is held. */
export function holdStatusList(token: StatusListToken, known: Map<string, StatusListToken>): void {
  const before = known.get(token.uri);
  if (before === undefined || before.issuedAt <= token.issuedAt) known.set(token.uri, token);
}

/** Takes a delta of a list that is held, unless that is newer. */
export async function takeStatusDelta(
  text: string,
  known: Map<string, StatusListToken>,
  owners: Owners,
  now: number,
): Promise<void> {
  const delta = parseStatusDelta(text);
  await verifySignedStatus(delta, owners, now);
  known.set(delta.uri, await amend(known.get(delta.uri), delta));
}

function maySpeak(signed: SignedStatus, owners: Owners): boolean {
  try {
    findSigner(signed, owners);
    return true;
  } catch (error) {
    if (error instanceof CardError) return false;
    throw error;
  }
}
