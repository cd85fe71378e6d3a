/**
 * RFC 4648 base32 without padding, strictly: one text for one byte string.
 *
 * Upper case only; the unused bits of the last character must be zero (section 3.5), otherwise
 * several texts would mean the same bytes.
 */

import type { Bytes } from "./bytes.ts";
import { refuse } from "./errors.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const IMPOSSIBLE_LENGTHS = new Set([1, 3, 6]); // modulo 8

/** Bytes to upper case base32 without padding. */
export function encodeBase32(data: Uint8Array): string {
  let [text, value, bits] = ["", 0, 0];
  for (const byte of data) {
    value = (value << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET.charAt((value >> (bits - 5)) & 31);
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET.charAt((value << (5 - bits)) & 31) : text;
}

/** The inverse of `encodeBase32`; refuses every other spelling as `MalformedCode`. */
export function decodeBase32(text: string): Bytes {
  if (IMPOSSIBLE_LENGTHS.has(text.length % 8)) refuse("MalformedCode", "not base32 without padding");
  const data = new Uint8Array(Math.floor((text.length * 5) / 8));
  let [at, value, bits] = [0, 0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const digit = ALPHABET.indexOf(text.charAt(i));
    if (digit < 0) refuse("MalformedCode", "not base32 in upper case without padding");
    value = (value << 5) | digit;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    data[at] = value >> bits;
    at += 1;
    value &= (1 << bits) - 1;
  }
  if (value !== 0) refuse("MalformedCode", "base32 with unused bits set");
  return data;
}
