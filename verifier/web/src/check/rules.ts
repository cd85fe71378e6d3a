/**
 * A service's rules: a small file in which a provider writes what it accepts (docs/rules.md).
 *
 * The file is TOML 1.0 without tables: one `key = value` after the other, so that a fault has a
 * line. Keys are written bare, texts stay on their line.
 */

import { parse, TomlError } from "smol-toml";

import { isLongerThan } from "./bytes.ts";
import { LEVELS } from "./identifiers.ts";
import { CLAIMS, CREDENTIAL_TYPES, DEFAULT_POLICY, HOUR, type Policy } from "./policy.ts";
import { RulesError, type FaultValues, type RulesFault } from "./rules_fault.ts";

const VERSION = 1;
const MAX_CHARS = 16_384;
const MAX_BYTES = 4 * MAX_CHARS; // UTF-8 needs four bytes at most for a character
const MAX_NAME_CHARS = 60;
const MAX_LISTED = 4_000;
const MAX_HOURS = 8_760; // a year; a status list ends long before

const KEY = /^[ \t]*([A-Za-z0-9_-]+)[ \t]*=/;
// Texts and comments of a line; and a text in double quotes without the escapes of TOML 1.1 (`\e`,
// `\xHH`), which other readers do not know.
const TEXTS = /'[^']*'|"(?:[^"\\]|\\.)*"|#.*/g;
const USUAL_TEXT = /^(?!")|^(?:[^\\]|\\[^ex])*$/;
const NAME_KEY = /^service(?:_([a-z]{2}))?$/;
const KEYS = [
  ...["rules", "live_only", "identity_only", "fresh_hours", "usable_hours"],
  ...["institutions", "countries", "types", "levels", "claims"],
];

/** What a service is called, by language ("" for all others), and what it accepts. */
export interface Rules {
  readonly service: ReadonlyMap<string, string>;
  readonly policy: Policy;
}

/** The service's name for readers of a language, `lv` for example. */
export function nameIn(rules: Rules, language: string): string {
  return rules.service.get(language) ?? rules.service.get("") ?? "";
}

/** The text in a file's bytes, without its byte order mark; `RulesError`. */
export function rulesTextOf(data: Uint8Array): string {
  if (data.length > MAX_BYTES) throw new RulesError(null, "too_long", { most: MAX_CHARS });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return decoder.decode(data);
  } catch {
    throw new RulesError(lineOfFault(data), "not_utf8");
  }
}

/** Where the first line stands that is not UTF-8, whose lines end with one and the same byte. */
function lineOfFault(data: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < data.length; line += 1) {
    const end = data.indexOf(0x0a, start);
    const next = end < 0 ? data.length : end + 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(data.subarray(start, next));
    } catch {
      return line;
    }
    start = next;
  }
  return line;
}

/** Reads the file's text; `RulesError` with the line and the reason. */
export function parseRules(text: string): Rules {
  if (isLongerThan(text, MAX_CHARS)) throw new RulesError(null, "too_long", { most: MAX_CHARS });
  const document = new Document(parseToml(text), linesOfKeys(text));
  document.refuseUnknown();
  if (document.take("rules", readVersion, null) === null) {
    throw new RulesError(null, "no_version", { version: VERSION });
  }
  const fresh = document.take("fresh_hours", readHours, 24);
  const usable = document.take("usable_hours", readHours, Math.max(fresh, 168));
  if (usable < fresh) document.refuse("usable_hours", "less_than_fresh");
  const policy: Policy = {
    ...DEFAULT_POLICY,
    liveOnly: document.take("live_only", readTruth, false),
    identityOnly: document.take("identity_only", readTruth, false),
    freshFor: fresh * HOUR,
    staleUntil: usable * HOUR,
    institutions: document.take("institutions", allOf(readPic), null),
    countries: document.take("countries", allOf(readCountry), null),
    types: document.take("types", allOf(oneOf(CREDENTIAL_TYPES)), null),
    levels: document.take("levels", allOf(oneOf(LEVELS)), null),
    claims: document.take("claims", allOf(oneOf(CLAIMS)), new Set()),
  };
  const { types, levels, claims } = policy;
  const asksLevel = levels !== null || claims.has("level");
  if (asksLevel && types?.has("EuropeanStudentCard") === false) document.refuse("types", "no_level");
  return { service: document.names(), policy };
}

/** A value is not what its key asks for. */
class Wrong extends Error {
  readonly fault: RulesFault;
  readonly values: FaultValues;

