/** Every vector of tests/vectors, or of the folder in ESC_VECTORS, through the check. */

import { describe, expect, it } from "vitest";

import { CardError } from "../src/check/errors.ts";
import { checkVector, parseVector, readVector, vectorPaths } from "./vector_files.ts";

describe("a vector gets the answer it expects", () => {
  it.each(vectorPaths())("%s", async (path) => {
    const vector = readVector(path);
    const expected = vector.get("expect");
    if (expected === "valid") {
      expect(await checkVector(vector)).toEqual(JSON.parse(vector.get("result")));
      return;
    }
    const refusal = await checkVector(vector).then(
      () => "valid",
      (error: unknown) => (error instanceof CardError ? error.refusal : error),
    );
    expect(refusal).toBe(expected);
  });
});

describe("a vector file that breaks its format is not read", () => {
  it.each([
    "check: card\nexpected: valid\n\nx\n",
    "check: card\ncheck: card\n\nx\n",
    "check:card\n\nx\n",
    "check: card\n\nx",
    "check: card\n",
  ])("%j", (text) => {
    expect(() => parseVector(text)).toThrow();
  });
});
