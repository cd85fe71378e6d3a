/** Deciding: a text that was scanned becomes one answer. */

import { CardError, SignatureCache, verifyCard, verifyCredential, type Policy, type VerifiedCard } from "../check/index.ts"; // prettier-ignore
import type { ReplayMemory } from "../check/replay.ts";
import { StorageError } from "./database.ts";
import type { Known } from "./knowledge_store.ts";

/** A card that was accepted, a refusal, or null: it could not be decided, since nothing can be stored. */
export interface Answer {
  readonly card: VerifiedCard | null;
  readonly refusal: CardError | null;
  readonly checkedAt: number;
}

export type Outcome = "valid" | "warned" | "refused";

export function outcomeOf({ card }: Answer): Outcome {
  if (card === null) return "refused";
  return card.freshness === "stale" ? "warned" : "valid";
}

export class Desk {
  readonly #clock: () => number;
  readonly #replay: ReplayMemory;
  readonly #cache = new SignatureCache();

  constructor(clock: () => number, replay: ReplayMemory) {
    this.#clock = clock;
    this.#replay = replay;
  }

  async decide(text: string, known: Exclude<Known, null>, policy: Policy): Promise<Answer> {
    const now = this.#clock();
    try {
      if (known instanceof CardError) throw known;
      const context = { knowledge: known, now, policy };
      // An SD-JWT has tildes; no code of a card has one.
      const card = text.includes("~")
        ? await verifyCredential(text, context)
        : await verifyCard(text, { ...context, replay: this.#replay, cache: this.#cache });
      return { card, refusal: null, checkedAt: now };
    } catch (error) {
      if (error instanceof CardError) return { card: null, refusal: error, checkedAt: now };
      if (error instanceof StorageError) return { card: null, refusal: null, checkedAt: now };
      throw error;
    }
  }
}
