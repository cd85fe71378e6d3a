/**
 * Deflate (RFC 1951), read strictly and never beyond a cap.
 *
 * Not `DecompressionStream`: engines differ in what they do with bytes after the end, and none stops
 * at a cap before it has looked at a checksum. What is refused here is what zlib refuses; a property
 * test holds the two together.
 */

import type { Bytes } from "./bytes.ts";
import { refuse } from "./errors.ts";
import { FIXED_DISTANCES, FIXED_LITERALS, malformed, tableOf, type Table } from "./huffman.ts";

const END_OF_BLOCK = 256;
// prettier-ignore
const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
// prettier-ignore
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
// prettier-ignore
const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
// prettier-ignore
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
// The order in which the lengths of the code for lengths come (section 3.2.7).
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** All that a deflate stream unpacks to, and where in `packed` it ends. */
export interface Inflated {
  readonly data: Bytes;
  readonly end: number;
}

/** Unpacks the deflate stream that begins at `start`; `DocumentTooLarge` beyond `most` bytes. */
export function inflate(packed: Uint8Array, start: number, most: number): Inflated {
  const input = new Input(packed, start);
  const output = new Output(most, (packed.length - start) * 4);
  let isLast = false;
  while (!isLast) {
    isLast = input.take(1) === 1;
    const kind = input.take(2);
    if (kind === 0) copyStored(input, output);
    else if (kind === 1) inflateBlock(input, output, FIXED_LITERALS, FIXED_DISTANCES);
    else if (kind === 2) inflateBlock(input, output, ...readTables(input));
    else malformed();
  }
  return { data: output.data, end: input.nextByte };
}

class Input {
  readonly #packed: Uint8Array;
  #at: number;
  #held = 0;
  #bits = 0;

  constructor(packed: Uint8Array, start: number) {
    this.#packed = packed;
    this.#at = start;
  }

  /** Where the first byte is of which no bit was taken. */
  get nextByte(): number {
    return this.#at - (this.#bits >> 3);
  }

  take(count: number): number {
    this.#fill(count);
    if (this.#bits < count) malformed();
    return this.#drop(count);
  }

  /** The next symbol of a code. */
  symbol(table: Table): number {
    this.#fill(table.bits);
    const entry = table.entries[this.#held & ((1 << table.bits) - 1)] ?? 0;
    const length = entry & 15;
    if (length === 0 || length > this.#bits) malformed();
    this.#drop(length);
    return entry >> 4;
  }

  /** Whole bytes, from the next one on. */
  bytes(count: number): Uint8Array {
    const start = this.nextByte;
    if (start + count > this.#packed.length) malformed();
    [this.#at, this.#held, this.#bits] = [start + count, 0, 0];
    return this.#packed.subarray(start, start + count);
  }

  // At most 15 bits are asked for, so 22 are held at most.
  #fill(count: number): void {
    while (this.#bits < count && this.#at < this.#packed.length) {
      this.#held |= (this.#packed[this.#at] ?? 0) << this.#bits;
      this.#at += 1;
      this.#bits += 8;
    }
  }

  #drop(count: number): number {
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#bits -= count;
    return value;
  }
}

class Output {
  readonly #most: number;
  #data: Bytes;
  #size = 0;

  constructor(most: number, guess: number) {
    this.#most = most;
    this.#data = new Uint8Array(Math.min(most, Math.max(guess, 1024)));
  }

  get data(): Bytes {
    return this.#data.subarray(0, this.#size);
  }

  byte(value: number): void {
    if (this.#size === this.#data.length) this.#grow(1);
    this.#data[this.#size] = value;
    this.#size += 1;
  }

  bytes(values: Uint8Array): void {
    if (this.#size + values.length > this.#data.length) this.#grow(values.length);
    this.#data.set(values, this.#size);
    this.#size += values.length;
  }

  repeat(distance: number, length: number): void {
    if (distance > this.#size) malformed();
    if (this.#size + length > this.#data.length) this.#grow(length);
    const data = this.#data;
    for (let at = this.#size, end = at + length; at < end; at += 1) data[at] = data[at - distance] ?? 0;
    this.#size += length;
  }

  #grow(count: number): void {
    const needed = this.#size + count;
    if (needed > this.#most) refuse("DocumentTooLarge", `it unpacks to more than ${this.#most} bytes`);
    const larger = new Uint8Array(Math.min(this.#most, Math.max(needed, this.#data.length * 2)));
    larger.set(this.#data);
    this.#data = larger;
  }
}

function copyStored(input: Input, output: Output): void {
  const [low = 0, high = 0, lowInverse = 0, highInverse = 0] = input.bytes(4);
  if ((low ^ lowInverse) !== 0xff || (high ^ highInverse) !== 0xff) malformed();
  output.bytes(input.bytes(low | (high << 8)));
}

function inflateBlock(input: Input, output: Output, literals: Table, distances: Table): void {
  for (;;) {
    const symbol = input.symbol(literals);
    if (symbol < END_OF_BLOCK) output.byte(symbol);
    else if (symbol === END_OF_BLOCK) return;
    else copyMatch(input, output, symbol - END_OF_BLOCK - 1, distances);
  }
}

function copyMatch(input: Input, output: Output, lengthSymbol: number, distances: Table): void {
  const base = LENGTH_BASE[lengthSymbol] ?? malformed();
  const length = base + input.take(LENGTH_BITS[lengthSymbol] ?? 0);
  const symbol = input.symbol(distances);
  const distance = (DISTANCE_BASE[symbol] ?? malformed()) + input.take(DISTANCE_BITS[symbol] ?? 0);
  output.repeat(distance, length);
}

function readTables(input: Input): [Table, Table] {
  const [literals, distances] = [input.take(5) + 257, input.take(5) + 1];
  const lengthCodes = input.take(4) + 4;
  if (literals > 286 || distances > 30) malformed();
  const ofLengths = new Uint8Array(19);
  for (const symbol of LENGTHS_ORDER.slice(0, lengthCodes)) ofLengths[symbol] = input.take(3);
  const lengths = readLengths(input, tableOf(ofLengths, false), literals + distances);
  if (lengths[END_OF_BLOCK] === 0) malformed();
  return [tableOf(lengths.subarray(0, literals), true), tableOf(lengths.subarray(literals), true)];
}

function readLengths(input: Input, table: Table, count: number): Uint8Array {
  const lengths = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const symbol = input.symbol(table);
    if (symbol < 16) {
      lengths[at] = symbol;
      at += 1;
      continue;
    }
    if (symbol === 16 && at === 0) malformed();
    const value = symbol === 16 ? (lengths[at - 1] ?? 0) : 0;
    const times = symbol === 16 ? 3 + input.take(2) : symbol === 17 ? 3 + input.take(3) : 11 + input.take(7);
    if (at + times > count) malformed();
    lengths.fill(value, at, at + times);
    at += times;
  }
  return lengths;
}
