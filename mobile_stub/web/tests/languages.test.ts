/** Every language says the same things, and everything that the screens say is there. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import en from "../src/languages/en.toml";
import lv from "../src/languages/lv.toml";
import { languages } from "../src/page/languages.ts";

const PAGE = join(import.meta.dirname, "../src/page");

/** All texts by their place, such as "words.title". */
function flat(texts: object, before = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(texts) as [string, unknown][]) {
    if (typeof value === "string") found.set(before + key, value);
    else for (const [name, text] of flat(value as object, `${before}${key}.`)) found.set(name, text);
  }
  return found;
}

function blanksOf(text: string): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(String).sort();
}

describe("the languages", () => {
  it("name a country by its code, and leave what is none as it is", () => {
    const [english, latvian] = languages();
    expect([english?.country("LV"), latvian?.country("LV")]).toEqual(["Latvia", "Latvija"]);
    for (const other of ["", "lv", "LVA", "<b>"]) expect(english?.country(other)).toBe(other);
  });

  it("have the same texts with the same blanks, and none is empty", () => {
    const [one, other] = [flat(en), flat(lv)];
    expect([...other.keys()]).toEqual([...one.keys()]);
    for (const [key, text] of one) {
      expect(blanksOf(other.get(key) ?? ""), key).toEqual(blanksOf(text));
      expect(text.trim(), key).not.toBe("");
    }
  });

  it("quote as each is written", () => {
    const quotes = (texts: typeof en): string =>
      [...new Set([...flat(texts).values()].join("").match(/["«»“”„‟]/g))].sort().join("");
    expect([quotes(en), quotes(lv)]).toEqual(["“”", "”„"]);
  });

  it("have every text that a screen names, and no text that nothing names", () => {
    const sources = readdirSync(PAGE)
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => readFileSync(join(PAGE, name), "utf8"))
      .join("\n");
    const named = [...sources.matchAll(/\bword\(\s*"(\w+)"/g)].map(([, key]) => key ?? "");
    expect(named.filter((key) => en.words[key] === undefined)).toEqual([]);
    const built = /^(state|why|do|notice|lock_is|menu|pass|photo|step|what|install_ios)_/;
    const unnamed = Object.keys(en.words).filter(
      (key) =>
        !new RegExp(`["\`]${key}["\`]`).test(sources) && !built.test(key) && !key.endsWith("_explained"),
    );
    expect(unnamed).toEqual([]);
  });

  it("say ages and durations in whole units", () => {
    const [english] = languages();
    const said = [0, 119, 120, 3_599, 3_600, 86_399, 86_400, 172_800].map((age) => english?.ago(age));
    expect(said).toEqual([
      "just now",
      "just now",
      "2 min ago",
      "59 min ago",
      "1 h ago",
      "23 h ago",
      "yesterday",
      "2 days ago",
    ]);
    expect([59, 60, 7_199, 7_200].map((one) => english?.duration(one))).toEqual([
      "59 s",
      "1 min",
      "119 min",
      "2 h",
    ]);
    expect(english?.calendarDay("2028-08-31")).toBe("31 August 2028");
  });
});
