import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "smol-toml";
import { expect, it } from "vitest";

import { REFUSALS } from "../src/check/errors.ts";
import { FAULTS } from "../src/check/rules_fault.ts";

const VERIFIER = join(import.meta.dirname, "../..");

function read(path: string): Record<string, unknown> {
  return parse(readFileSync(join(VERIFIER, path), "utf8"));
}

function blanksOf(text: unknown): string[] {
  return [...String(text).matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();
}

it("says the same things with the same blanks in every language", () => {
  const [en, lv] = ["en", "lv"].map((code) => read(`web/src/page/languages/page.${code}.toml`));
  expect(Object.keys(lv ?? {})).toEqual(Object.keys(en ?? {}));
  for (const [key, text] of Object.entries(en ?? {}))
    expect([key, blanksOf(lv?.[key])]).toEqual([key, blanksOf(text)]);
});

it.each(["en", "lv"])(
  "has a sentence and a hint for every refusal in %s, those of the command line",
  (code) => {
    const { refusals } = read(`cli/languages/${code}.toml`) as { refusals: Record<string, object> };
    for (const name of Object.values(REFUSALS).flat()) {
      expect(Object.keys(refusals[name] ?? {}).sort()).toEqual(["hint", "sentence"]);
    }
  },
);

it("quotes in Latvian as Latvian is written", () => {
  const files = ["web/src/page/languages/page.lv.toml", "cli/languages/lv.toml"];
  // In JSON a quotation mark inside of a text has a backslash before it.
  for (const path of files) expect(JSON.stringify(read(path)).match(/\\"|[«»“‟]/g)).toBe(null);
});

it("says every fault of a file of rules in Latvian, too", () => {
  const { rules_faults: faults } = read("cli/languages/lv.toml") as { rules_faults: Record<string, string> };
  for (const [name, text] of Object.entries(FAULTS)) {
    expect(faults).toHaveProperty(name);
    expect(blanksOf(text)).toEqual(expect.arrayContaining(blanksOf(faults[name])));
  }
});

it("has every text that the page asks for, and none that nobody reads", () => {
  const page = read("web/src/page/languages/page.en.toml");
  const { words } = read("cli/languages/en.toml") as { words: Record<string, string> };
  const folder = join(VERIFIER, "web/src/page");
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const code = files.map((name) => readFileSync(join(folder, name), "utf8")).join();
  const asked = [...code.matchAll(/word\(\s*"([\w-]+)"/g)].map(([, key]) => key ?? "");
  for (const key of asked) expect(Object.keys({ ...words, ...page })).toContain(key);
  const quoted = new Set([...code.matchAll(/["`]([\w-]+)["`]/g)].map(([, key]) => key ?? ""));
  const computed = ["count_valid", "count_warned", "count_refused", "warned"];
  expect(Object.keys(page).filter((key) => !quoted.has(key) && !computed.includes(key))).toEqual([]);
});
