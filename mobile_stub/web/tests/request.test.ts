/** Requests, against the vectors that the verifiers are held to, and garbage. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { encodeBase32 } from "../src/codes/base32.ts";
import { WalletRefusal } from "../src/model.ts";
import { parseRequest } from "../src/protocol/request.ts";
import { ROOT } from "./python.ts";

const FOLDER = join(ROOT, "tests/vectors/request");
const NAMES = readdirSync(FOLDER).map((name) => name.replace(/\.txt$/, ""));
const PLAIN = fc.stringMatching(/^[a-zA-ZāčēģīķļņšūžĀČ"\\/.()-]{1,40}$/);

interface Vector {
  readonly expected: string;
  readonly result: unknown;
  readonly payload: string;
}

function read(name: string): Vector {
  const text = readFileSync(join(FOLDER, `${name}.txt`), "utf8");
  const end = text.indexOf("\n\n");
  const headers = new Map(text.slice(0, end).split("\n").map((line) => line.split(/: (.*)/s) as [string, string])); // prettier-ignore
  const result: unknown = JSON.parse(headers.get("result") ?? "null");
  return { expected: headers.get("expect") ?? "", result, payload: text.slice(end + 2).replace(/\n$/, "") };
}

function refusalOf(text: string): string {
  try {
    parseRequest(text);
    return "none";
  } catch (error) {
    if (error instanceof WalletRefusal) return error.refusal;
    throw error;
  }
}

function textOf(value: unknown): string {
  return `ESCR1/${encodeBase32(new TextEncoder().encode(JSON.stringify(value)))}`;
}

describe("a request of the vectors", () => {
  test.each(NAMES.filter((name) => !name.startsWith("valid")))("is refused: %s", (name) => {
    const { expected, payload } = read(name);
    const refusal = expected === "UnknownVersion" ? "request-newer" : "request-malformed";
    expect(["UnknownVersion", "MalformedPresentation", "NotACard"]).toContain(expected);
    expect(refusalOf(payload)).toBe(refusal);
  });

  test.each(NAMES.filter((name) => name.startsWith("valid")))("is read: %s", (name) => {
    const { result, payload } = read(name);
    expect(parseRequest(payload)).toEqual(result);
  });
});

describe("any request", () => {
  test("that keeps the rules is read as it was meant", () => {
    const asked = fc.record({
      audience: PLAIN,
      nonce: fc.stringMatching(/^[A-Za-z0-9_-]{22,86}$/),
      types: fc.uniqueArray(PLAIN, { minLength: 1, maxLength: 4 }),
      claims: fc.uniqueArray(PLAIN, { maxLength: 4 }),
    });
    const property = fc.property(asked, (request) => {
      const claims = request.claims.map((name) => ({ path: [name] }));
      const query = {
        id: "card",
        format: "dc+sd-jwt",
        meta: { vct_values: request.types },
        ...(claims.length === 0 ? {} : { claims }),
      };
      const whole = {
        client_id: request.audience,
        nonce: request.nonce,
        dcql_query: { credentials: [query] },
      };
      expect(parseRequest(`\r\n ${textOf(whole)}\t`)).toEqual(request);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("that is garbage is refused, and nothing else is thrown", () => {
    const beginnings = fc.constantFrom("", "ESCR", "ESCR1/", "ESCR1", "ESCP1/", "escr1/");
    const texts = fc.property(beginnings, fc.string({ unit: "binary" }), (beginning, text) => {
      expect(refusalOf(beginning + text)).toMatch(/^request-/);
    });
    fc.assert(texts, { numRuns: 300 });
    const values = fc.property(fc.jsonValue(), fc.jsonValue(), (query, credential) => {
      for (const dcql_query of [query, { credentials: credential }, { credentials: [credential] }]) {
        const text = textOf({ client_id: "x", nonce: "n".repeat(22), dcql_query });
        expect(refusalOf(text)).toBe("request-malformed");
      }
      expect(refusalOf(textOf(query))).toBe("request-malformed");
    });
    fc.assert(values, { numRuns: 60 });
  });
});
