/** Presentations in parts and requests: made and read, what is never mixed, garbage. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { encodeBase32 } from "../src/check/base32.ts";
import { encodeUtf8, sha256 } from "../src/check/bytes.ts";
import { CardError } from "../src/check/errors.ts";
import { b64urlEncode } from "../src/check/jws.ts";
import { DEFAULT_POLICY, type CredentialType } from "../src/check/policy.ts";
import { joinParts, KEPT_FOR, PartCollector, parsePart, splitPresentation } from "../src/check/presentation_qr.ts"; // prettier-ignore
import { alternativesFor, askableClaims, claimNamesOf, claimsFor, encodeRequest, isAudience, parseRequest } from "../src/check/presentation_request.ts"; // prettier-ignore
import { readVector } from "./vector_files.ts";
import { limits } from "./limits.ts";

const PRESENTATION = readVector("sd_jwt_vc/valid_key_binding.txt").payload;
const OTHER = readVector("sd_jwt_vc/valid_binding_60_seconds_ahead.txt").payload;
const PIECES = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 6, maxLength: 20 });
const PLAIN = fc.stringMatching(/^[a-zA-ZāčēģīķļņšūžĀČ"\\/.()-]{1,40}$/);

async function refusalOf(ask: () => unknown): Promise<string> {
  try {
    await ask();
    return "";
  } catch (error) {
    if (error instanceof CardError) return error.refusal;
    throw error;
  }
}

describe("parts", () => {
  it("that were split are joined in any order", async () => {
    const property = fc.asyncProperty(PIECES, fc.integer({ min: 80, max: 512 }), async (pieces, size) => {
      const texts = pieces.map(b64urlEncode);
      const binding = texts.slice(-3).join(".");
      const presentation = [texts.slice(0, 3).join("."), ...texts.slice(3, -3), binding].join("~");
      const parts = await splitPresentation(presentation, size);
      expect(await joinParts([...parts, ...parts].reverse())).toBe(presentation);
      for (const part of parts) expect(part).toMatch(/^[A-Z0-9/]{1,850}$/);
    });
    await fc.assert(property, limits(100));
  });

  it("of a usual presentation fit codes of version 12", async () => {
    const parts = await splitPresentation(PRESENTATION);
    expect(parts.length).toBeLessThanOrEqual(5);
    expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(535);
  });

  it("are made of nothing but a presentation with key binding", async () => {
    for (const text of ["", "~", "a.b.c~", `${PRESENTATION}~`, "a.b~c.d"]) {
      expect(await refusalOf(() => splitPresentation(text))).toBe("MalformedPresentation");
    }
  });

  it("that are garbage are refused, under a right digest too", async () => {
    const texts = fc.asyncProperty(
      fc.constantFrom("", "ESCP", "ESCP1/", "ESCP1/1/1/"),
      fc.string({ unit: "binary" }),
      async (beginning, text) => {
        expect(await refusalOf(() => parsePart(beginning + text))).not.toBe("");
      },
    );
    await fc.assert(texts, limits(300));
    const wholes = fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      const whole = Uint8Array.from(bytes);
      const digest = encodeBase32((await sha256(whole)).slice(0, 10));
      const refusal = await refusalOf(() => joinParts([`ESCP1/1/1/${digest}/${encodeBase32(whole)}`]));
      expect(refusal).toBe("MalformedPresentation");
    });
    await fc.assert(wholes, limits(300));
  });

  it("of another presentation begin anew for whoever watches", async () => {
    const collector = new PartCollector();
    const mine = await splitPresentation(PRESENTATION);
    for (const text of mine.slice(0, -1)) collector.add(parsePart(text), 0);
    expect(collector.missing).toEqual([mine.length]);
    for (const text of await splitPresentation(OTHER)) collector.add(parsePart(text), 1);
    expect(await collector.presentation()).toBe(OTHER);
  });

  it("of too long ago are forgotten, also when the clock goes back", async () => {
    const parts = await splitPresentation(PRESENTATION);
    for (const [later, count] of [
      [KEPT_FOR, 2],
      [KEPT_FOR + 1, 1],
      [-1, 1],
    ] as const) {
      const collector = new PartCollector();
      collector.add(parsePart(parts[0] ?? ""), 1000);
      collector.add(parsePart(parts[1] ?? ""), 1000 + later);
      expect(collector.count).toBe(count);
    }
  });

  it("for one place forget all", async () => {
    const collector = new PartCollector();
    const [first = ""] = await splitPresentation(PRESENTATION);
    collector.add(parsePart(first), 0);
    const changed = parsePart(`${first.slice(0, -8)}AAAAAAAA`);
    expect(
      await refusalOf(() => {
        collector.add(changed, 0);
      }),
    ).toBe("MalformedPresentation");
    expect(collector.count).toBe(0);
  });
});

describe("a request", () => {
  it("that was made is read", () => {
    const requests = fc.record({
      audience: PLAIN,
      nonce: fc.stringMatching(/^[A-Za-z0-9_-]{22,86}$/),
      types: fc.uniqueArray(PLAIN, { minLength: 1, maxLength: 4 }),
      claims: fc.uniqueArray(PLAIN, { maxLength: 4 }),
    });
    const property = fc.property(requests, (request) => {
      expect(parseRequest(encodeRequest(request))).toEqual(request);
    });
    fc.assert(property, limits(200));
  });

  it("that is garbage is refused", async () => {
    const property = fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (query, credential) => {
      for (const dcql_query of [query, { credentials: credential }, { credentials: [credential] }]) {
        const json = JSON.stringify({ client_id: "x", nonce: "n".repeat(22), dcql_query });
        const text = `ESCR1/${encodeBase32(encodeUtf8(json))}`;
        expect(await refusalOf(() => parseRequest(text))).toBe("MalformedPresentation");
      }
    });
    await fc.assert(property, limits(200));
  });

  it("is not made for a name that is a prefix of OpenID4VP, or half a character", () => {
    for (const name of ["x509_hash:abc", "", " a", "a\ud800", "a".repeat(121)]) {
      expect(isAudience(name)).toBe(false);
      const request = { audience: name, nonce: "n".repeat(22), types: ["t"], claims: [] };
      expect(() => encodeRequest(request)).toThrow(CardError);
    }
  });

  it("takes a student attestation as well where that says what is needed", () => {
    const card = { types: ["t"], claims: ["name", "schac_personal_unique_code"] };
    const names = ["firstName", "familyName", "schacPersonalUniqueCode"];
    const studentId = { types: ["VerifiableStudentID"], claims: names };
    expect(alternativesFor(["t"], ["name", "esi"], DEFAULT_POLICY)).toEqual([card, studentId]);
    expect(alternativesFor([], ["name", "esi"], DEFAULT_POLICY)).toEqual([studentId]);
    expect(alternativesFor(["t"], ["level"], DEFAULT_POLICY)).toEqual([
      { types: ["t"], claims: ["academic_level"] },
    ]);
    const only = (type: CredentialType) => ({ ...DEFAULT_POLICY, types: new Set([type]) });
    expect(alternativesFor(["t"], ["name", "esi"], only("EuropeanStudentCard"))).toEqual([card]);
    expect(alternativesFor(["t"], ["name", "esi"], only("VerifiableStudentID"))).toEqual([studentId]);
    expect(askableClaims(["t"], only("VerifiableStudentID"))).toEqual(["name", "esi"]);
    expect(askableClaims(["t"], DEFAULT_POLICY)).toEqual(["name", "level", "esi"]);
    const request = { audience: "x", nonce: "n".repeat(22), ...card, others: [studentId] };
    expect(parseRequest(encodeRequest(request))).toEqual(request);
    for (const others of [[card], [studentId, studentId], [{ types: [], claims: [] }]]) {
      expect(() => encodeRequest({ ...request, others })).toThrow(CardError);
    }
  });

  it("asks for what a service needs and no more", () => {
    expect(claimsFor(DEFAULT_POLICY)).toEqual([]);
    const strict = { ...DEFAULT_POLICY, identityOnly: true, claims: new Set(["name"] as const) };
    expect(claimNamesOf(claimsFor(strict))).toEqual(["name", "schac_personal_unique_code"]);
  });
});
