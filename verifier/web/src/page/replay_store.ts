/** Remembering live codes over reloads, shared by all open pages of this device. */

import { MAX_REMEMBERED, type ReplayMemory } from "../check/replay.ts";
import { SHOWN, StorageError, type Database } from "./database.ts";

/** Holds digests of codes, no personal data. */
export class ReplayStore implements ReplayMemory {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `StorageError`: it cannot be remembered, so nothing may be called new. */
  async remember(key: string, { now, until }: { now: number; until: number }): Promise<boolean> {
    await this.#forgetOld(now);
    if ((await this.#database.run(SHOWN, "readonly", (store) => store.count())) >= MAX_REMEMBERED)
      return false;
    try {
      // `add` fails when it is there: one atomic step decides, also between two pages.
      await this.#database.run(SHOWN, "readwrite", (store) => store.add(until, key));
      return true;
    } catch (error) {
      const isThere = error instanceof StorageError && isConstraint(error.cause);
      if (isThere) return false;
      throw error;
    }
  }

  async #forgetOld(now: number): Promise<void> {
    await this.#database.run(SHOWN, "readwrite", (store) => {
      const request = store.index("until").openCursor(IDBKeyRange.upperBound(now));
      request.onsuccess = () => {
        request.result?.delete();
        request.result?.continue();
      };
      return request;
    });
  }
}

function isConstraint(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "ConstraintError";
}
