/** Deciding: a text that was scanned becomes one answer. */

import { CardError, SignatureCache, verifyCard, verifyCredential, type Claim, type ExpectedKeyBinding, type Knowledge, type Policy, type VerifiedCard } from "../check/index.ts"; // prettier-ignore
import { encodeUtf8 } from "../check/bytes.ts";
import type { ReplayMemory } from "../check/replay.ts";
import { StorageError } from "./database.ts";
import type { TrustLists } from "./trust_lists.ts";

/** What of the trust lists deciding needs. */
type Lists = Pick<TrustLists, "usable" | "fault">;

/** A card that was accepted, a refusal, or null: it could not be decided, since nothing can be stored. */
export interface Answer {
  readonly card: VerifiedCard | null;
  readonly refusal: CardError | null;
  readonly checkedAt: number;
  readonly asked?: readonly Claim[]; // of a presentation that was asked for
  readonly digits?: string; // that the phone was to sign as well
}

/** What is decided, and against what the phone was asked for. */
export interface Showing {
  readonly text: string;
  readonly digits: string | null;
  readonly binding: ExpectedKeyBinding | undefined;
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

  async decide(showing: Showing, lists: Lists, policy: Policy): Promise<Answer> {
    const now = this.#clock();
    try {
      const card = await this.#firstThatKnows(lists, (knowledge) =>
        this.#verify(showing, { knowledge, now, policy }),
      );
      return { card, refusal: null, checkedAt: now };
    } catch (error) {
      if (error instanceof CardError) return { card: null, refusal: error, checkedAt: now };
      if (error instanceof StorageError) return { card: null, refusal: null, checkedAt: now };
      throw error;
    }
  }

  async #verify(
    { text, digits, binding }: Showing,
    context: { knowledge: Knowledge; now: number; policy: Policy },
  ): Promise<VerifiedCard> {
    const memory = { replay: this.#replay, cache: this.#cache };
    // Of all that can be shown, a live code alone holds the digits that were asked for.
    const policy = digits === null ? context.policy : { ...context.policy, liveOnly: true };
    // An SD-JWT has tildes; no code of a card has one.
    if (text.includes("~"))
      return verifyCredential(text, { ...context, policy, expectedKeyBinding: binding });
    return verifyCard(text, { ...context, ...memory, policy, challenge: encodeUtf8(digits ?? "") });
  }

  async #firstThatKnows(
    lists: Lists,
    verify: (knowledge: Knowledge) => Promise<VerifiedCard>,
  ): Promise<VerifiedCard> {
    const earlier: Knowledge[] = [];
    for (const knowledge of lists.usable) {
      try {
        const card = await verify(knowledge);
        // A credential names its institution by an address, which a list can choose: the PIC too must be
        // none that an earlier list answers for.
        if (earlier.some(({ trust }) => trust.institutions.has(card.institution.pic))) break;
        return card;
      } catch (error) {
        if (!(error instanceof CardError) || error.refusal !== "UnknownInstitution") throw error;
        earlier.push(knowledge);
      }
    }
    // A list that cannot be used may be the one that knows it.
    throw lists.fault ?? new CardError("UnknownInstitution", "no trust list that is known here names it");
  }
}
