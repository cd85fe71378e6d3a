/**
 * A bundle that was taken in before, opened again: what it costs is paid where it is used.
 *
 * Of a status list only its form, its signer and its time are checked at once; its signature, and what
 * it unpacks to, when it is first asked for (`held_lists.ts`).
 */

import { takeTypeMetadata, type BundleParts, type Knowledge } from "./bundle.ts";
import { CardError } from "./errors.ts";
import { StatusLists, type PackedList } from "./held_lists.ts";
import { parsePackedList } from "./status.ts";
import { parseStatusDelta } from "./status_delta.ts";
import { findSignerAt, ownersOf, type Owners } from "./status_list_trust.ts";
import { verifyTrustList, type Expected } from "./trust.ts";

/** What was stored of `verifyBundle`, opened as it would be, but later; throws as `verifyTrustList`. */
export async function openParts(parts: BundleParts, expected: Expected): Promise<Knowledge> {
  const trust = await verifyTrustList(parts.trustList, expected);
  const [owners, problems] = [ownersOf(trust), [] as string[]];
  const packed = new Map<string, PackedList>();
  const take = (texts: readonly string[], what: string, takeOne: (text: string) => void) => {
    for (const text of texts) {
      try {
        takeOne(text);
      } catch (error) {
        if (!(error instanceof CardError)) throw error;
        problems.push(`${what} is left out: ${error.message}`);
      }
    }
  };
  take(parts.statusLists, "a status list", (text) => {
    takeList(text, packed, owners, expected.now);
  });
  take(parts.statusDeltas ?? [], "a delta", (text) => {
    takeDelta(text, packed, owners, expected.now);
  });
  const typeMetadata = await takeTypeMetadata(parts.typeMetadata, trust, problems);
  return { trust, statusLists: new StatusLists(new Map(), packed), typeMetadata, problems };
}

function takeList(text: string, packed: Map<string, PackedList>, owners: Owners, now: number): void {
  const list = parsePackedList(text);
  const { uri, issuedAt } = list;
  const key = findSignerAt(list, owners, now).publicKey;
  const before = packed.get(uri);
  if (before !== undefined && before.issuedAt > issuedAt) return;
  packed.set(uri, { uri, issuedAt, text, key, deltas: [] });
}

function takeDelta(text: string, packed: Map<string, PackedList>, owners: Owners, now: number): void {
  const delta = parseStatusDelta(text);
  const { uri, issuedAt } = delta;
  const key = findSignerAt(delta, owners, now).publicKey;
  const held = packed.get(uri);
  if (held === undefined) throw new CardError("BaseNotHeld", "its status list is not there");
  if (held.issuedAt > issuedAt) return;
  packed.set(uri, { ...held, issuedAt, deltas: [...held.deltas, { delta, key }] });
}
