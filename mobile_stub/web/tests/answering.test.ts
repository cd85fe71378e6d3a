/** Answers: what is disclosed and what is not, parts that join again, and what the verifier says. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { joinParts } from "../../../verifier/web/src/check/presentation_qr.ts";
import { base64url } from "../src/codes/base64url.ts";
import { PART_BYTES, splitPresentation } from "../src/codes/parts.ts";
import type { Credential } from "../src/protocol/credentials.ts";
import { answerable, presentation } from "../src/protocol/disclosing.ts";
import type { PresentationRequest } from "../src/protocol/request.ts";
import { ROOT, runPython } from "./python.ts";

const VECTORS = join(ROOT, "tests/vectors");
const NOW = 1_800_000_000; // of the vectors
const PIECES = fc.array(fc.uint8Array({ minLength: 1, maxLength: 120 }), { minLength: 6, maxLength: 20 });

function payloadOf(path: string): string {
  const text = readFileSync(join(VECTORS, path), "utf8");
  return text.slice(text.indexOf("\n\n") + 2).replace(/\n$/, "");
}

// The card of the vectors with all that it can disclose, without a key binding.
const WHOLE = payloadOf("sd_jwt_vc/valid_everything_disclosed.txt").trim().split("~").slice(0, -1).join("~") + "~"; // prettier-ignore
const CARD: Credential = { format: "dc+sd-jwt", value: WHOLE };
const TYPE = "https://esc.example/types/european-student-card/v1";
const REQUEST: PresentationRequest = {
  audience: "City library",
  nonce: "n4bQgYhMfWWaL-qgxVrQFa",
  types: [TYPE],
  claims: ["name", "schac_personal_unique_code"],
};

async function phoneKey(): Promise<CryptoKey> {
  const text = readFileSync(join(VECTORS, "keys.json"), "utf8");
  const { keys } = JSON.parse(text) as { keys: { phone: { jwk: JsonWebKey } } };
  const { kty, crv, x, y, d } = keys.phone.jwk as Record<string, string>;
  const jwk = { kty: kty ?? "", crv: crv ?? "", x: x ?? "", y: y ?? "", d: d ?? "" };
  return crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

async function partsOf(request: PresentationRequest, claims: readonly string[]): Promise<string[]> {
  const answer = answerable([CARD], request);
  if (answer === undefined) throw new Error("no answer");
  const agreed = { claims, key: await phoneKey(), now: NOW };
  return (await splitPresentation(await presentation(answer, request, agreed))) ?? [];
}

/** What the verifier in Python says of these parts, asked with this request. */
function verdict(parts: readonly string[], request: PresentationRequest): Record<string, unknown> {
  const script = `
import json, sys
from tests.verifier.vector_files import knowledge_of
from verifier.errors import CardError
from verifier.presentation_qr import join_parts
from verifier.verify_sd_jwt_vc import ExpectedKeyBinding, verify_credential
given = json.load(sys.stdin)
now, asked = given["now"], ExpectedKeyBinding(given["audience"], given["nonce"])
try:
    card = verify_credential(join_parts(given["parts"]), knowledge=knowledge_of("usual.escbundle", now), now=now, expected_key_binding=asked)
    print(json.dumps({"name": card.name, "level": card.level, "esi": card.esi.text, "evidence": card.evidence}))
except CardError as error:
    print(json.dumps({"refused": type(error).__name__}))`;
  const input = JSON.stringify({ parts, audience: request.audience, nonce: request.nonce, now: NOW });
  return JSON.parse(runPython(script, input)) as Record<string, unknown>;
}

