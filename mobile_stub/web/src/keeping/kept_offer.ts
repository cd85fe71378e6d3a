/**
 * The link of an offer that is not begun yet. The address bar forgets it, so that no history has it;
 * it stays here until it is begun or cannot be read any more, for a page that is loaded anew.
 */

import { WalletRefusal, type RefusalName } from "../model.ts";
import type { Database, Transaction } from "../store/database.ts";

/** Among the settings: one link, the last that was opened. */
export const KEPT_OFFER = "offer";

/** After these the same link cannot be read any more. */
export const UNREADABLE: readonly RefusalName[] = [
  "offer-malformed",
  "offer-cut",
  "offer-expired",
  "offer-used",
  "issuer-not-safe",
  "issuer-unknown",
];

export async function keepLink(database: Database, link: string): Promise<void> {
  await database.write((transaction) => transaction.objectStore("settings").put(link, KEPT_OFFER));
}

/** It was begun; another one that was opened meanwhile stays. */
export async function dropLink(transaction: Transaction<"readwrite">, link: string): Promise<void> {
  const settings = transaction.objectStore("settings");
  if ((await settings.get(KEPT_OFFER)) === link) await settings.delete(KEPT_OFFER);
}

export function isUnreadable(error: unknown): boolean {
  return error instanceof WalletRefusal && UNREADABLE.includes(error.refusal);
}
