/**
 * What the page has asked a phone for: a presentation (docs/presentation-qr.md), or digits to sign
 * (docs/esc-qr.md, section 3.2). Each request is answered once; parts of two presentations never mix.
 */

import {
  alternativesFor,
  ANSWERED_WITHIN,
  CardError,
  isPart,
  parsePart,
  PartCollector,
  type Claim,
  type ExpectedKeyBinding,
  type Policy,
  type PresentationRequest,
} from "../check/index.ts";
import { b64urlEncode } from "../check/jws.ts";

const NONCE_BYTES = 16; // 128 bits (OpenID4VP 1.0, section 5.2)
const DIGITS = 4;

/** What parts that were seen make: nothing yet, a presentation, or why they make none. */
export type Taken = { readonly presentation: string } | { readonly refusal: CardError } | null;

/** A request that waits for its answer. */
export interface Asked {
  readonly request: PresentationRequest;
  readonly claims: readonly Claim[];
  readonly at: number; // seconds
}

export class Asking {
  readonly #clock: () => number;
  readonly #parts = new PartCollector();
  #asked: Asked | null = null;
  #done = ""; // the digest of the presentation that was decided last
  #digits: string | null = null;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** The request that waits, if any: for five minutes. */
  get asked(): Asked | null {
    if (this.#asked !== null && Math.abs(this.#clock() - this.#asked.at) > ANSWERED_WITHIN) this.withdraw();
    return this.#asked;
  }

  get progress(): { readonly count: number; readonly total: number } {
    return { count: this.#parts.count, total: this.#parts.total };
  }

  /** The digits that live codes are asked to hold; null when they are not. */
  get digits(): string | null {
    return this.#digits;
  }

  /** A new request, in the place of any other; null: no credential that the service takes says all of that. */
  ask(
    audience: string,
    types: readonly string[],
    claims: readonly Claim[],
    policy: Policy,
  ): PresentationRequest | null {
    this.withdraw();
    const [first, ...others] = alternativesFor(types, claims, policy);
    if (first === undefined) return null;
    const nonce = b64urlEncode(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
    const request = { audience, nonce, ...first, ...(others.length === 0 ? {} : { others }) };
    this.#asked = { request, claims, at: this.#clock() };
    return request;
  }

  /** Nothing is asked any more. */
  withdraw(): void {
    this.#parts.forget();
    this.#asked = null;
  }

  /** Asks for digits, or no more; new ones each time. */
  askDigits(isAsked: boolean): void {
    const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.#digits = isAsked ? String(random % 10 ** DIGITS).padStart(DIGITS, "0") : null;
  }

  /** What the phone must have signed. */
  get binding(): ExpectedKeyBinding | undefined {
    const request = this.asked?.request;
    return request === undefined ? undefined : { audience: request.audience, nonce: request.nonce };
  }

  /** Takes one part in; of the presentation that was just decided none, its phone goes on showing it. */
  async take(text: string): Promise<Taken> {
    try {
      const part = parsePart(text);
      const digest = part.digest.join();
      if (digest === this.#done) return null;
      this.#parts.add(part, this.#clock());
      if (!this.#parts.isComplete) return null;
      this.#done = digest;
      return { presentation: await this.#parts.presentation() };
    } catch (error) {
      if (error instanceof CardError) return { refusal: error };
      throw error;
    }
  }

  /** Whether a part is of what was decided last: then there is nothing to say of it. */
  isDone(text: string): boolean {
    try {
      return isPart(text) && parsePart(text).digest.join() === this.#done;
    } catch (error) {
      if (error instanceof CardError) return false;
      throw error;
    }
  }
}
