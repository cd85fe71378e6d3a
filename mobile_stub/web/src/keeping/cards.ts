/** How cards come into what is kept, and leave it. */

import { ALL, type Database, type Transaction } from "../store/database.ts";
import type { DeviceAccess } from "../protocol/device_api.ts";
import type { EnrolmentRecord } from "../store/records.ts";
import { newCard } from "./views.ts";

/**
 * The enrolment becomes a card, in one transaction; an older copy of it makes room.
 *
 * Returns the devices of the older copies, which nobody holds the credentials of any more. Only the
 * same issuer's: another one could name the same number to have the real card removed.
 */
export async function addCard(
  database: Database,
  record: EnrolmentRecord,
  now: number,
): Promise<DeviceAccess[]> {
  const card = newCard(record, now);
  return database.write(async (transaction) => {
    const cards = transaction.objectStore("cards");
    const isOlder = ({ id, credentialIssuer, facts }: typeof card): boolean =>
      id !== card.id && credentialIssuer === card.credentialIssuer && facts.escn === card.facts.escn;
    const older = (await cards.getAll()).filter(isOlder);
    for (const { id } of older) await remove(transaction, id);
    await cards.put(card);
    await transaction.objectStore("enrolments").delete(record.id);
    return older.map(({ device }) => device).filter((device) => device !== null);
  });
}

/** Removes a card with all that belongs to it; with the last one, everything. Returns how many are left. */
export async function removeCard(database: Database, id: string): Promise<number> {
  return database.write(async (transaction) => {
    await remove(transaction, id);
    const left = await transaction.objectStore("cards").count();
    const begun = await transaction.objectStore("enrolments").count();
    if (left + begun === 0) for (const store of ALL) await transaction.objectStore(store).clear();
    return left;
  });
}

async function remove(transaction: Transaction<"readwrite">, id: string): Promise<void> {
  await transaction.objectStore("cards").delete(id);
  await transaction.objectStore("keys").delete(id);
  for (const kind of ["logo", "photo"]) await transaction.objectStore("pictures").delete([id, kind]);
  const showings = transaction.objectStore("showings");
  for (let at = await showings.openCursor(); at !== null; at = await at.continue()) {
    if (at.value.cardId === id) await at.delete();
  }
}
