/**
 * Remembering institutions' signatures that were found good.
 *
 * A phone shows the same E1 inside a new E2 every 15 s. Only the fact "this key signed these bytes
 * for this card number" is kept; trust, time, status and the phone's own signature are checked
 * each time.
 */

export class SignatureCache {
  readonly #kids = new Map<string, string>();
  readonly #most: number;

  constructor(most = 10_000) {
    this.#most = most;
  }

  /** The thumbprint of the key that signed, if it was found out before. */
  kidOf(escn: string, e1Bytes: Uint8Array): string | undefined {
    const name = nameOf(escn, e1Bytes);
    const kid = this.#kids.get(name);
    if (kid === undefined) return undefined;
    this.#kids.delete(name);
    this.#kids.set(name, kid);
    return kid;
  }

  /** Keeps a signature that was found good; the one used longest ago makes room. */
  add(escn: string, e1Bytes: Uint8Array, kid: string): void {
    this.#kids.set(nameOf(escn, e1Bytes), kid);
    const [oldest] = this.#kids.keys();
    if (this.#kids.size > this.#most && oldest !== undefined) this.#kids.delete(oldest);
  }
}

function nameOf(escn: string, e1Bytes: Uint8Array): string {
  return escn + String.fromCharCode(...e1Bytes);
}
