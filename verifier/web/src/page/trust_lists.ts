/**
 * The trust lists that a provider keeps side by side, of two countries for example. A card is decided
 * by the first that names its institution: a further list cannot speak for one of the first.
 */

import { CardError } from "../check/errors.ts";
import type { Knowledge } from "../check/bundle.ts";
import type { PublicKey } from "../check/p256.ts";
import type { Database } from "./database.ts";
import { KnowledgeStore } from "./knowledge_store.ts";

const NAMES = "lists";
const FIRST = "knowledge";

export class TrustLists {
  readonly #database: Database;
  readonly #clock: () => number;
  #stores: readonly KnowledgeStore[] = [];
  #opening: Promise<void> | undefined;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** In the order of asking; at least one, which may not be set up. */
  get all(): readonly KnowledgeStore[] {
    return this.#stores;
  }

  /** What can be checked with, in the order of asking. */
  get usable(): readonly Knowledge[] {
    return this.#stores.flatMap(({ known }) => (known === null || known instanceof CardError ? [] : [known]));
  }

  /** Why the first of those that cannot be used cannot. */
  get fault(): CardError | null {
    return this.#stores.map(({ known }) => known).find((known) => known instanceof CardError) ?? null;
  }

  /** The oldest knowledge of any status; null where a list has none. */
  get asOf(): number | null {
    const instants = this.#stores.map((store) => store.asOf);
    return instants.some((one) => one === null) ? null : Math.min(...instants.map(Number));
  }

  /** Reads what is stored, once: all of Europe takes seconds on a phone. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    const names = (await this.#database.get<string[]>(NAMES)) ?? [FIRST];
    this.#stores = names.map((name) => this.#storeOf(name));
    await Promise.all(this.#stores.map((store) => store.open()));
  }

  /** Whether anchors were given: from then on bundles can be taken in. */
  async isSetUp(): Promise<boolean> {
    return (await this.#stores[0]?.isSetUp()) ?? false;
  }

  /** How many there are with anchors. */
  async countSetUp(): Promise<number> {
    return (await this.isSetUp()) ? this.#stores.length : 0;
  }

  /** One more list; the first takes the place that is kept for it. */
  async add(source: string | null, anchors: readonly PublicKey[]): Promise<KnowledgeStore> {
    await this.open();
    const [first] = this.#stores;
    const isFirst = first !== undefined && !(await first.isSetUp());
    const store = isFirst ? first : this.#storeOf(`${FIRST}-${crypto.randomUUID()}`);
    await store.setUp(source, anchors);
    if (!isFirst) await this.#keep([...this.#stores, store]);
    return store;
  }

  /** Forgets a list. The next one, if any, is then asked in its place. */
  async remove(store: KnowledgeStore): Promise<void> {
    const others = this.#stores.filter((one) => one !== store);
    await this.#keep(others.length > 0 ? others : [this.#storeOf(FIRST)]);
    await store.forget();
    await Promise.all(this.#stores.map((one) => one.open()));
  }

  #storeOf(name: string): KnowledgeStore {
    return new KnowledgeStore(this.#database, this.#clock, name);
  }

  async #keep(stores: readonly KnowledgeStore[]): Promise<void> {
    const names = stores.map(({ name }) => name);
    await this.#database.put(NAMES, names);
    this.#stores = stores;
  }
}
