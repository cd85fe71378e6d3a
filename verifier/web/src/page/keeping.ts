/** Keeping what is known new, and what to say of it. */

import { CardError, type RefusalName } from "../check/index.ts";
import { parseAnchors } from "./anchors.ts";
import { StorageError } from "./database.ts";
import { FetchError, isUsableAddress } from "./fetching.ts";
import type { KnowledgeStore } from "./knowledge_store.ts";
import type { Language } from "./languages.ts";
import type { TrustLists } from "./trust_lists.ts";

export class Keeping {
  readonly lists: TrustLists;
  readonly #language: () => Language;

  constructor(lists: TrustLists, language: () => Language) {
    this.lists = lists;
    this.#language = language;
  }

  /** One more list, and what to say of it. */
  async setUp(source: string, text: string): Promise<string> {
    const language = this.#language();
    const anchors = parseAnchors(text);
    if (anchors === null) return language.word(text.trim() === "" ? "setup_first" : "anchor_wrong");
    if (source !== "" && !isUsableAddress(source)) return language.word("reason_address");
    return this.#sayFaults(async () => {
      const store = await this.lists.add(source === "" ? null : source, anchors);
      await navigator.storage.persist();
      return source === "" ? "" : this.renew(store);
    });
  }

  /** Another address for a list, and what to say of it. */
  async fetchFrom(store: KnowledgeStore, source: string): Promise<string> {
    if (!isUsableAddress(source)) return this.#language().word("reason_address");
    return this.#sayFaults(async () => {
      await store.fetchFrom(source);
      return this.renew(store);
    });
  }

  renew(store: KnowledgeStore): Promise<string> {
    return this.#take(store, () => store.renew());
  }

  takeIn(store: KnowledgeStore, file: File): Promise<string> {
    return this.#take(store, async () => store.takeIn(new Uint8Array(await file.arrayBuffer())));
  }

  remove(store: KnowledgeStore): Promise<string> {
    return this.#sayFaults(async () => {
      await this.lists.remove(store);
      return this.#language().word("list_removed");
    });
  }

  /** Fetches for all lists; what to say where a list has nothing that can be used. */
  async renewAll(): Promise<string> {
    const said = [];
    for (const store of this.lists.all) {
      if ((await store.newestSource()) === null) continue;
      const one = await this.renew(store);
      if (store.known === null) said.push(one);
    }
    return said.join(" ");
  }

  #take(store: KnowledgeStore, take: () => Promise<boolean>): Promise<string> {
    return this.#sayFaults(async () => {
      const isNew = await take();
      return isNew ? this.#newKnowledge(store) : this.#language().word("fetched_same");
    });
  }

  async #sayFaults(work: () => Promise<string>): Promise<string> {
    try {
      return await work();
    } catch (error) {
      return this.#faultOf(error);
    }
  }

  #newKnowledge(store: KnowledgeStore): string {
    const language = this.#language();
    const { known } = store;
    if (known === null || known instanceof CardError) return "";
    const stored = { sequence: known.trust.sequence, moment: language.moment(store.asOf ?? 0) };
    const said = [language.word("fetched_new", stored)];
    if (known.problems.length > 0)
      said.push(language.word("parts_left_out", { count: known.problems.length }));
    return said.join(" ");
  }

  #faultOf(error: unknown): string {
    const language = this.#language();
    if (error instanceof FetchError) {
      return language.word("fetch_failed", { reason: language.word(error.key, error.values) });
    }
    if (error instanceof CardError) {
      const name: RefusalName = error.refusal;
      return language.word("bundle_refused", { ...language.refusal(name), name });
    }
    if (error instanceof StorageError) return language.word("storage_failed");
    throw error;
  }
}
