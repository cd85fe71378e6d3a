/**
 * Keeping what is known: bundle, anchors, highest sequence. What is stored is checked again each time
 * it is read; an older bundle never replaces a newer one, also when two pages are open.
 */

import { partsOf, verifyBundle, type BundleParts, type Knowledge } from "../check/bundle.ts";
import { openParts } from "../check/bundle_on_demand.ts";
import { bytesToHex, sha256, type Bytes } from "../check/bytes.ts";
import { CardError } from "../check/errors.ts";
import type { PublicKey } from "../check/p256.ts";
import { HOUR } from "../check/policy.ts";
import { parseChanges, takeChanges } from "../check/status_changes.ts";
import { keysOf, storedKeys, type StoredKey } from "./anchors.ts";
import type { Database } from "./database.ts";
import { downloadBundle, forgetParts } from "./downloading.ts";
import { fetchChanges, FetchError } from "./fetching.ts";

interface Stored {
  readonly source: string | null; // the bundle's address
  readonly anchors: readonly StoredKey[]; // may sign the next trust list
  readonly sequence: number; // the highest ever accepted
  readonly parts: BundleParts | null; // null before the first bundle
  readonly signedBy: readonly StoredKey[]; // those that may have signed this trust list
  readonly digest: string | null; // of the file that was taken in last
  readonly wholeAt?: number; // when that was; missing in what was stored before there were changes
  readonly changes?: string | null; // digest of the document of changes that is contained
}

// Lists without changes are signed again every six hours: then they are fetched as well.
const WHOLE_EVERY = 6 * HOUR; // seconds

/** What is known now: the content of a bundle, nothing yet, or why what is stored cannot be used. */
export type Known = Knowledge | CardError | null;

/** What became of the changes: whether they were new, and whether the bundle is not needed. */
interface Outcome {
  readonly isNew: boolean;
  readonly isEnough: boolean;
}

const NOTHING: Outcome = { isNew: false, isEnough: false };

/** One trust list, and what it vouches for. */
export class KnowledgeStore {
  readonly name: string; // where it is kept; of each list another
  readonly #database: Database;
  readonly #clock: () => number;
  #known: Known = null;
  #digest: string | null = null; // of the file that `#known` came from
  #changes: string | null = null; // of the changes in it
  #source: string | null = null;

  constructor(database: Database, clock: () => number, name: string) {
    this.name = name;
    this.#database = database;
    this.#clock = clock;
  }

  get known(): Known {
    return this.#known;
  }

