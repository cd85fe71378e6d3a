/**
 * The ESC QR code on the phone's side (docs/esc-qr.md): E1 as issued, E2 signed when shown.
 *
 * The phone trusts its institution for what an E1 says; it reads from it only what it needs to
 * handle it: the card's number, when it ends, and whose key it is bound to.
 */

import { decode, encode, rfc8949EncodeOptions, Tagged } from "cborg";

import type { StaticCode } from "../model.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { sign } from "./device_key.ts";

/** An E1, and the key that it is bound to. */
export interface BoundCode {
  readonly code: StaticCode;
  /** Compressed point, 33 bytes. */
  readonly holderKey: Uint8Array;
}

export const MAX_CHALLENGE_BYTES = 64;
const MAX_CHARS = 700;
const MAX_E1_BYTES = 278; // section 6
const MAX_SECONDS = 0xffffffff; // section 2.2
const CARD_NUMBER = "[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9]{12}";
const TEXT = new RegExp(`^https://esc\\.gg/(${CARD_NUMBER})#E1([A-Z2-7]+)$`);
const DOMAIN = new TextEncoder().encode("ESC-E2\0");
const COSE_SIGN1 = 18; // RFC 9052, section 4.2
// CWT claims (RFC 8392, RFC 8747) and COSE_Key parameters (RFC 9053, section 7.1.1).
const [EXP, IAT, CNF, COSE_KEY] = [4, 6, 8, 1];
const [KTY, CRV, X, Y, EC2, P256] = [1, -1, -2, -3, 2, 1];

/** The E1 in the text of a static code; undefined when it is not in this format. */
export function parseStaticCode(text: string): BoundCode | undefined {
  const [, escn, encoded] = (text.length <= MAX_CHARS ? TEXT.exec(text) : null) ?? [];
  const e1 = encoded === undefined ? undefined : decodeBase32(encoded);
  if (escn === undefined || e1 === undefined || e1.length > MAX_E1_BYTES) return undefined;
  try {
    return readE1(escn, text, e1);
  } catch {
    return undefined; // cborg throws plain errors for whatever it does not take
  }
}

/**
 * The text of an E2: the E1 with the time and this phone's signature (section 3).
 *
 * A verifier accepts it for 45 s; the challenge is what it asked for, at most 64 bytes, or none.
 */
export async function makeLiveCode(
  code: StaticCode,
  key: CryptoKey,
  shown: { readonly at: number; readonly challenge?: Uint8Array },
): Promise<string> {
  const challenge = shown.challenge ?? new Uint8Array();
  if (challenge.length > MAX_CHALLENGE_BYTES) throw new RangeError("the challenge is too long");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(code.e1)));
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(shown.at));
  const message = Uint8Array.from([...DOMAIN, ...digest, ...time, challenge.length, ...challenge]);
  const e2 = encode([code.e1, shown.at, await sign(key, message)]);
  return `https://esc.gg/${code.escn}#E2${encodeBase32(e2)}`;
}

function readE1(escn: string, text: string, e1: Uint8Array): BoundCode | undefined {
  const sign1 = readStrictly(e1);
  const parts: unknown = sign1 instanceof Tagged ? sign1.value : undefined;
  if (!Array.isArray(parts) || parts.length !== 4) return undefined;
  const [header, unprotected, payload, signature] = parts as unknown[];
  if (!isBytes(header) || !isBytes(payload) || !isBytes(signature)) return undefined;
  if (!(unprotected instanceof Map) || unprotected.size > 0 || signature.length !== 64) return undefined;
  const claims = readStrictly(payload);
  if (!(claims instanceof Map)) return undefined;
  const [expiresAt, issuedAt, cnf] = [EXP, IAT, CNF].map((claim) => claims.get(claim) as unknown);
  const holderKey = cnf instanceof Map ? compressedPoint(cnf.get(COSE_KEY)) : undefined;
  if (holderKey === undefined || !isSeconds(expiresAt) || !isSeconds(issuedAt)) return undefined;
  if (expiresAt <= issuedAt) return undefined;
  return { code: { escn, text, e1, expiresAt }, holderKey };
}

/** The one item that these bytes are, in its one deterministic spelling (section 2.1). */
function readStrictly(data: Uint8Array): unknown {
  const value: unknown = decode(data, {
    strict: true,
    useMaps: true,
    allowIndefinite: false,
    allowUndefined: false,
    allowNaN: false,
    allowInfinity: false,
    rejectDuplicateMapKeys: true,
    tags: Tagged.preserve(COSE_SIGN1),
  });
  const again = encode(value, rfc8949EncodeOptions);
  const isSame = again.length === data.length && again.every((byte, at) => byte === data[at]);
  return isSame ? value : undefined;
}

function compressedPoint(key: unknown): Uint8Array | undefined {
  if (!(key instanceof Map) || key.get(KTY) !== EC2 || key.get(CRV) !== P256) return undefined;
  const [x, y] = [key.get(X) as unknown, key.get(Y) as unknown];
  if (!isBytes(x) || x.length !== 32 || typeof y !== "boolean") return undefined;
  return Uint8Array.from([y ? 3 : 2, ...x]);
}

function isSeconds(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SECONDS;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
