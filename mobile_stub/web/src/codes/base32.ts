/** RFC 4648 base32 in upper case without padding, strictly: one text for one byte string. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const IMPOSSIBLE_LENGTHS = [1, 3, 6]; // modulo 8

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

/** The inverse of `encodeBase32`; undefined for every other spelling. */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (IMPOSSIBLE_LENGTHS.includes(text.length % 8)) return undefined;
  const data = new Uint8Array(Math.floor((text.length * 5) / 8));
  let [at, value, bits] = [0, 0, 0];
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return undefined;
    value = (value << 5) | digit;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    data[at] = value >> bits;
    at += 1;
    value &= (1 << bits) - 1;
  }
  return value === 0 ? data : undefined; // unused bits must be zero
}
