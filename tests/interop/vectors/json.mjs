// Strict JSON (trust-list.md, 1). JSON.parse takes a name twice and forgets how a number was written.

import { refuse } from "./refusal.mjs";

const MOST_LEVELS = 16;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const SPACE = /[ \t\n\r]*/y;

// A number that is written with a fraction or an exponent.
export class Fraction {
  constructor(value) {
    this.value = value;
  }
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Fraction);
}

export const isInteger = (value) => typeof value === "number";
export const isString = (value) => typeof value === "string";

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }

  // Skips white space, and the letter after it if it is this one.
  skip(letter) {
    this.match(SPACE);
    if (this.text[this.at] !== letter) return false;
    this.at += 1;
    return true;
  }

  expect(letter) {
    if (!this.skip(letter)) refuse("MalformedJws", `${letter} expected`);
  }

  value(level) {
    if (level > MOST_LEVELS) refuse("MalformedJws", "nested too deep");
    if (this.skip("{")) return this.object(level);
    if (this.skip("[")) return this.array(level);
    if (this.text[this.at] === '"') return this.string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    const found = this.match(NUMBER) ?? refuse("MalformedJws", "not JSON");
    const number = Number(found[0]);
    if (found[1] !== undefined || found[2] !== undefined) return new Fraction(number);
    return /^-?\d{1,4300}$/.test(found[0]) ? number : refuse("MalformedJws", "too many digits");
  }

  string() {
    const found = this.match(TEXT) ?? refuse("MalformedJws", "not a JSON text");
    const text = JSON.parse(found[0]);
    return text.isWellFormed() ? text : refuse("MalformedJws", "a lone surrogate");
  }

  object(level) {
    const members = Object.create(null);
    if (this.skip("}")) return members;
    do {
      this.match(SPACE);
      const name = this.string();
      if (name in members) refuse("MalformedJws", "a name twice");
      this.expect(":");
      members[name] = this.value(level + 1);
    } while (this.skip(","));
    this.expect("}");
    return members;
  }

  array(level) {
    const items = [];
    if (this.skip("]")) return items;
    do items.push(this.value(level + 1));
    while (this.skip(","));
    this.expect("]");
    return items;
  }
}

function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("MalformedJws", "not UTF-8");
  }
}

// Any value, `level` deep in what surrounds it.
export function readJson(bytes, level = 1) {
  const reader = new Reader(decode(bytes));
  const value = reader.value(level);
  reader.match(SPACE);
  if (reader.at !== reader.text.length) refuse("MalformedJws", "something after the JSON");
  return value;
}

export function readJsonObject(bytes) {
  const value = readJson(bytes);
  return isObject(value) ? value : refuse("MalformedJws", "not a JSON object");
}

export function secondsOf(value, refusal) {
  const number = value instanceof Fraction ? value.value : value;
  if (typeof number !== "number" || !(number >= 0 && number <= 0xffffffff)) refuse(refusal, "not seconds");
  return Math.trunc(number);
}
