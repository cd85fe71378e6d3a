/** Our inflating held to zlib's: the same bytes, and a refusal wherever zlib refuses. */

import zlib from "node:zlib";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Bytes } from "../src/check/bytes.ts";
import { CardError } from "../src/check/errors.ts";
import { unpackGzip, unpackZlib } from "../src/check/unpacking.ts";

const MOST = 100_000;

function copyOf(data: Uint8Array): Bytes {
  return Uint8Array.from(data);
}

/** What a reader makes of some bytes: the content, or the refusal's name. */
function outcomeOf(read: () => Uint8Array): string {
  try {
    return Buffer.from(read()).toString("hex");
  } catch (error) {
    if (error instanceof CardError) return error.refusal;
    throw error;
  }
}

/** What zlib makes of a whole stream; trailing bytes, which it ignores, are refused here. */
function zlibOutcome(packed: Uint8Array): string {
  try {
    const { buffer, engine } = zlib.inflateSync(packed, {
      maxOutputLength: MOST,
      info: true,
    }) as never as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return engine.bytesWritten === packed.length ? buffer.toString("hex") : "MalformedDocument";
  } catch (error) {
    return (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE"
      ? "DocumentTooLarge"
      : "MalformedDocument";
  }
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }),
  fc.array(fc.constantFrom(0, 1, 2, 255), { maxLength: 5_000 }).map((values) => Uint8Array.from(values)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 1_500 }))
    .map(([part, times]) => {
      return Uint8Array.from({ length: part.length * times }, (_, i) => part[i % part.length] ?? 0);
    }),
);
const options = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(0, 1, 2, 3, 4),
  windowBits: fc.integer({ min: 9, max: 15 }),
});

describe("whatever zlib packs", () => {
  it("is unpacked to the same bytes", () => {
    fc.assert(
      fc.property(content, options, (data, how) => {
        const [whole, file] = [zlib.deflateSync(data, how), zlib.gzipSync(data, how)].map(copyOf);
        expect(Buffer.compare(unpackZlib(whole ?? data, MOST), data)).toBe(0);
        expect(Buffer.compare(unpackGzip(file ?? data, MOST), data)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("and was damaged afterwards gets the answer of zlib", () => {
    const damage = fc.record({ at: fc.nat(), bit: fc.integer({ min: 0, max: 7 }), cut: fc.boolean() });
    fc.assert(
      fc.property(content, options, damage, (data, how, { at, bit, cut }) => {
        const packed = copyOf(zlib.deflateSync(data, how));
        const place = at % packed.length;
        packed[place] = (packed[place] ?? 0) ^ (1 << bit);
        const damaged = cut ? packed.subarray(0, place) : packed;
        expect(outcomeOf(() => unpackZlib(damaged, MOST))).toBe(zlibOutcome(damaged));
      }),
      { numRuns: 2_000 },
    );
  });
});

it("gives random bytes after a right head the answer of zlib", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
      const packed = Uint8Array.of(0x78, 0x9c, ...rest);
      expect(outcomeOf(() => unpackZlib(packed, MOST))).toBe(zlibOutcome(packed));
    }),
    { numRuns: 5_000 },
  );
});

it.each([
  ["one byte too many", (packed: Bytes) => Uint8Array.of(...packed, 0)],
  ["a second member", (packed: Bytes) => Uint8Array.of(...packed, ...packed)],
  [
    "a member between and the right end again",
    (packed: Bytes) => Uint8Array.of(...packed, ...packed.subarray(-8)),
  ],
  ["a wrong checksum", (packed: Bytes) => packed.with(packed.length - 8, (packed.at(-8) ?? 0) ^ 1)],
  ["a wrong size", (packed: Bytes) => packed.with(packed.length - 1, 1)],
  ["a reserved flag", (packed: Bytes) => packed.with(3, 0x20)],
  [
    "a wrong header checksum",
    (packed: Bytes) => Uint8Array.of(...packed.with(3, 2).subarray(0, 10), 0, 0, ...packed.subarray(10)),
  ],
])("refuses gzip with %s", (_, change) => {
  const packed = copyOf(zlib.gzipSync("a bundle"));
  expect(outcomeOf(() => unpackGzip(packed, MOST))).toBe(Buffer.from("a bundle").toString("hex"));
  expect(outcomeOf(() => unpackGzip(change(packed), MOST))).toBe("MalformedDocument");
});

it("reads gzip with every part that its header may have", () => {
  const packed = zlib.gzipSync("a bundle");
  const header = Uint8Array.of(...packed.subarray(0, 3), 2 | 4 | 8 | 16, ...packed.subarray(4, 10));
  const more = Uint8Array.of(...header, 2, 0, 7, 7, ...Buffer.from("name\0comment\0"));
  const checksum = zlib.gzipSync(more).readUInt16LE(zlib.gzipSync(more).length - 8);
  const whole = Uint8Array.of(...more, checksum & 0xff, checksum >> 8, ...packed.subarray(10));
  expect(Buffer.from(unpackGzip(whole, MOST)).toString()).toBe("a bundle");
});

describe("the cap", () => {
  it("is reached and not passed", () => {
    const packed = copyOf(zlib.deflateSync(new Uint8Array(MOST)));
    expect(unpackZlib(packed, MOST).length).toBe(MOST);
    expect(outcomeOf(() => unpackZlib(packed, MOST - 1))).toBe("DocumentTooLarge");
  });

  it("stops a bomb before its checksum and without its memory", () => {
    const packed = copyOf(zlib.deflateSync(new Uint8Array(64 << 20)));
    packed.fill(0, packed.length - 4);
    const before = process.memoryUsage().arrayBuffers;
    expect(outcomeOf(() => unpackZlib(packed, MOST))).toBe("DocumentTooLarge");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 << 20);
  });
});
