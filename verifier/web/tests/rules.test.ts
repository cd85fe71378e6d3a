/** A service's rules: docs/rules.md, and the faults of tests/verifier/test_rules.py. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DEFAULT_POLICY, HOUR } from "../src/check/policy.ts";
import { nameIn, parseRules, rulesTextOf } from "../src/check/rules.ts";
import { RulesError } from "../src/check/rules_fault.ts";
import { limits } from "./limits.ts";

const VERIFIER = join(import.meta.dirname, "../..");
const SMALLEST = 'rules = 1\nservice = "Till"\n';

const FAULTS: [string, string, number | null, string][] = [
  ["an empty file", "", null, "`rules = 1` is missing"],
  ["no version", 'service = "Till"\n', null, "`rules = 1` is missing"],
  ["a newer version", 'rules = 2\nservice = "Till"\n', 1, "version 1 only"],
  ["a version that is true", 'rules = true\nservice = "Till"\n', 1, "version 1 only"],
  ["a version with a fraction", 'rules = 1.0\nservice = "Till"\n', 1, "version 1 only"],
  ["no name", "rules = 1\n", null, "`service`, the service's name, is missing"],
  ["a blank name", 'rules = 1\nservice = " "\n', 2, "a name of 1 to 60 characters"],
  ["a name with a newline", 'rules = 1\nservice = "a\\nb"\n', 2, "a name of 1 to 60"],
  ["a name in Latvian that is a number", SMALLEST + "service_lv = 7\n", 3, "a name of 1 to 60"],
  ["a name that is too long", `rules = 1\nservice = "${"x".repeat(61)}"\n`, 2, "a name of 1 to 60"],
  ["an unknown rule", SMALLEST + "\n\nlive = true\n", 5, "there is no such rule"],
  ["a rule with a country's name", SMALLEST + 'service_lva = "x"\n', 3, "no such rule"],
  ["a text for a boolean", SMALLEST + 'live_only = "yes"\n', 3, "true or false"],
  ["a number for a boolean", SMALLEST + "identity_only = 1\n", 3, "true or false"],
  ["no hours", SMALLEST + "fresh_hours = 0\n", 3, "a whole number of hours"],
  ["hours that are true", SMALLEST + "fresh_hours = true\n", 3, "a whole number of hours"],
  ["half an hour", SMALLEST + "fresh_hours = 0.5\n", 3, "a whole number of hours"],
  ["more than a year", SMALLEST + "usable_hours = 8761\n", 3, "a whole number of hours"],
  [
    "usable for less than fresh",
    SMALLEST + "usable_hours = 2\nfresh_hours = 3\n",
    3,
    "less than fresh_hours",
  ],
  ["usable for less than fresh by default", SMALLEST + "usable_hours = 23\n", 3, "less than fresh_hours"],
  ["no country at all", SMALLEST + "countries = []\n", 3, "leave the rule out"],
  ["a country that is no list", SMALLEST + 'countries = "LV"\n', 3, "a list of 1 to 4000"],
  ["a country in small letters", SMALLEST + 'countries = [\n "LV",\n "ee"]\n', 3, "capital"],
  ["a country twice", SMALLEST + 'countries = ["LV", "LV"]\n', 3, "listed twice"],
  ["a PIC that is a number", SMALLEST + "institutions = [999978433]\n", 3, "nine digits"],
  ["a PIC of eight digits", SMALLEST + 'institutions = ["99997843"]\n', 3, "nine digits"],
  ["a type that is none", SMALLEST + 'types = ["card"]\n', 3, 'one of "EuropeanStudentCard"'],
  [
    "a type alone that says no level, where levels are listed",
    SMALLEST + 'levels = ["MASTER"]\ntypes = ["VerifiableStudentID"]\n',
    4,
    "names no level",
  ],
  [
    "a type alone that says no level, where one is to be shown",
    SMALLEST + 'types = ["VerifiableStudentID"]\nclaims = ["level"]\n',
    3,
    "names no level",
  ],
  ["a level that is none", SMALLEST + 'levels = ["PHD"]\n', 3, 'one of "BACHELOR"'],
  ["a claim that is none", SMALLEST + 'claims = ["photo"]\n', 3, 'one of "name", "level"'],
  ["a key twice", SMALLEST + "live_only = true\nlive_only = true\n", 4, "not TOML"],
  ["no TOML at all", SMALLEST + "what is this\n", 3, "not TOML"],
  ["a text that does not end", 'rules = 1\nservice = "Till\n', 2, "not TOML"],
  ["a list that does not end", SMALLEST + "countries = [", 3, "not TOML"],
  ["a table", SMALLEST + "[more]\n", 3, "no tables"],
  ["a quoted key", SMALLEST + '"live_only" = true\n', null, "keys are written bare"],
  ["a dotted key", SMALLEST + "live.only = true\n", null, "keys are written bare"],
  ["a text of several lines", 'rules = 1\nservice = """Till"""\n', 2, "no triple quotes"],
  ["an escape of TOML 1.1", SMALLEST + 'countries = ["\\x4cV"]\n', 3, "not TOML"],
  ["an escape of TOML 1.1 for a control", SMALLEST + 'service_lv = "\\e"\n', 3, "not TOML"],
  ["too long", SMALLEST + "#".repeat(16_384), null, "longer than 16384"],
  ["nested without end", SMALLEST + "levels = " + "[".repeat(9_000), 3, ""],
];

describe("a bad file is refused with the line and the reason", () => {
  it.each(FAULTS)("%s", (_, text, line, reason) => {
    const refused = refusalOf(text);
    expect(refused?.line).toBe(line);
    expect(refused?.reason).toContain(reason);
  });
});

function refusalOf(text: string): RulesError | null {
  try {
    parseRules(text);
    return null;
  } catch (error) {
    if (error instanceof RulesError) return error;
    throw error;
  }
}

it("refuses garbage as rules and in no other way", () => {
  const line = fc.constantFrom(
    "rules = 1",
    'service = "x"',
    "live_only = true",
    "levels = [",
    "]",
    "#",
    '"a"',
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.array(line).map((all) => all.join("\n")),
  );
  fc.assert(
    fc.property(text, (one) => void refusalOf(one)),
    limits(2_000),
  );
});

it("takes the default for what is left out", () => {
  const rules = parseRules(SMALLEST);
  expect(rules.policy).toEqual(DEFAULT_POLICY);
  expect(nameIn(rules, "lv")).toBe("Till");
});

it("has a status that is fresh for longer than a week usable for as long", () => {
  expect(parseRules(SMALLEST + "fresh_hours = 200\n").policy.staleUntil).toBe(200 * HOUR);
});

it("refuses a file that is not UTF-8, with the line", () => {
  const latin = Uint8Array.from("rules = 1\nservice = 'Las\xeetava'\n", (letter) => letter.charCodeAt(0));
  expect(() => rulesTextOf(latin)).toThrow("line 2: not UTF-8");
  expect(() => rulesTextOf(new Uint8Array(70_000))).toThrow("longer than 16384");
  expect(rulesTextOf(new TextEncoder().encode("\ufeffrules = 1"))).toBe("rules = 1");
});

it("reads a backslash that is no escape", () => {
  const text = 'rules = 1 # "\\e"\nservice = \'C:\\x41\' # \'\\e"\nservice_lv = "\\\\xa"\n';
  expect([...parseRules(text).service.values()]).toEqual(["C:\\x41", "\\xa"]);
});

it("reads Windows line ends, comments and lists over lines", () => {
  const text =
    'rules = 1 # first\r\nservice = "Kase"\r\nservice_lv = "Kāse"\r\ncountries = [\r\n "LV", # here\r\n]\r\n';
  const rules = parseRules(text);
  expect(nameIn(rules, "lv")).toBe("Kāse");
  expect(rules.policy.countries).toEqual(new Set(["LV"]));
});

describe("a preset is read", () => {
  const files = readdirSync(join(VERIFIER, "presets")).filter((name) => name.endsWith(".toml"));
  it.each(files)("%s", (name) => {
    const rules = parseRules(readFileSync(join(VERIFIER, "presets", name), "utf8"));
    const row = new RegExp(`^\\| \`${name.replace(".toml", "")}\` \\| (.*?) \\| (.*?) \\| (.*?) \\|`, "m");
    const document = readFileSync(join(VERIFIER, "../docs/rules.md"), "utf8");
    const [, codes, ages, types] = row.exec(document) ?? [];
    const { liveOnly, identityOnly, freshFor, staleUntil } = rules.policy;
    const isCardOnly = rules.policy.types?.has("VerifiableStudentID") === false;
    expect(types).toBe(isCardOnly ? "card" : "card, student ID");
    expect(codes).toBe(liveOnly ? `live${identityOnly ? ", identity" : ""}` : "printed too");
    expect(ages).toBe(`${freshFor / HOUR} h, ${staleUntil / HOUR} h`);
    expect(nameIn(rules, "lv")).not.toBe(nameIn(rules, "en"));
  });
});
