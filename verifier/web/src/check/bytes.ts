/** Bytes and characters: what Python has built in. */

export type Bytes = Uint8Array<ArrayBuffer>;

/** Whether a value is a byte string; every one that we make has a buffer of its own kind. */
export function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Like `memcmp`: below 0, 0 or above 0. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function startsWith(data: Uint8Array, beginning: Uint8Array): boolean {
  return compare(data.subarray(0, beginning.length), beginning) === 0;
}

/** A number of at most 2^32 - 1 in eight bytes, big-endian. */
export function eightBytes(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, value);
  return bytes;
}

export function hexToBytes(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Strict UTF-8, a byte order mark kept as a character; throws `TypeError`. */
export function decodeUtf8(bytes: Uint8Array): string {
  return UTF8.decode(bytes);
}

export function encodeUtf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** Whether a text has more than `most` characters (Unicode code points). */
export function isLongerThan(text: string, most: number): boolean {
  if (text.length <= most) return false;
  if (text.length > 2 * most) return true;
  return countCharacters(text) > most;
}

export function countCharacters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    if ((text.codePointAt(i) ?? 0) > 0xffff) i += 1;
    count += 1;
  }
  return count;
}

/** Without the four kinds of white space around it that scanners add; `trim` takes more. */
export function trimAround(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && " \t\r\n".includes(text[start] ?? "x")) start += 1;
  while (end > start && " \t\r\n".includes(text[end - 1] ?? "x")) end -= 1;
  return text.slice(start, end);
}

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}
