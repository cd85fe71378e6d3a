/**
 * CBOR as docs/esc-qr.md, section 2.1, uses it, in its one deterministic encoding (RFC 8949,
 * section 4.2.1): integers, byte strings, text, arrays, maps, true and false.
 *
 * What is not that is refused while it is read: a head longer than needed, an indefinite length,
 * keys unsorted or twice, a tag, a float. So nothing has to be encoded again to compare. The
 * libraries tried take some of these silently.
 */

import { compare, decodeUtf8, type Bytes } from "./bytes.ts";
import { refuse } from "./errors.ts";

export type CborMap = ReadonlyMap<Cbor, Cbor>;
export type Cbor = number | boolean | string | Bytes | readonly Cbor[] | CborMap;

export function isCborMap(value: Cbor | undefined): value is CborMap {
  return value instanceof Map;
}

export function isCborArray(value: Cbor | undefined): value is readonly Cbor[] {
  return Array.isArray(value);
}

const MAX_DEPTH = 6; // containers; E1's deepest is the key in cnf, at 3
// The least number that needs each of the longer heads (RFC 8949, section 3).
const LEAST = new Map([
  [24, 24],
  [25, 0x100],
  [26, 0x10000],
  [27, 0x100000000],
]);

/** Reads one item, which must be all of the data. */
export function readCbor(data: Bytes): Cbor {
  const reader = new Reader(data);
  const value = reader.item(0);
  if (!reader.isAtEnd) refuse("MalformedCode", "bytes after the CBOR item");
  return value;
}

/** The head and content of a byte string of less than 2^16 bytes. */
export function encodeBytes(data: Uint8Array): Bytes {
  const size = data.length;
  const head = size < 24 ? [0x40 | size] : size < 0x100 ? [0x58, size] : [0x59, size >> 8, size & 0xff];
  const encoded = new Uint8Array(head.length + size);
  encoded.set(head);
  encoded.set(data, head.length);
  return encoded;
}

class Reader {
  readonly #data: Bytes;
  #at = 0;

  constructor(data: Bytes) {
    this.#data = data;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#data.length;
  }

  item(depth: number): Cbor {
    const [major, number] = this.#head();
    if (major === 0) return number;
    if (major === 1) return -1 - number;
    if (major === 2) return this.#take(number);
    if (major === 3) return this.#text(number);
    if (major === 4) return this.#array(number, depth + 1);
    if (major === 5) return this.#map(number, depth + 1);
    if (major === 7 && (number === 20 || number === 21)) return number === 21;
    return refuse("MalformedCode", "a tag, a float or a simple value");
  }

  #take(count: number): Bytes {
    const start = this.#at;
    if (start + count > this.#data.length) refuse("MalformedCode", "CBOR that is cut off");
    this.#at += count;
    return this.#data.subarray(start, this.#at);
  }

  #head(): [number, number] {
    const first = this.#take(1)[0] ?? 0;
    const [major, info] = [first >> 5, first & 31];
    if (info < 24) return [major, info];
    const least = LEAST.get(info);
    if (least === undefined || major > 5) refuse("MalformedCode", "an indefinite length or a foreign head");
    // Beyond 2^53 inexact, which does not matter: nothing that large is taken.
    const number = this.#take(1 << (info - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
    if (number < least) refuse("MalformedCode", "a head longer than needed");
    return [major, number];
  }

  #text(size: number): string {
    const bytes = this.#take(size);
    try {
      return decodeUtf8(bytes);
    } catch {
      return refuse("MalformedCode", "text that is not UTF-8");
    }
  }

  #array(count: number, depth: number): Cbor[] {
    if (depth > MAX_DEPTH) refuse("MalformedCode", "CBOR nested too deep");
    const items: Cbor[] = [];
    for (let i = 0; i < count; i += 1) items.push(this.item(depth));
    return items;
  }

  #map(count: number, depth: number): CborMap {
    if (depth > MAX_DEPTH) refuse("MalformedCode", "CBOR nested too deep");
    const members = new Map<Cbor, Cbor>();
    let before: Bytes | null = null;
    for (let i = 0; i < count; i += 1) {
      const start = this.#at;
      const key = this.item(depth);
      const encoded = this.#data.subarray(start, this.#at);
      if (before !== null && compare(before, encoded) >= 0) refuse("MalformedCode", "keys unsorted or twice");
      before = encoded;
      members.set(key, this.item(depth));
    }
    return members;
  }
}
