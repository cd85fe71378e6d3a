/** Codes as drawings: read back by an independent decoder, within the sizes of docs/esc-qr.md. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { encodeBase32 } from "../src/codes/base32.ts";
import { drawCode, type DrawnCode } from "../src/codes/drawing.ts";
import { readPixels } from "../src/codes/scanning.ts";
import { ROOT } from "./python.ts";

const SCALE = 4;
const ADDRESS = "https://esc.gg/d6a1e2f0-9c3b-11f0-8a5e-001999800001";

/** The drawing as a camera would give it: 4 pixels a module, black on white. */
function pixelsOf({ path, size }: DrawnCode): ImageData {
  const side = size * SCALE;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x = "", y = "", width = ""] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * SCALE; row < (Number(y) + 1) * SCALE; row += 1) {
      const start = (row * side + Number(x) * SCALE) * 4;
      for (let at = 0; at < Number(width) * SCALE; at += 1) data.fill(0, start + at * 4, start + at * 4 + 3);
    }
  }
  return { data, width: side, height: side, colorSpace: "srgb" };
}

function versionOf({ size }: DrawnCode): number {
  return (size - 8 - 17) / 4;
}

function codeOf(kind: "E1" | "E2", bytes: number): string {
  return `${ADDRESS}#${kind}${encodeBase32(new Uint8Array(bytes).map((_, at) => (at * 37) & 0xff))}`;
}

describe("a drawn code", () => {
  test.each(["screen", "print"] as const)("of the vectors is read back, on %s", async (medium) => {
    for (const name of ["valid_live_status", "valid_static_identity"]) {
      const file = readFileSync(join(ROOT, `tests/vectors/esc_qr/${name}.txt`), "utf8");
      const text = file.slice(file.indexOf("\n\n") + 2).trim();
      expect(await readPixels(pixelsOf(drawCode(text, medium)))).toBe(text);
    }
  });

  // docs/esc-qr.md, section 6.
  test.each([
    ["E1", 193, 12, 10],
    ["E2", 267, 14, 12],
    ["E1", 278, 14, 13],
    ["E2", 353, 16, 14],
  ] as const)(
    "%s of %d bytes is no larger than version %d in print, %d on screens",
    (kind, bytes, print, screen) => {
      const text = codeOf(kind, bytes);
      expect(versionOf(drawCode(text, "print"))).toBeLessThanOrEqual(print);
      expect(versionOf(drawCode(text, "screen"))).toBeLessThanOrEqual(screen);
    },
  );

  test("of any other text is read back, too", async () => {
    const letters = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(letters, async (text) => {
        expect(await readPixels(pixelsOf(drawCode(text, "screen")))).toBe(text);
      }),
      { numRuns: 10 },
    );
  });

  test("has a quiet zone of four modules on each side", () => {
    const { path, size } = drawCode(codeOf("E2", 267), "screen");
    for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
      expect(Math.min(Number(x), Number(y))).toBeGreaterThanOrEqual(4);
      expect(Math.max(Number(x) + Number(width), Number(y) + 1)).toBeLessThanOrEqual(size - 4);
    }
  });

  test("is not found in noise", async () => {
    const data = new Uint8ClampedArray(200 * 200 * 4).map((_, at) => (at * 7919) & 0xff);
    expect(await readPixels({ data, width: 200, height: 200, colorSpace: "srgb" })).toBeNull();
  });
});
