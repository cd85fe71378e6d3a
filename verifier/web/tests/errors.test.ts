import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { REFUSALS } from "../src/check/errors.ts";

const VERIFIER = join(import.meta.dirname, "../..");

it("names the refusals that Python names", () => {
  const python = readFileSync(join(VERIFIER, "errors.py"), "utf8");
  const classes = [...python.matchAll(/^class (\w+)\((\w+)\):/gm)].map(([, name, base]) => ({ name, base }));
  const bases = new Set(classes.map(({ base }) => base));
  // One branch is a refusal itself.
  const leaves = classes
    .map(({ name }) => name)
    .filter((name) => !bases.has(name) || name === "MalformedCode");
  expect(Object.values(REFUSALS).flat().sort()).toEqual(leaves.sort());
});

it("has modules named as Python's, but for what Python has built in", () => {
  const builtIn = ["bytes", "cbor", "huffman", "index", "inflate", "json", "p256", "unpacking"];
  const modules = readdirSync(join(VERIFIER, "web/src/check")).map((name) => name.replace(".ts", ""));
  const ofOurs = modules.filter((name) => !builtIn.includes(name));
  expect(ofOurs.filter((name) => !existsSync(join(VERIFIER, `${name}.py`)))).toEqual([]);
});