  constructor(fault: RulesFault, values: FaultValues = {}) {
    super(fault);
    [this.fault, this.values] = [fault, values];
  }
}

class Document {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #lines: ReadonlyMap<string, number>;

  constructor(values: ReadonlyMap<string, unknown>, lines: ReadonlyMap<string, number>) {
    this.#values = values;
    this.#lines = lines;
  }

  refuse(key: string, fault: RulesFault, values: FaultValues = {}): never {
    throw new RulesError(this.#lines.get(key) ?? null, fault, values, key);
  }

  refuseUnknown(): void {
    for (const key of this.#values.keys()) {
      if (!this.#lines.has(key)) this.refuse(key, "not_bare");
      if (!KEYS.includes(key) && !NAME_KEY.test(key)) this.refuse(key, "unknown");
    }
  }

  take<Value, Default>(key: string, read: (value: unknown) => Value, otherwise: Default): Value | Default {
    if (!this.#values.has(key)) return otherwise;
    try {
      return read(this.#values.get(key));
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      return this.refuse(key, error.fault, error.values);
    }
  }

  names(): Map<string, string> {
    if (!this.#values.has("service")) throw new RulesError(null, "no_service");
    const names = new Map<string, string>();
    for (const key of this.#values.keys()) {
      const found = NAME_KEY.exec(key);
      if (found !== null) names.set(found[1] ?? "", this.take(key, readName, ""));
    }
    return names;
  }
}

function parseToml(text: string): Map<string, unknown> {
  try {
    return new Map(Object.entries(parse(text, { integersAsBigInt: true, maxDepth: 16 })));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const why = /^Invalid TOML document: (.*)/.exec(error.message)?.[1] ?? "";
    throw new RulesError(Math.min(error.line, lastLineOf(text)), "not_toml", { why });
  }
}

function lastLineOf(text: string): number {
  return text.trimEnd().split("\n").length;
}

function linesOfKeys(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  text.split("\n").forEach((line, i) => {
    if (line.includes('"""') || line.includes("'''")) {
      throw new RulesError(i + 1, "several_lines");
    }
    if (/^[ \t]*\[/.test(line)) throw new RulesError(i + 1, "table");
    if (![...line.matchAll(TEXTS)].every(([one]) => USUAL_TEXT.test(one))) {
      throw new RulesError(i + 1, "not_toml", { why: "an escape that TOML 1.0 has not" });
    }
    const key = KEY.exec(line)?.[1];
    if (key !== undefined && !lines.has(key)) lines.set(key, i + 1);
  });
  return lines;
}

function readVersion(value: unknown): number {
  if (value !== BigInt(VERSION)) throw new Wrong("version", { version: VERSION });
  return VERSION;
}

function readTruth(value: unknown): boolean {
  if (typeof value !== "boolean") throw new Wrong("truth");
  return value;
}

function readHours(value: unknown): number {
  if (typeof value !== "bigint" || value < 1n || value > BigInt(MAX_HOURS)) {
    throw new Wrong("hours", { most: MAX_HOURS });
  }
  return Number(value);
}

function readName(value: unknown): string {
  // What Python's `isprintable` refuses: all of "other" and "separator" but the space.
  const isUsable = typeof value === "string" && !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|^ | $/u.test(value);
  if (!isUsable || value === "" || isLongerThan(value, MAX_NAME_CHARS)) {
    throw new Wrong("name", { most: MAX_NAME_CHARS });
  }
  return value;
}

function allOf<Value>(read: (value: unknown) => Value): (value: unknown) => ReadonlySet<Value> {
  return (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_LISTED) {
      // An empty list would refuse everybody; to take all, the rule is left out.
      throw new Wrong("list", { most: MAX_LISTED });
    }
    const found = new Set(value.map((item: unknown) => read(item)));
    if (found.size < value.length) throw new Wrong("twice");
    return found;
  };
}

function readPic(value: unknown): string {
  if (typeof value !== "string" || !/^[0-9]{9}$/.test(value)) throw new Wrong("pic");
  return value;
}

function readCountry(value: unknown): string {
  if (typeof value !== "string" || !/^[A-Z]{2}$/.test(value)) {
    throw new Wrong("country");
  }
  return value;
}

function oneOf<Name extends string>(names: readonly Name[]): (value: unknown) => Name {
  return (value) => {
    const name = names.find((one) => one === value);
    if (name === undefined) throw new Wrong("one_of", { names: names.map((one) => `"${one}"`).join(", ") });
    return name;
  };
}
