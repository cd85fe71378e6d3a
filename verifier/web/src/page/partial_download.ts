/**
 * What came of a bundle before the connection was cut, to go on from there: which version of which
 * address it is, and its bytes in the order in which they came. Never more than a cache: where nothing
 * can be stored a download goes on without it, and its digest is held to the whole before it is used.
 */

import { concat, type Bytes } from "../check/bytes.ts";
import { StorageError, VALUES, type Database } from "./database.ts";

const PIECE = 65_536; // bytes that come before they are stored: whoever is closed loses no more
const STRONG_ETAG = /^"[!#-~]*"$/; // RFC 9110, section 8.8.3

/** Which bytes they are. */
export interface Version {
  readonly address: string;
  readonly etag: string; // strong
  readonly sha256: string; // of the whole, in base64
}

/** What is there of a version. */
export interface Part {
  readonly version: Version;
  readonly data: Bytes;
}

/** The version that a server sends; null where it does not say enough of it to go on later. */
export function versionOf(address: string, headers: Headers): Version | null {
  const etag = headers.get("etag") ?? "";
  const sha256 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(headers.get("repr-digest") ?? "")?.[1];
  return sha256 === undefined || !STRONG_ETAG.test(etag) ? null : { address, etag, sha256 };
}

export function isSameVersion(one: Version | null, other: Version): boolean {
  return one?.address === other.address && one.etag === other.etag && one.sha256 === other.sha256;
}

/**
 * Of one list; held by one page at a time. What comes is stored behind: the browser throws away what
 * was not read of a connection that is cut.
 */
export class PartialDownload {
  readonly #database: Database;
  readonly #name: string;
  #count = 0; // of the pieces that are stored, or will be
  #waiting: Bytes[] = []; // to be stored with what comes next
  #isKept = false;
  #stored: Promise<void> = Promise.resolve(); // all that was begun

  constructor(database: Database, name: string) {
    this.#database = database;
    this.#name = `part-${name}`;
  }

  /** What is there of this address, if anything. */
  async read(address: string): Promise<Part | null> {
    const version = await this.#database.get<Version>(this.#name);
    const pieces: Bytes[] = [];
    if (version?.address !== address) return null;
    for (;;) {
      const piece = await this.#database.get<Bytes>(this.#keyOf(pieces.length));
      if (piece === undefined) break;
      pieces.push(piece);
    }
    [this.#count, this.#waiting, this.#isKept] = [pieces.length, [], true];
    return pieces.length === 0 ? null : { version, data: concat(...pieces) };
  }

  /** Keeps what comes from now on, of this version; nothing of one that cannot go on later. */
  begin(version: Version | null): void {
    [this.#count, this.#waiting, this.#isKept] = [0, [], version !== null];
    this.#store(async () => {
      await this.#remove();
      if (version !== null) await this.#database.put(this.#name, version);
    });
  }

  /** Keeps what came; after `begin`, or on what `read` gave back. */
  append(piece: Bytes): void {
    if (!this.#isKept) return;
    this.#waiting.push(piece);
    if (this.#waiting.reduce((sum, { length }) => sum + length, 0) >= PIECE) this.#storeWaiting();
  }

  /** Returns when all that came is stored. */
  async flush(): Promise<void> {
    if (this.#isKept && this.#waiting.length > 0) this.#storeWaiting();
    await this.#stored;
  }

  /** Keeps nothing. */
  async forget(): Promise<void> {
    this.begin(null);
    await this.#stored;
  }

  #storeWaiting(): void {
    const key = this.#keyOf(this.#count);
    const piece = concat(...this.#waiting);
    [this.#count, this.#waiting] = [this.#count + 1, []];
    this.#store(async () => {
      if (this.#isKept) await this.#database.put(key, piece);
    });
  }

  /** After all that was begun before. */
  #store(store: () => Promise<void>): void {
    this.#stored = this.#stored.then(store).catch((error: unknown) => {
      if (!(error instanceof StorageError)) throw error;
      // A full disk: what is kept must have no hole.
      this.#isKept = false;
      return this.#remove().catch(() => undefined); // what stays is harmless: its digest is held to the whole
    });
  }

  async #remove(): Promise<void> {
    const all = IDBKeyRange.bound(this.#name, `${this.#name}/~`);
    await this.#database.run(VALUES, "readwrite", (store) => store.delete(all));
  }

  #keyOf(number: number): string {
    return `${this.#name}/${String(number).padStart(4, "0")}`;
  }
}
