/**
 * Compact JWS (RFC 7515), ES256 only, strictly parsed before any cryptography.
 *
 * What a token may not choose is pinned here: the algorithm, the key (found by the caller) and the
 * `typ` (compared).
 */

import { encodeUtf8, isLongerThan, sha256, type Bytes } from "./bytes.ts";
import { refuse } from "./errors.ts";
import { isJsonObject, parseJsonObject, type Json, type JsonObject } from "./json.ts";
import { keyOfPoint, SIGNATURE_BYTES, verifiesEs256, type PublicKey } from "./p256.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DIGITS = new Int8Array(128).fill(-1).map((_, code) => ALPHABET.indexOf(String.fromCharCode(code)));
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** A compact JWS whose form is right and whose signature is not yet checked. */
export interface UnverifiedJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signingInput: Bytes;
  readonly signature: Bytes;
}

/** Bytes to base64url without padding (RFC 7515, section 2). */
export function b64urlEncode(data: Uint8Array): string {
  let text = "";
  for (let i = 0; i < data.length; i += 3) {
    const group = ((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0);
    for (const shift of [18, 12, 6, 0]) text += ALPHABET.charAt((group >> shift) & 63);
  }
  return text.slice(0, Math.ceil((data.length * 4) / 3));
}

/** The inverse of `b64urlEncode`; refuses every other spelling. */
export function b64urlDecode(text: string): Bytes {
  if (text.length % 4 === 1) refuse("MalformedJws", "not base64url without padding");
  const data = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [at, value, bits] = [0, 0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const digit = DIGITS[text.charCodeAt(i)] ?? -1;
    if (digit < 0) refuse("MalformedJws", "not base64url without padding");
    value = (value << 6) | digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    data[at] = value >> bits;
    at += 1;
    value &= (1 << bits) - 1;
  }
  if (value !== 0) refuse("MalformedJws", "base64url with unused bits set");
  return data;
}

/** Takes a compact JWS apart without trusting any of it; whatever is wrong is `MalformedJws`. */
export function parseJws(text: string, expectedTyp: string, maxChars: number): UnverifiedJws {
  if (isLongerThan(text, maxChars)) refuse("MalformedJws", `more than ${maxChars} characters`);
  const [head, body, end, ...more] = text.split(".", 4);
  if (head === undefined || body === undefined || end === undefined || more.length > 0) {
    return refuse("MalformedJws", "not the three parts of a compact JWS");
  }
  const header = parseJsonObject(b64urlDecode(head));
  if (header.get("typ") !== expectedTyp) refuse("MalformedJws", `typ is not ${expectedTyp}`);
  if (header.get("alg") !== "ES256") refuse("MalformedJws", "alg is not ES256");
  if (header.has("crit") || header.has("b64")) refuse("MalformedJws", "a critical header extension");
  const signature = b64urlDecode(end);
  if (signature.length !== SIGNATURE_BYTES) refuse("MalformedJws", "an ES256 signature has 64 bytes");
  const payload = parseJsonObject(b64urlDecode(body));
  return { header, payload, signingInput: encodeUtf8(`${head}.${body}`), signature };
}

/** Whether the signature fits the bytes received, never re-encoded ones. */
export async function verifiesJws(unverified: UnverifiedJws, key: PublicKey): Promise<boolean> {
  return verifiesEs256(key, unverified.signature, unverified.signingInput);
}

/** Reads a public P-256 key (RFC 7517, RFC 7518 section 6.2). */
export function parsePublicJwk(jwk: Json | undefined): PublicKey {
  if (!isJsonObject(jwk) || PRIVATE_MEMBERS.some((name) => jwk.has(name))) {
    return refuse("MalformedJws", "not a public key");
  }
  if (jwk.get("kty") !== "EC" || jwk.get("crv") !== "P-256") refuse("MalformedJws", "not a P-256 key");
  const [x, y] = [coordinateOf(jwk.get("x")), coordinateOf(jwk.get("y"))];
  return keyOfPoint(x, y) ?? refuse("MalformedJws", "not a point of P-256");
}

/** A public key as JWK, the required members in their order for the thumbprint. */
export function publicJwkOf(key: PublicKey): Record<"crv" | "kty" | "x" | "y", string> {
  return { crv: "P-256", kty: "EC", x: b64urlEncode(key.x), y: b64urlEncode(key.y) };
}

/** The bytes of the RFC 7638 thumbprint (SHA-256); as base64url our `kid`. */
export async function thumbprintOf(key: PublicKey): Promise<Bytes> {
  return sha256(encodeUtf8(JSON.stringify(publicJwkOf(key))));
}

function coordinateOf(value: Json | undefined): Bytes {
  const data = typeof value === "string" ? b64urlDecode(value) : new Uint8Array();
  return data.length === 32 ? data : refuse("MalformedJws", "a P-256 coordinate has 32 bytes");
}
