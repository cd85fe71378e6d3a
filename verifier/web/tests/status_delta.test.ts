import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { CardError } from "../src/check/errors.ts";
import { sha256 } from "../src/check/bytes.ts";
import { StatusList, type StatusListToken } from "../src/check/status.ts";
import { parseChanges } from "../src/check/status_changes.ts";
import { amend, parseStatusDelta, unpackIndices, type StatusDelta } from "../src/check/status_delta.ts";
import { readVector } from "./vector_files.ts";
import { limits } from "./limits.ts";

const JWS = { header: new Map(), payload: new Map(), signingInput: new Uint8Array(), signature: new Uint8Array() }; // prettier-ignore
const SIZE = 256;
const steps = fc.array(fc.dictionary(fc.integer({ min: 0, max: SIZE - 1 }).map(String), fc.integer({ min: 0, max: 3 })), {
  minLength: 1,
  maxLength: 5,
}); // prettier-ignore

function listOf(values: ReadonlyMap<number, number>): StatusList {
  const data = new Uint8Array(SIZE / 4);
  for (const [index, value] of values)
    data[index >> 2] = (data[index >> 2] ?? 0) | (value << ((index & 3) * 2));
  return new StatusList(2, data);
}

function tokenOf(entries: StatusList, issuedAt: number): StatusListToken {
  const times = { issuedAt, expiresAt: issuedAt + 100, ttl: 10 };
  return { uri: "u", ...times, entries, jws: JWS, text: "", base: null, delta: null };
}

async function deltaOf(entries: StatusList, changes: ReadonlyMap<number, number>): Promise<StatusDelta> {
  const times = { issuedAt: 1000, expiresAt: 2000, ttl: 10, since: 0 };
  return { uri: "u", ...times, width: 2, changes, sha256: await sha256(entries.data), jws: JWS, text: "d" }; // prettier-ignore
}

function encode(indices: readonly number[]): number[] {
  let last = -1;
  return indices.flatMap((index) => {
    const bytes = [];
    let gap = index - last - 1;
    last = index;
    for (; gap > 127; gap = Math.floor(gap / 128)) bytes.push((gap % 128) | 0x80);
    return [...bytes, gap];
  });
}

async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CardError) return error.refusal;
    throw error;
  }
  return "nothing";
}

describe("a delta", () => {
  it("on any list since its beginning gives the whole new list", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (changes, chosen) => {
        const states = [new Map<number, number>()];
        for (const step of changes) {
          const entries = Object.entries(step).map(([index, value]): [number, number] => [
            Number(index),
            value,
          ]);
          states.push(new Map([...(states.at(-1) ?? []), ...entries]));
        }
        const newest = states.at(-1) ?? new Map<number, number>();
        const held = tokenOf(listOf(states[chosen % changes.length] ?? new Map<number, number>()), 500);
        const delta = await deltaOf(listOf(newest), newest);
        const after = await amend(held, delta);
        expect(after.entries.data).toEqual(listOf(newest).data);
        expect([after.issuedAt, after.expiresAt, after.ttl]).toEqual([1000, 2000, 10]);
        expect(after.base).toBe(held);
        // Once more changes nothing, and neither does an older one afterwards.
        expect((await amend(after, delta)).entries).toEqual(after.entries);
        const older = { ...delta, issuedAt: 999 };
        expect(await refusalOf(() => amend(after, older))).toBe("DocumentRolledBack");
      }),
      limits(100),
    );
  });

  it("that leaves out a change is refused", async () => {
    const delta = await deltaOf(listOf(new Map([[3, 1]])), new Map());
    expect(await refusalOf(() => amend(tokenOf(listOf(new Map()), 500), delta))).toBe("BaseNotHeld");
  });

  it("cut at any letter is malformed", async () => {
    const whole = readVector("status_delta/valid.txt").payload;
    for (let end = 0; end < whole.length; end += 1) {
      expect(await refusalOf(() => parseStatusDelta(whole.slice(0, end)))).toBe("MalformedDocument");
    }
  });
});

describe("indices", () => {
  it("have one spelling", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 0x7fffffff }), { minLength: 1 }), (some) => {
        const sorted = some.sort((a, b) => a - b);
        expect(unpackIndices(Uint8Array.from(encode(sorted)))).toEqual(sorted);
      }),
      limits(100),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        let found: number[];
        try {
          found = unpackIndices(bytes);
        } catch (error) {
          if (error instanceof CardError) return;
          throw error;
        }
        expect(encode(found)).toEqual([...bytes]);
      }),
      limits(100),
    );
  });

  it("without end take no time", async () => {
    const endless = new Uint8Array(1_000_000).fill(0x80);
    endless[endless.length - 1] = 1;
    expect(await refusalOf(() => unpackIndices(endless))).toBe("MalformedDocument");
  });
});

it("changes cut at any byte are malformed", async () => {
  const whole = Uint8Array.from(Buffer.from(readVector("changes/valid.txt").payload, "base64"));
  for (let end = 0; end < whole.length; end += 1) {
    expect(await refusalOf(() => parseChanges(whole.slice(0, end)))).toBe("MalformedDocument");
  }
});