  /** Where it is fetched from: the address that was given, or the one that its trust list names. */
  get source(): string | null {
    if (this.#source !== null || this.#known === null || this.#known instanceof CardError)
      return this.#source;
    return this.#known.trust.bundle;
  }

  /** When the oldest status list was signed: what can be said of all its cards; null without. */
  get asOf(): number | null {
    if (this.#known === null || this.#known instanceof CardError) return null;
    const instants = [...this.#known.statusLists.instants.values()];
    return instants.length === 0 ? this.#known.trust.issuedAt : instants.reduce((a, b) => Math.min(a, b));
  }

  /** Whether anchors were given: from then on bundles can be taken in. */
  async isSetUp(): Promise<boolean> {
    return (await this.#load()) !== undefined;
  }

  /** Reads what is stored. */
  async open(): Promise<void> {
    const stored = await this.#load();
    this.#source = stored?.source ?? null;
    this.#known = stored === undefined ? null : await this.#knowledgeOf(stored);
    this.#digest = stored?.digest ?? null;
    this.#changes = stored?.changes ?? null;
  }

  /** The first anchors and address; given anew only after `forget`. */
  async setUp(source: string | null, anchors: readonly PublicKey[]): Promise<void> {
    const first = { anchors: storedKeys(anchors), sequence: 0, parts: null, signedBy: [], digest: null };
    await this.#database.put(this.name, { ...first, source } satisfies Stored);
    await this.open();
  }

  /** Fetches from there from now on; what comes is held to the same anchors. */
  async fetchFrom(source: string): Promise<void> {
    await navigator.locks.request(`esc-${this.name}`, async () => {
      const stored = await this.#load();
      if (stored !== undefined) await this.#database.put(this.name, { ...stored, source } satisfies Stored);
    });
    await this.newestSource();
  }

  /** Where it is fetched from, as it is stored: another window may have been given the address. */
  async newestSource(): Promise<string | null> {
    this.#source = (await this.#load())?.source ?? null;
    return this.source;
  }

  /** Forgets this list, its anchors and its sequence. */
  async forget(): Promise<void> {
    await navigator.locks.request(`esc-${this.name}`, () => this.#database.remove(this.name));
    await forgetParts(this.#database, this.name);
    await this.open();
  }

  /**
   * Fetches from the stored address, the changes alone where they are enough; whether anything was
   * new. Throws as `downloadBundle` and `takeIn`.
   */
  async renew(): Promise<boolean> {
    const source = await this.newestSource();
    if (source === null) return false;
    const { isNew, isEnough } = await this.#renewByChanges(source);
    if (isEnough) return isNew;
    return (await this.takeIn(await downloadBundle(source, this.#database, this.name))) || isNew;
  }

  /** Takes a bundle in; whether it was new. A refusal is thrown, and what was known stays. */
  async takeIn(data: Bytes): Promise<boolean> {
    // One page at a time: another may have taken in a newer one meanwhile.
    return navigator.locks.request(`esc-${this.name}`, () => this.#takeIn(data));
  }

  async #renewByChanges(source: string): Promise<Outcome> {
    const stored = await this.#load();
    const age = this.#clock() - (stored?.wholeAt ?? -Infinity);
    if (!(age >= 0 && age < WHOLE_EVERY)) return NOTHING;
    try {
      const data = await fetchChanges(source);
      if (data === null) return NOTHING;
      return await navigator.locks.request(`esc-${this.name}`, () => this.#takeChanges(data));
    } catch (error) {
      // A server that has none, or that is away: the bundle's answer will say why.
      if (error instanceof FetchError || error instanceof CardError) return NOTHING;
      throw error;
    }
  }

  async #takeChanges(data: Bytes): Promise<Outcome> {
    const stored = await this.#loadNewest();
    const before = this.#known;
    if (stored === undefined || before === null || before instanceof CardError) return NOTHING;
    const digest = bytesToHex(await sha256(data));
    if (digest === stored.changes) return { isNew: false, isEnough: true };
    const { knowledge, taken, isEnough } = await takeChanges(parseChanges(data), before, this.#clock());
    const isNew = taken.size > 0;
    const changes = isEnough ? digest : null;
    const parts = isNew ? partsOf(knowledge) : stored.parts;
    await this.#database.put(this.name, { ...stored, parts, changes } satisfies Stored);
    [this.#known, this.#changes] = [knowledge, changes];
    return { isNew, isEnough };
  }

  /** What is stored; another page may have taken in what this one does not know yet. */
  async #loadNewest(): Promise<Stored | undefined> {
    const stored = await this.#load();
    if (stored === undefined) return undefined;
    const isSame = stored.digest === this.#digest && (stored.changes ?? null) === this.#changes;
    if (!isSame) await this.open();
    return stored;
  }

  async #takeIn(data: Bytes): Promise<boolean> {
    const stored = await this.#loadNewest();
    if (stored === undefined) return false;
    const digest = bytesToHex(await sha256(data));
    const before = this.#known;
    if (digest === stored.digest && before !== null && !(before instanceof CardError)) return false;
    const knowledge = await verifyBundle(data, {
      anchors: keysOf(stored.anchors),
      now: this.#clock(),
      leastSequence: stored.sequence,
      previous: await this.#previousOf(stored),
    });
    await this.#database.put(this.name, {
      source: stored.source,
      anchors: storedKeys(knowledge.trust.anchors),
      sequence: knowledge.trust.sequence,
      parts: partsOf(knowledge),
      signedBy: stored.anchors,
      digest,
      wholeAt: this.#clock(),
      changes: null,
    } satisfies Stored);
    [this.#known, this.#digest, this.#changes] = [knowledge, digest, null];
    return true;
  }

  async #load(): Promise<Stored | undefined> {
    return this.#database.get<Stored>(this.name);
  }

  /** What no older list may take the place of: also when it is too old to check cards with. */
  async #previousOf(stored: Stored): Promise<Knowledge | undefined> {
    const known = this.#known instanceof CardError ? await this.#knowledgeOf(stored, true) : this.#known;
    return known === null || known instanceof CardError ? undefined : known;
  }

  async #knowledgeOf(stored: Stored, mayHaveEnded = false): Promise<Known> {
    if (stored.parts === null) return null;
    try {
      const expected = {
        anchors: keysOf(stored.signedBy),
        now: this.#clock(),
        leastSequence: stored.sequence,
        mayHaveEnded,
      };
      return await openParts(stored.parts, expected);
    } catch (error) {
      // Too old to check cards with; its anchors and sequence still bind the next one.
      if (error instanceof CardError) return error;
      throw error;
    }
  }
}
