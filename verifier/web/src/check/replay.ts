/** Remembering which live codes were shown here, so that a copy is not taken a second time. */

// Ten codes a second for 90 s, a thousand times over; beyond it codes are refused, not forgotten.
export const MAX_REMEMBERED = 1_000_000;

/** Whatever can remember a code once. */
export interface ReplayMemory {
  /**
   * Remembers a code until a time.
   *
   * @param key - What identifies the code.
   * @param times - Seconds since 1970; from `until` on it may be forgotten.
   * @returns Whether it is new; false means that it was shown before.
   */
  remember(key: string, times: { now: number; until: number }): Promise<boolean>;
}

/** Remembers within this page or process. */
export class InMemoryReplay implements ReplayMemory {
  readonly #until = new Map<string, number>();

  remember(key: string, times: { now: number; until: number }): Promise<boolean> {
    return Promise.resolve(this.#remember(key, times));
  }

  #remember(key: string, { now, until }: { now: number; until: number }): boolean {
    for (const [old, end] of this.#until) {
      if (end > now) break;
      this.#until.delete(old);
    }
    if (this.#until.has(key) || this.#until.size >= MAX_REMEMBERED) return false;
    this.#until.set(key, until);
    return true;
  }
}
