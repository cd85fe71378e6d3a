/** E1 taken apart and E2 made, against the vectors and against the verifier in Python. */

import { createPublicKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeBase32, encodeBase32 } from "../src/codes/base32.ts";
import { newDeviceKey, sign } from "../src/codes/device_key.ts";
import { makeLiveCode, parseStaticCode } from "../src/codes/esc_qr.ts";
import { ROOT, runPython } from "./python.ts";

const FOLDER = join(ROOT, "tests/vectors/esc_qr");
const HALF_ORDER = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;

function payloadOf(name: string): string {
  const text = readFileSync(join(FOLDER, `${name}.txt`), "utf8");
  return text.slice(text.indexOf("\n\n") + 2).replace(/\n$/, "");
}

function vectors(pattern: RegExp): string[] {
  return readdirSync(FOLDER)
    .map((name) => name.replace(/\.txt$/, ""))
    .filter((name) => pattern.test(name));
}

/** The E1 inside of a live code of the vectors, as a text of its own. */
function staticInside(live: string): string {
  const e2 = decodeBase32(live.split("#E2")[1] ?? "") ?? new Uint8Array();
  const size = e2[1] === 0x58 ? (e2[2] ?? 0) : ((e2[2] ?? 0) << 8) | (e2[3] ?? 0);
  const start = e2[1] === 0x58 ? 3 : 4;
  return `${live.split("#")[0] ?? ""}#E1${encodeBase32(e2.slice(start, start + size))}`;
}

describe("an E1", () => {
  // Signatures and what the claims say are for verifiers to judge.
  const judged = ["card_number_changed_after_signing", "cbor_nested_too_deep"];
  const broken = vectors(/^(base32_|cbor_|card_number_|byte_order_mark|cose_)/).filter(
    (name) => !judged.includes(name),
  );

  test.each(broken)("is not taken: %s", (name) => {
    expect(parseStaticCode(payloadOf(name))).toBeUndefined();
  });

  test.each(vectors(/^valid_static/))("is taken: %s", (name) => {
    const text = payloadOf(name).trim();
    const bound = parseStaticCode(text);
    expect(bound?.code.text).toBe(text);
    expect(bound?.code.e1).toEqual(decodeBase32(text.split("#E1")[1] ?? ""));
    expect(bound?.holderKey).toHaveLength(33);
  });

  test("names the phone's key of the worked example", () => {
    const bound = parseStaticCode(payloadOf("valid_static_status"));
    expect(bound?.code.expiresAt).toBe(1_802_505_600);
    expect(Buffer.from(bound?.holderKey ?? []).toString("hex")).toBe(
      "02c36710a702207b224cea491390ae7894a545dcb42400ebcbbc9675faa4fa4d76",
    );
  });

  test("of any other text is not taken, and nothing is thrown", () => {
    const valid = payloadOf("valid_static_status");
    const changed = fc.tuple(fc.nat(valid.length - 1), fc.string({ unit: "binary", maxLength: 3 }));
    fc.assert(
      fc.property(changed, ([at, letters]) => {
        const bound = parseStaticCode(valid.slice(0, at) + letters + valid.slice(at + 1));
        expect(bound === undefined || bound.code.e1.length > 0).toBe(true);
      }),
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => parseStaticCode(text) === undefined));
  });
});

describe("base32", () => {
  test("gives back every byte string, and knows one spelling of each", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(decodeBase32(encodeBase32(data))).toEqual(data);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z2-7]{0,40}$/), (text) => {
        const data = decodeBase32(text);
        expect(data === undefined || encodeBase32(data) === text).toBe(true);
      }),
    );
  });
});

describe("an E2", () => {
  test("holds for the verifier in Python, with and without a challenge, s always low", async () => {
    const key = await newDeviceKey();
    const { code } = parseStaticCode(payloadOf("valid_static_status")) ?? expect.fail();
    const made = [];
    for (let at = 0; at < 20; at += 1) {
      const challenge = new Uint8Array(at % 5 === 0 ? 0 : at).fill(at);
      const text = await makeLiveCode(code, key.privateKey, { at: 1_800_000_000 + at, challenge });
      made.push({ text, challenge: Buffer.from(challenge).toString("hex"), at: 1_800_000_000 + at });
    }
    const answer = runPython(CHECK, JSON.stringify({ jwk: key.publicJwk, made }));
    expect(JSON.parse(answer)).toEqual({ held: 20 });
  });

  test("of a challenge that is too long is not made", async () => {
    const { privateKey } = await newDeviceKey();
    const { code } = parseStaticCode(payloadOf("valid_static_status")) ?? expect.fail();
    const long = { at: 1_800_000_000, challenge: new Uint8Array(65) };
    await expect(makeLiveCode(code, privateKey, long)).rejects.toThrow(RangeError);
  });

  test("of the vectors holds an E1 that the phone takes", () => {
    for (const name of vectors(/^valid_live/)) {
      expect(parseStaticCode(staticInside(payloadOf(name).trim()))).toBeDefined();
    }
  });
});

describe("a key", () => {
  test("cannot be exported", async () => {
    const { privateKey } = await newDeviceKey();
    expect(privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("jwk", privateKey)).rejects.toThrow();
  });

  test("has a public half that is a point of P-256, in both spellings", async () => {
    const { publicJwk, compressed } = await newDeviceKey();
    const jwk = createPublicKey({ key: { ...publicJwk }, format: "jwk" }).export({ format: "jwk" });
    expect([jwk.x, jwk.y]).toEqual([publicJwk.x, publicJwk.y]);
    const y = Buffer.from(publicJwk.y, "base64url");
    expect(compressed[0]).toBe(2 + ((y[31] ?? 0) & 1));
    expect(Buffer.from(compressed.slice(1)).toString("base64url")).toBe(publicJwk.x);
  });

  test("signs with s in the lower half, whatever WebCrypto gives", async () => {
    const { privateKey } = await newDeviceKey();
    for (let at = 0; at < 32; at += 1) {
      const signature = await sign(privateKey, new Uint8Array([at]));
      const s = BigInt(`0x${Buffer.from(signature.slice(32)).toString("hex")}`);
      expect(s <= HALF_ORDER).toBe(true);
    }
  });
});

const CHECK = `
import json, sys
from verifier.esc_qr import parse_code, e2_signing_input
from verifier.cose import verify_low_s
from verifier.jws import parse_public_jwk
asked = json.load(sys.stdin)
key = parse_public_jwk(asked["jwk"])
held = 0
for made in asked["made"]:
    code = parse_code(made["text"])
    assert code.shown_at == made["at"]
    challenge = bytes.fromhex(made["challenge"])
    message = e2_signing_input(code.e1_bytes, shown_at=code.shown_at, challenge=challenge)
    verify_low_s(key, code.device_signature, message)
    held += 1
print(json.dumps({"held": held}))
`;
