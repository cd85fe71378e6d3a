/** Answers of the other side: strictly read, and nothing but our refusals for garbage. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { base64url, fromBase64url } from "../src/codes/base64url.ts";
import { newDeviceKey } from "../src/codes/device_key.ts";
import { WalletRefusal } from "../src/model.ts";
import { errorCode, parseAccess, tokenRefusal } from "../src/protocol/answers.ts";
import { parseCardAnswer, PLAIN_LOOK } from "../src/protocol/card_answer.ts";
import { checkCredential, ESC_QR, SD_JWT_VC, sdJwtClaims } from "../src/protocol/credentials.ts";
import { parseJson } from "../src/protocol/json.ts";
import type { Answer } from "../src/protocol/network.ts";
import { printable } from "../src/protocol/texts.ts";

const ISSUER = "https://wallet.example/999900001";
const CARD = {
  escn: "d6a1e2f0-9c3b-11f0-8a5e-001999800001",
  state: "active",
  reason: null,
  institution: { pic: "999900001", name: "Daugava University", country: "LV" },
  name: "Anna Bērziņa",
  academic_level: "BACHELOR",
  issued_on: "2026-09-01",
  expires_on: "2028-08-31",
  renewal: null,
};

function answer(body: unknown, status = 200): Answer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: new Headers(), body: new TextEncoder().encode(text), host: "wallet.example" };
}

function isRefused(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof WalletRefusal) return true;
    throw error;
  }
}

describe("JSON", () => {
  test.each(['{"a":1,"a":2}', '{"a":{"b":1,"b":1}}', '[{"\\u0061":1,"a":2}]', "{", "", "nul", "\ud800{"])(
    "%s is not taken",
    (text) => {
      expect(parseJson(text)).toBeUndefined();
    },
  );

  test("that nests without end is not taken, and nothing is thrown", () => {
    parseJson("[".repeat(1_000_000));
    expect(parseJson("{".repeat(100_000))).toBeUndefined();
  });

  test("of every value is read as it was written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("a token answer", () => {
  test.each([
    {},
    { access_token: "a" },
    { access_token: "", token_type: "Bearer" },
    { access_token: "a", token_type: "DPoP" },
    "no",
  ])("%j is refused", (body) => {
    expect(isRefused(() => parseAccess(answer(body)))).toBe(true);
  });

  test("that refuses says how many tries are left, or that the code or the offer is over", () => {
    const wrong = answer({ error: "invalid_grant", tries_left: 3 }, 400);
    const over = answer({ error: "invalid_grant" }, 400);
    const refusal = tokenRefusal(wrong, { withCode: true, wasWrong: false });
    expect([refusal.refusal, refusal.values]).toEqual(["tx-code-wrong", { left: 3 }]);
    expect(tokenRefusal(over, { withCode: true, wasWrong: true }).refusal).toBe("tx-code-dead");
    expect(tokenRefusal(over, { withCode: true, wasWrong: false }).refusal).toBe("offer-used");
    expect(errorCode(over)).toBe("invalid_grant");
  });
});

describe("a card answer", () => {
  test.each([
    { ...CARD, state: "fine" },
    { ...CARD, escn: null },
    { ...CARD, institution: null },
    { ...CARD, institution: { pic: "999900001" } },
    { ...CARD, expires_on: "soon" },
    { ...CARD, photo: { uri: "http://wallet.example/photo", sha256: "00" } },
    { ...CARD, renewal: { renewal_uri: "http://127.0.0.1/renewal" } },
    [],
  ])("%j is refused", (body) => {
    expect(isRefused(() => parseCardAnswer(answer(body), ISSUER))).toBe(true);
  });

  test("of a service that knows nothing of looks, photos and consent is a card", () => {
    const card = parseCardAnswer(answer(CARD), ISSUER);
    expect(card.facts.institution.name).toBe("Daugava University");
    expect([card.look, card.logo, card.photo, card.ownPhoto, card.consent]).toEqual([
      PLAIN_LOOK,
      null,
      null,
      null,
      null,
    ]);
  });

  test("tells look, photo, consent and device", () => {
    const colours = { background_color: "#112233", text_color: "#FFFFFF" };
    const logo = { uri: "https://wallet.example/1/logo/ab", media_type: "image/png" };
    const card = parseCardAnswer(
      answer({
        ...CARD,
        institution: { ...CARD.institution, ...colours, logo },
        photo: { uri: "https://wallet.example/device/photo", sha256: "cd" },
        own_photo: { state: "refused", reason: "too dark\u202e", uri: "x" },
        consent: { given_at: "2026-11-23T12:00:00Z" },
        device: { id: "1", name: "Anna's phone" },
      }),
      ISSUER,
    );
    expect(card.look).toEqual({ backgroundColor: "#112233", textColor: "#FFFFFF" });
    expect(card.logo).toEqual({ uri: logo.uri, version: logo.uri });
    expect(card.photo?.version).toBe("cd");
    expect(card.ownPhoto).toEqual({ state: "refused", reason: "too dark" });
    expect(card.consent).toEqual({ givenAt: 1_795_435_200 });
    expect(card.deviceName).toBe("Anna's phone");
  });

  test("whose colours are no colours has none", () => {
    const institution = { ...CARD.institution, background_color: "url(x)", text_color: "#ffffff" };
    expect(parseCardAnswer(answer({ ...CARD, institution }), ISSUER).look).toEqual(PLAIN_LOOK);
  });

  test("of any JSON ends in a card or a refusal of ours", () => {
    const member = fc.constantFrom(
      "state",
      "institution",
      "photo",
      "own_photo",
      "consent",
      "renewal",
      "device",
    );
    fc.assert(
      fc.property(member, fc.jsonValue(), (name, value) => {
        isRefused(() => parseCardAnswer(answer({ ...CARD, [name]: value }), ISSUER));
      }),
    );
  });
});

describe("a credential", () => {
  test("bound to another key, of a wrong shape or with unprintable characters is not kept", async () => {
    const [ours, other] = [await newDeviceKey(), await newDeviceKey()];
    const sdJwt = (jwk: unknown): string =>
      `e30.${base64url(new TextEncoder().encode(JSON.stringify({ cnf: { jwk } })))}.c2ln~`;
    expect(checkCredential(SD_JWT_VC, sdJwt(ours.publicJwk), ours).value).toBe(sdJwt(ours.publicJwk));
    for (const value of [
      sdJwt(other.publicJwk),
      sdJwt(null),
      "a.b.c",
      "",
      1,
      null,
      {},
      "e30.e30.e30~\u0007",
    ]) {
      expect(isRefused(() => checkCredential(SD_JWT_VC, value, ours))).toBe(true);
    }
    for (const value of [{}, { status: 1 }, { status: "https://esc.gg/x#E1AA" }, "text", { other: "x" }]) {
      expect(isRefused(() => checkCredential(ESC_QR, value, ours))).toBe(true);
    }
  });

  test("tells its disclosed claims, and the signed ones are never replaced by disclosed ones", () => {
    const part = (value: unknown): string => base64url(new TextEncoder().encode(JSON.stringify(value)));
    const text = `e30.${part({ iss: "a" })}.c2ln~${part(["salt", "name", "Anna"])}~${part(["salt", "iss", "b"])}~`;
    expect(sdJwtClaims(text)).toEqual({ iss: "a", name: "Anna" });
  });
});

describe("texts", () => {
  test("base64url gives back every byte string", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        expect(fromBase64url(base64url(data))).toEqual(data);
      }),
    );
    expect(fromBase64url("a")).toBeUndefined();
    expect(fromBase64url("ab=")).toBeUndefined();
    expect(fromBase64url("a b")).toBeUndefined();
  });

  test("of the other side lose what turns or breaks lines", () => {
    expect(printable("a\u0000\n\u202eb\u2066c\u2028")).toBe("abc");
  });
});
