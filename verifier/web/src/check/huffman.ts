/** Huffman codes of deflate (RFC 1951, section 3.2.2), read strictly. */

import { refuse } from "./errors.ts";

const MAX_BITS = 15;

/** A Huffman code as a table over its next `bits` bits: symbol << 4 | length, 0 for no symbol. */
export interface Table {
  readonly entries: Uint16Array;
  readonly bits: number;
}

/** The code of these lengths; it must use all of its space, but for one of a single symbol of one bit. */
export function tableOf(lengths: Uint8Array, mayBeSingle: boolean): Table {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  const bits = counts.findLastIndex((count) => count > 0);
  if (bits < 0) return { entries: new Uint16Array(2), bits: 1 };
  const next = firstCodes(counts, mayBeSingle && bits === 1);
  const entries = new Uint16Array(1 << bits);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    const code = next[length] ?? 0;
    next[length] = code + 1;
    for (let i = reversed(code, length); i < entries.length; i += 1 << length)
      entries[i] = (symbol << 4) | length;
  });
  return { entries, bits };
}

function firstCodes(counts: Uint16Array, mayBeIncomplete: boolean): Uint16Array {
  const next = new Uint16Array(MAX_BITS + 1);
  let [code, space] = [0, 1];
  for (let length = 1; length <= MAX_BITS; length += 1) {
    const count = counts[length] ?? 0;
    code = (code + (counts[length - 1] ?? 0)) << 1;
    next[length] = code;
    space = space * 2 - count;
    if (space < 0) malformed();
  }
  if (space > 0 && !mayBeIncomplete) malformed();
  return next;
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let i = 0; i < length; i += 1) result |= ((code >> i) & 1) << (length - 1 - i);
  return result;
}

/** What breaks the form of a deflate stream. */
export function malformed(): never {
  return refuse("MalformedDocument", "it cannot be unpacked: cut off or damaged");
}

export const FIXED_LITERALS = tableOf(
  Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
  false,
);
export const FIXED_DISTANCES = tableOf(new Uint8Array(32).fill(5), false);
