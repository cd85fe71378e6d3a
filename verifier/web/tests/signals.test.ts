/** Each outcome sounds and shakes in its own way, and only where that is wanted. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Outcome } from "../src/page/desk.ts";
import { Signals } from "../src/page/signals.ts";

const OUTCOMES: readonly Outcome[] = ["valid", "warned", "refused"];
let tones: number[] = [];
let shakes: number[][] = [];

/** A browser's sound without a loudspeaker: what would be heard is written down. */
class Audio {
  readonly currentTime = 0;
  readonly destination = {};
  state = "suspended";

  resume(): Promise<void> {
    this.state = "running";
    return Promise.resolve();
  }

  createGain(): object {
    const gain = { setValueAtTime: () => gain, exponentialRampToValueAtTime: () => gain };
    return { gain, connect: (next: object) => next };
  }

  createOscillator(): object {
    const frequency = { value: 0 };
    return {
      frequency,
      connect: (next: object) => next,
      start: () => tones.push(frequency.value),
      stop: () => undefined,
    };
  }
}

beforeEach(() => {
  [tones, shakes] = [[], []];
  vi.stubGlobal("AudioContext", Audio);
  vi.stubGlobal("navigator", { vibrate: (pattern: number[]) => shakes.push(pattern) });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function given(outcome: Outcome, wanted: { sounds: boolean; vibration: boolean }, isAllowed = true): string {
  [tones, shakes] = [[], []];
  const signals = new Signals();
  if (isAllowed) signals.allow();
  signals.give(outcome, wanted);
  return JSON.stringify([tones, shakes]);
}

describe("signals", () => {
  it("are silent until a person did something on the page", () => {
    expect(given("valid", { sounds: true, vibration: false }, false)).toBe("[[],[]]");
  });

  it("are not given where they were switched off", () => {
    for (const outcome of OUTCOMES) {
      expect(given(outcome, { sounds: false, vibration: false })).toBe("[[],[]]");
    }
  });

  it("differ for each outcome, by ear alone and by hand alone", () => {
    for (const wanted of [
      { sounds: true, vibration: false },
      { sounds: false, vibration: true },
    ]) {
      const all = OUTCOMES.map((outcome) => given(outcome, wanted));
      expect(new Set(all).size).toBe(OUTCOMES.length);
      expect(all).not.toContain("[[],[]]");
    }
  });

  it("rise in tone for what is valid and fall for what is refused", () => {
    given("valid", { sounds: true, vibration: false });
    expect(tones).toEqual([...tones].sort((a, b) => a - b));
    given("refused", { sounds: true, vibration: false });
    expect(tones).toEqual([...tones].sort((a, b) => b - a));
  });
});
