/**
 * The link of an offer that is not begun yet. The address bar forgets it, so that no history has it;
 * it stays here until it is begun or cannot be read any more, for a page that is loaded anew.
 *
 * An offer does not say when it ends (OpenID4VCI 1.0, section 4.1.1). Our services' end after a day
 * at most (docs/operations.md, `OFFER_LIFETIME`): from then on the link is forgotten.
 */

import { WalletRefusal, type RefusalName } from "../model.ts";
import type { Database, Transaction } from "../store/database.ts";

/** Among the settings: one link, the last that was opened, behind the second when it came. */
const KEPT_OFFER = "offer";
const KEPT_FOR = 86_400; // seconds
const KEPT = /^(\d+) (.+)$/s;

/** After these the same link cannot be read any more. */
export const UNREADABLE: readonly RefusalName[] = [
  "offer-malformed",
  "offer-cut",
  "offer-expired",
  "offer-used",
  "issuer-not-safe",
  "issuer-unknown",
];

/** Keeps it from now on; the same link that is kept already gets no longer for it. */
export async function keepLink(database: Database, link: string, now: number): Promise<void> {
  await database.write(async (transaction) => {
    const settings = transaction.objectStore("settings");
    if (linkOf(await settings.get(KEPT_OFFER), now) !== link)
      await settings.put(`${now} ${link}`, KEPT_OFFER);
  });
}

/** The link that is kept, and whether one was that is too old; see `dropOldLink`. */
export async function keptLink(
  database: Database,
  now: number,
): Promise<{ readonly link: string | null; readonly isOld: boolean }> {
  const kept = await database.read((transaction) => transaction.objectStore("settings").get(KEPT_OFFER));
  const link = linkOf(kept, now);
  return { link, isOld: kept !== undefined && link === null };
}

/** Forgets what is too old; another tab may have kept a new one meanwhile. */
export async function dropOldLink(database: Database, now: number): Promise<void> {
  await database.write(async (transaction) => {
    const settings = transaction.objectStore("settings");
    if (linkOf(await settings.get(KEPT_OFFER), now) === null) await settings.delete(KEPT_OFFER);
  });
}

/** The student lets it be, whichever it is. */
export async function dropAnyLink(database: Database): Promise<void> {
  await database.write((transaction) => transaction.objectStore("settings").delete(KEPT_OFFER));
}

/** It was begun; another one that was opened meanwhile stays. */
export async function dropLink(transaction: Transaction<"readwrite">, link: string): Promise<void> {
  const settings = transaction.objectStore("settings");
  if (KEPT.exec((await settings.get(KEPT_OFFER)) ?? "")?.[2] === link) await settings.delete(KEPT_OFFER);
}

export function isUnreadable(error: unknown): boolean {
  return error instanceof WalletRefusal && UNREADABLE.includes(error.refusal);
}

/** The link of what is kept, unless it is too old, or of a time to come: then a clock was wrong. */
function linkOf(kept: string | undefined, now: number): string | null {
  const [, since, link] = KEPT.exec(kept ?? "") ?? [];
  return link !== undefined && Math.abs(now - Number(since)) < KEPT_FOR ? link : null;
}
