/**
 * The code to show now: only of a card that was active when the institution was last heard, and only
 * while its signed part has not ended.
 */

import { makeLiveCode } from "../codes/esc_qr.ts";
import type { Profile, StaticCode } from "../model.ts";
import { codesOf } from "../protocol/credentials.ts";
import type { Database } from "../store/database.ts";
import type { CardRecord } from "../store/records.ts";

/** An E2 signed by this phone, or null when none may be shown. */
export async function liveCodeOf(
  database: Database,
  cardId: string,
  profile: Profile,
  shown: { readonly at: number; readonly challenge?: Uint8Array },
): Promise<string | null> {
  const { card, key } = await database.read(async (transaction) => ({
    card: await transaction.objectStore("cards").get(cardId),
    key: await transaction.objectStore("keys").get(cardId),
  }));
  const code = card === undefined ? undefined : codeToShow(card, profile, shown.at);
  return code === undefined || key === undefined ? null : makeLiveCode(code, key.privateKey, shown);
}

/** Whether the card was active when last heard, is this phone's still, and has not run out. */
export function isShowable(card: CardRecord, now: number): boolean {
  const { state, expiresOn } = card.facts;
  const today = new Date(now * 1000).toISOString().slice(0, 10);
  return state === "active" && card.endedAs === null && today <= expiresOn;
}

function codeToShow(card: CardRecord, profile: Profile, now: number): StaticCode | undefined {
  if (!isShowable(card, now)) return undefined;
  const code = codesOf(Object.values(card.credentials))[profile];
  return code !== undefined && now < code.expiresAt ? code : undefined;
}
