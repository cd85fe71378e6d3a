/**
 * Codes as SVG paths (docs/esc-qr.md, section 4): error correction L on screens, where a smaller
 * code beats a better corrected one, M in print; a quiet zone of 4 modules.
 */

import { correction, generate, mode, type Bitmap2D } from "lean-qr";

export interface DrawnCode {
  /** What is black, for `<path d>` in a `viewBox` of 0 0 size size. */
  readonly path: string;
  readonly size: number;
}

export type Medium = "screen" | "print";

export const QUIET_ZONE = 4;
// Comparing all eight masks is nine tenths of the work, and signed bytes look the same under each.
const MASK = 3;
const LEVELS = { screen: correction.L, print: correction.M };

/** The code's drawing; lean-qr throws for a text that no code can hold. */
export function drawCode(text: string, medium: Medium): DrawnCode {
  const end = text.indexOf("#") + 1;
  // The address as bytes; the signed part is all of the alphanumeric mode.
  const parts = [mode.ascii(text.slice(0, end)), mode.alphaNumeric(text.slice(end))];
  const isOurs = end > 0 && end < text.length && /^[0-9A-Z $%*+\-./:]+$/.test(text.slice(end));
  const level = LEVELS[medium];
  const code = generate(isOurs ? mode.multi(...parts) : text, {
    minCorrectionLevel: level,
    maxCorrectionLevel: level,
    mask: MASK,
  });
  return { path: pathOf(code), size: code.size + 2 * QUIET_ZONE };
}

/** A rectangle for each run of black modules in a row: no seams between modules. */
function pathOf(code: Bitmap2D): string {
  let path = "";
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      const start = x;
      while (code.get(x, y)) x += 1;
      if (x > start) path += `M${start + QUIET_ZONE} ${y + QUIET_ZONE}h${x - start}v1h${start - x}z`;
    }
  }
  return path;
}
