import { readdirSync, readFileSync } from "node:fs";
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

it("has a module for each module of Python's check", () => {
  const ofPython = readdirSync(VERIFIER).filter((name) => name.endsWith(".py") && !name.startsWith("__"));
  const ofOurs = readdirSync(join(VERIFIER, "web/src/check")).map((name) => name.replace(".ts", ".py"));
  const onlyOfIssuers = ["escn.py"]; // mints card numbers
  const missing = ofPython.filter((name) => !ofOurs.includes(name) && !onlyOfIssuers.includes(name));
  expect(missing).toEqual([]);
});