describe("parts", () => {
  test("are joined by a verifier to what was split, in any order", async () => {
    const property = fc.asyncProperty(PIECES, async (pieces) => {
      const texts = pieces.map((piece) => base64url(piece));
      const binding = texts.slice(-3).join(".");
      const whole = [texts.slice(0, 3).join("."), ...texts.slice(3, -3), binding].join("~");
      const parts = (await splitPresentation(whole)) ?? [];
      expect(await joinParts([...parts].reverse())).toBe(whole);
      for (const part of parts) expect(part).toMatch(/^ESCP1\/[A-Z0-9/]{1,844}$/);
    });
    await fc.assert(property, { numRuns: 100 });
  });

  test("are at most sixteen, none larger than the others", async () => {
    const piece = (size: number): string => base64url(new Uint8Array(size).fill(7));
    const of = (size: number): string =>
      `${piece(9)}.${piece(size)}.${piece(64)}~${piece(9)}.${piece(9)}.${piece(64)}`;
    const parts = (await splitPresentation(of(4_600))) ?? [];
    expect(parts).toHaveLength(16);
    expect(new Set(parts.slice(0, -1).map(({ length }) => length)).size).toBeLessThanOrEqual(2);
    expect(PART_BYTES).toBeLessThanOrEqual(300);
    expect(await splitPresentation(of(4_700))).toBeUndefined();
  });

  test.each([
    "",
    "~",
    "a.b.c~",
    "a.b.c~a.b",
    "AA.AA.AA~AA.AA.",
    "AA.AA.AA~~AA.AA.AA",
    "AA.AA.AA~A!.AA.AA.AA",
  ])("are made of nothing but a presentation with key binding: %j", async (text) => {
    expect(await splitPresentation(text)).toBeUndefined();
  });
});

describe("an answer", () => {
  test("is given by no card of another type, and by no code", () => {
    expect(answerable([CARD], { ...REQUEST, types: ["https://other.example/type"] })).toBeUndefined();
    expect(answerable([{ format: "esc-qr", value: {} }], REQUEST)).toBeUndefined();
    expect(answerable([], REQUEST)).toBeUndefined();
  });

  test("says each claim with its value before, and which are not there", () => {
    const answer = answerable([CARD], { ...REQUEST, claims: [...REQUEST.claims, "shoe_size", "toString"] });
    expect(Object.fromEntries(answer?.values ?? [])).toEqual({
      name: "Līga Bērziņa",
      schac_personal_unique_code: "urn:schac:personalUniqueCode:int:esi:lv:1234567890123456",
    });
    expect(answer?.missing).toEqual(["shoe_size", "toString"]);
  });

  test("that was agreed to is accepted by the verifier, and for no other request", async () => {
    const parts = await partsOf(REQUEST, REQUEST.claims);
    expect(verdict(parts, REQUEST)).toMatchObject({
      name: "Līga Bērziņa",
      level: null,
      evidence: "key-binding",
    });
    expect(verdict(parts, { ...REQUEST, nonce: "m".repeat(22) })).toEqual({ refused: "BadDeviceSignature" });
    expect(verdict(parts, { ...REQUEST, audience: "Cafe" })).toEqual({ refused: "BadDeviceSignature" });
  });

  test("is given by a student attestation where that will do as well", async () => {
    const whole = payloadOf("sd_jwt_vc/valid_student_id_of_the_rulebook.txt").trim();
    const studentId: Credential = { format: "dc+sd-jwt", value: whole };
    const either = {
      ...REQUEST,
      others: [{ types: ["VerifiableStudentID"], claims: ["firstName", "familyName"] }],
    };
    expect(answerable([studentId], REQUEST)).toBeUndefined();
    const answer = answerable([studentId], either);
    expect(Object.fromEntries(answer?.values ?? [])).toEqual({ firstName: "Līga", familyName: "Bērziņa" });
    // The card says all that is asked for: the first way. Where it does not, the next that does.
    expect([...(answerable([studentId, CARD], either)?.values.keys() ?? [])].sort()).toEqual(
      [...REQUEST.claims].sort(),
    );
    const more = { ...either, claims: ["shoe_size"] };
    expect([...(answerable([CARD, studentId], more)?.values.keys() ?? [])]).toContain("firstName");
    expect(answerable([CARD], more)?.missing).toEqual(["shoe_size"]);
    if (answer === undefined) throw new Error("no answer");
    const agreed = { claims: ["firstName", "familyName"], key: await phoneKey(), now: NOW };
    const parts = (await splitPresentation(await presentation(answer, either, agreed))) ?? [];
    expect(parts).not.toHaveLength(0);
  });

  test("discloses no claim that was not agreed to or not asked for", async () => {
    const whole = await joinParts(await partsOf(REQUEST, ["name", "academic_level"]));
    const disclosed = whole.split("~").slice(1, -1);
    const names = disclosed.map(
      (one) => (JSON.parse(Buffer.from(one, "base64url").toString()) as string[])[1],
    );
    expect(names).toEqual(["name"]);
    const nothing = await joinParts(await partsOf(REQUEST, []));
    expect(nothing.split("~")).toHaveLength(2);
  });
});
