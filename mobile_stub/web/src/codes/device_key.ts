/**
 * The phone's own key: P-256, one for each card, so that two institutions see no common key.
 *
 * The private half cannot be exported, not even by us. Signatures are ES256 as raw r || s, with s in
 * the lower half of the group's order: one message and one key then have one spelling of a signature
 * (docs/esc-qr.md, section 2.1).
 */

import { base64url } from "./base64url.ts";

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const ES256 = { name: "ECDSA", hash: "SHA-256" };
// The order of the group of P-256 (FIPS 186-4, D.1.2.3).
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export interface PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
}

export interface DeviceKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: PublicJwk;
  /** The public half as a compressed point, 33 bytes (SEC 1, section 2.3.3). */
  readonly compressed: Uint8Array<ArrayBuffer>;
}

/** A fresh key. */
export async function newDeviceKey(): Promise<DeviceKey> {
  const pair = await crypto.subtle.generateKey(P256, false, ["sign"]);
  return deviceKeyOf(pair.privateKey, pair.publicKey);
}

/** The key with what is known of its public half. */
export async function deviceKeyOf(privateKey: CryptoKey, publicKey: CryptoKey): Promise<DeviceKey> {
  // 0x04, x and y: the public half may always leave.
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  const [x, y] = [point.slice(1, 33), point.slice(33)];
  return {
    privateKey,
    publicJwk: { kty: "EC", crv: "P-256", x: base64url(x), y: base64url(y) },
    compressed: Uint8Array.from([2 + ((y[31] ?? 0) & 1), ...x]),
  };
}

/** ES256 over the message: 64 bytes r || s, s at most half the order. */
export async function sign(
  key: CryptoKey,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const signature = new Uint8Array(await crypto.subtle.sign(ES256, key, message));
  const s = numberOf(signature.subarray(32));
  if (s > ORDER / 2n) signature.set(bytesOf(ORDER - s), 32);
  return signature;
}

/** A `jwt` key proof (OpenID4VCI 1.0, appendix F.1); no `iss`, as there is no client identifier. */
export async function possessionProof(
  key: DeviceKey,
  claims: { readonly audience: string; readonly nonce: string | null; readonly now: number },
): Promise<string> {
  const header = { typ: "openid4vci-proof+jwt", alg: "ES256", jwk: key.publicJwk };
  const { audience: aud, nonce, now: iat } = claims;
  const payload = nonce === null ? { aud, iat } : { aud, iat, nonce };
  const signingInput = `${encoded(header)}.${encoded(payload)}`;
  const signature = await sign(key.privateKey, new TextEncoder().encode(signingInput));
  return `${signingInput}.${base64url(signature)}`;
}

function encoded(value: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from(value.toString(16).padStart(64, "0").match(/../g) ?? [], (pair) =>
    Number.parseInt(pair, 16),
  );
}
