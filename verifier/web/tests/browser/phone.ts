/** A student's phone, for the page to ask: it holds the card of the vectors and its key. */

import { createHash, createPrivateKey, sign, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { decodeBase32, encodeBase32 } from "../../src/check/base32.ts";
import { concat, encodeUtf8 } from "../../src/check/bytes.ts";
import { encodeBytes } from "../../src/check/cbor.ts";
import { e2SigningInput } from "../../src/check/esc_qr.ts";
import { splitPresentation } from "../../src/check/presentation_qr.ts";
import { parseRequest } from "../../src/check/presentation_request.ts";
import { FOLDER, readVector } from "../vector_files.ts";
import { NOW } from "./world.ts";

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const CREDENTIAL = readVector("sd_jwt_vc/valid_everything_disclosed.txt").payload;
const STATIC = readVector("esc_qr/valid_static_status.txt").payload;

/** The texts of the codes that answer a request. */
export async function answerTo(
  requestText: string,
  { claims }: { claims?: string[] } = {},
): Promise<string[]> {
  const request = parseRequest(requestText);
  const disclosed = new Set(claims ?? request.claims);
  const [issuerJwt = "", ...disclosures] = CREDENTIAL.split("~").slice(0, -1);
  const chosen = disclosures.filter((one) => disclosed.has(nameOf(one)));
  const presented = [issuerJwt, ...chosen, ""].join("~");
  const payload = {
    iat: NOW,
    aud: request.audience,
    nonce: request.nonce,
    sd_hash: createHash("sha256").update(presented).digest("base64url"),
  };
  const parts = [{ alg: "ES256", typ: "kb+jwt" }, payload].map((part) => b64url(JSON.stringify(part)));
  const signature = Buffer.from(signed(encodeUtf8(parts.join(".")))).toString("base64url");
  return splitPresentation(`${presented}${[...parts, signature].join(".")}`);
}

/** A live code that holds a challenge. */
export async function liveCode(challenge: string): Promise<string> {
  const [address = "", encoded = ""] = STATIC.split("#E1");
  const e1 = decodeBase32(encoded);
  const signature = signed(await e2SigningInput(e1, NOW, encodeUtf8(challenge)));
  const time = new Uint8Array(5);
  new DataView(time.buffer).setUint32(1, NOW);
  time[0] = 0x1a;
  const e2 = concat(Uint8Array.of(0x83), encodeBytes(e1), time, encodeBytes(signature));
  return `${address}#E2${encodeBase32(e2)}`;
}

function nameOf(disclosure: string): string {
  const [, name] = JSON.parse(Buffer.from(disclosure, "base64url").toString()) as [string, string];
  return name;
}

function b64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function phoneKey(): KeyObject {
  const text = readFileSync(join(FOLDER, "keys.json"), "utf8");
  const { keys } = JSON.parse(text) as { keys: { phone: { jwk: Record<string, string> } } };
  return createPrivateKey({ key: keys.phone.jwk, format: "jwk" });
}

/** ES256, s in the lower half. */
function signed(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const signature = sign("sha256", message, { key: phoneKey(), dsaEncoding: "ieee-p1363" });
  const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
  const low = s > ORDER / 2n ? ORDER - s : s;
  return Uint8Array.from([
    ...signature.subarray(0, 32),
    ...Buffer.from(low.toString(16).padStart(64, "0"), "hex"),
  ]);
}
