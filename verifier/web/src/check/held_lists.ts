/**
 * Status lists that are held by address, and newer ones and deltas taken in their place. The newest
 * stays, whatever comes later: an old list or delta brings no revoked card back.
 */

import { CardError } from "./errors.ts";
import { findSigner, verifySignedStatus, type Owners, type SignedStatus } from "./status_list_trust.ts";
import { parseStatusListToken, type StatusListToken } from "./status.ts";
import { amend, parseStatusDelta } from "./status_delta.ts";
import type { StatusLists } from "./status_lists.ts";

/** Takes what was known before where it is newer and the new trust list still lets its signer sign. */
export async function keepNewer(
  previous: StatusLists,
  lists: Map<string, StatusListToken>,
  owners: Owners,
): Promise<void> {
  for (const [uri, issuedAt] of previous.instants) {
    if (issuedAt <= (lists.get(uri)?.issuedAt ?? -1)) continue;
    const known = await previous.find(uri);
    const kept = known === undefined ? null : stillTrusted(known, owners);
    if (kept !== null && kept.issuedAt > (lists.get(uri)?.issuedAt ?? -1)) lists.set(uri, kept);
  }
}

function stillTrusted(token: StatusListToken, owners: Owners): StatusListToken | null {
  const base = token.base ?? token;
  if (!maySpeak(base, owners)) return null;
  return token.delta && maySpeak(token.delta, owners) ? token : base;
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

/** A list as of a delta, unless the one that is held is newer. */
export async function takeStatusDelta(
  text: string,
  find: (uri: string) => Promise<StatusListToken | undefined>,
  owners: Owners,
  now: number,
): Promise<StatusListToken> {
  const delta = parseStatusDelta(text);
  await verifySignedStatus(delta, owners, now);
  return amend(await find(delta.uri), delta);
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
