/**
 * Strict JSON (docs/trust-list.md, section 1). `JSON.parse` takes a name twice, forgets how a number
 * was written and nests without end.
 */

import { decodeUtf8 } from "./bytes.ts";
import { refuse } from "./errors.ts";

/** A number, and whether it was written without fraction and exponent. */
export class JsonNumber {
  readonly value: number;
  readonly isInteger: boolean;

  constructor(value: number, isInteger: boolean) {
    this.value = value;
    this.isInteger = isInteger;
  }
}

export type JsonObject = ReadonlyMap<string, Json>;
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

const MAX_LEVELS = 16; // no format of ours nests deeper than 8
const MOST_DIGITS = 4300; // of an integer
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Reads a value that stands on this level of what surrounds it; 1 is the outermost. */
export function parseJson(data: Uint8Array, level = 1): Json {
  let text: string;
  try {
    text = decodeUtf8(data);
  } catch {
    return refuse("MalformedJws", "not UTF-8");
  }
  return new Reader(text).whole(level);
}

/** Reads an object. */
export function parseJsonObject(data: Uint8Array): JsonObject {
  const value = parseJson(data);
  return isJsonObject(value) ? value : refuse("MalformedJws", "not a JSON object");
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value of an integer; null for anything else. */
export function integerOf(value: Json | undefined): number | null {
  return value instanceof JsonNumber && value.isInteger ? value.value : null;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(level: number): Json {
    const value = this.#value(level);
    this.#skipSpace();
    if (this.#at !== this.#text.length) refuse("MalformedJws", "something after the JSON");
    return value;
  }

  #value(level: number): Json {
    if (level > MAX_LEVELS) refuse("MalformedJws", "JSON nested too deep");
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === "{") return this.#object(level);
    if (first === "[") return this.#array(level);
    if (first === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #object(level: number): JsonObject {
    const members = new Map<string, Json>();
    this.#at += 1;
    if (this.#take("}")) return members;
    do {
      this.#skipSpace();
      const name = this.#string();
      if (members.has(name)) refuse("MalformedJws", "a name twice");
      this.#expect(":");
      members.set(name, this.#value(level + 1));
    } while (this.#take(","));
    this.#expect("}");
    return members;
  }

  #array(level: number): readonly Json[] {
    const items: Json[] = [];
    this.#at += 1;
    if (this.#take("]")) return items;
    do items.push(this.#value(level + 1));
    while (this.#take(","));
    this.#expect("]");
    return items;
  }

  // A loop, not an expression: texts of 16 MiB overflow the stack of regular expressions.
  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') refuse("MalformedJws", "a JSON text expected");
    let isPlain = true;
    for (let i = start + 1; i < this.#text.length; i += 1) {
      const code = this.#text.charCodeAt(i);
      if (code < 0x20) refuse("MalformedJws", "a control character in a JSON text");
      if (code === 0x22) {
        this.#at = i + 1;
        return isPlain ? this.#text.slice(start + 1, i) : unescape(this.#text.slice(start, i + 1));
      }
      if (code !== 0x5c) continue;
      isPlain = false;
      i += 1;
    }
    return refuse("MalformedJws", "a JSON text without end");
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (found === null) return refuse("MalformedJws", "not JSON");
    this.#at = NUMBER.lastIndex;
    const isInteger = found[1] === undefined && found[2] === undefined;
    if (isInteger && found[0].replace("-", "").length > MOST_DIGITS) {
      return refuse("MalformedJws", "an integer of too many digits");
    }
    return new JsonNumber(Number(found[0]), isInteger);
  }

  #take(letter: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== letter) return false;
    this.#at += 1;
    return true;
  }

  #expect(letter: string): void {
    if (!this.#take(letter)) refuse("MalformedJws", `${letter} expected`);
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }
}

function unescape(quoted: string): string {
  let text: string;
  try {
    text = String(JSON.parse(quoted));
  } catch {
    return refuse("MalformedJws", "a JSON text with a wrong escape");
  }
  // Only an escape can make one: bytes of UTF-8 cannot.
  return /\p{Surrogate}/u.test(text) ? refuse("MalformedJws", "a lone surrogate") : text;
}
