/**
 * Everything that the wallet keeps, in IndexedDB: keys as objects that cannot be exported,
 * credentials, pictures, enrolments, what was shown, settings. Nothing of it is anywhere else.
 */

import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames } from "idb";

import { WalletRefusal } from "../model.ts";
import type { CardRecord, EnrolmentRecord, KeyRecord, PictureRecord, ShowingRecord } from "./records.ts";

const NAME = "esc-wallet";
const VERSION = 1;

export interface Schema extends DBSchema {
  cards: { key: string; value: CardRecord };
  enrolments: { key: string; value: EnrolmentRecord };
  /** By card or enrolment: a card keeps the id of its enrolment. */
  keys: { key: string; value: KeyRecord };
  /** By card and kind. */
  pictures: { key: [string, string]; value: PictureRecord };
  showings: { key: number; value: ShowingRecord };
  settings: { key: string; value: string };
}

export type Stores = StoreNames<Schema>;
export type Transaction<Mode extends "readonly" | "readwrite"> = IDBPTransaction<Schema, Stores[], Mode>;

export const ALL: Stores[] = ["cards", "enrolments", "keys", "pictures", "showings", "settings"];

export class Database {
  readonly #open: IDBPDatabase<Schema>;

  private constructor(open: IDBPDatabase<Schema>) {
    this.#open = open;
  }

  static async open(): Promise<Database> {
    return orRefuse(async () => {
      const open: IDBPDatabase<Schema> = await openDB<Schema>(NAME, VERSION, {
        upgrade: makeStores,
        // A newer version in another tab must not wait for this one.
        blocking: () => {
          open.close();
        },
      });
      return new Database(open);
    });
  }

  async read<Value>(work: (transaction: Transaction<"readonly">) => Promise<Value>): Promise<Value> {
    return orRefuse(() => work(this.#open.transaction(ALL, "readonly")));
  }

  /** One transaction; returns when it is on the disk. `work` awaits nothing but the database. */
  async write<Value>(work: (transaction: Transaction<"readwrite">) => Promise<Value>): Promise<Value> {
    return orRefuse(async () => {
      const transaction = this.#open.transaction(ALL, "readwrite", { durability: "strict" });
      const ended = transaction.done;
      try {
        const value = await work(transaction);
        await ended;
        return value;
      } catch (error) {
        await ended.catch(() => undefined); // the same failure, a second time
        throw error;
      }
    });
  }

  close(): void {
    this.#open.close();
  }
}

function makeStores(open: IDBPDatabase<Schema>): void {
  open.createObjectStore("cards", { keyPath: "id" });
  open.createObjectStore("enrolments", { keyPath: "id" });
  open.createObjectStore("keys");
  open.createObjectStore("pictures");
  open.createObjectStore("showings", { autoIncrement: true });
  open.createObjectStore("settings");
}

/** A refusal of the browser's storage as one of ours. */
async function orRefuse<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    const refusal = error instanceof DOMException ? REFUSALS[error.name] : undefined;
    throw refusal === undefined ? error : new WalletRefusal(refusal);
  }
}

// No space left, a broken disk, no storage at all in some private windows; or it was emptied while
// this page was open, which closes what is open of it.
const REFUSALS: Readonly<Record<string, "storage-full" | "storage-lost">> = {
  QuotaExceededError: "storage-full",
  AbortError: "storage-full",
  UnknownError: "storage-full",
  SecurityError: "storage-full",
  InvalidStateError: "storage-lost",
};
