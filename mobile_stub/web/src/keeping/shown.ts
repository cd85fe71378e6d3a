/** What was shown, remembered on this phone only. */

import type { Showing } from "../model.ts";
import type { Database } from "../store/database.ts";

const MAX_SHOWINGS = 500;

/** The oldest make room. */
export async function keepShowing(database: Database, showing: Showing): Promise<void> {
  await database.write(async (transaction) => {
    const showings = transaction.objectStore("showings");
    await showings.add(showing);
    const keys = await showings.getAllKeys();
    for (const key of keys.slice(0, -MAX_SHOWINGS)) await showings.delete(key);
  });
}
