/** P-256: ES256 by WebCrypto; the few equations that it leaves to us by BigInt. */

import { bytesToHex, hexToBytes, type Bytes } from "./bytes.ts";

export const SIGNATURE_BYTES = 64; // r and s, 32 bytes each (RFC 7518, section 3.4)
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const HALF_ORDER = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A point of the curve; `CryptoKey`s are made when they are first needed. */
export class PublicKey {
  readonly x: Bytes; // 32 bytes
  readonly y: Bytes; // 32 bytes
  #imported: Promise<CryptoKey> | undefined;

  constructor(x: Bytes, y: Bytes) {
    this.x = x;
    this.y = y;
  }

  get imported(): Promise<CryptoKey> {
    const point = Uint8Array.of(4, ...this.x, ...this.y);
    this.#imported ??= crypto.subtle.importKey("raw", point, ECDSA, false, ["verify"]);
    return this.#imported;
  }
}

/** The key with these coordinates, or null: not a point of P-256. */
export function keyOfPoint(x: Bytes, y: Bytes): PublicKey | null {
  if (x.length !== 32 || y.length !== 32) return null;
  const [xValue, yValue] = [numberOf(x), numberOf(y)];
  const isPoint = xValue < P && yValue < P && (yValue * yValue) % P === rightSideOf(xValue);
  return isPoint ? new PublicKey(x, y) : null;
}

/** The key of a compressed point (RFC 9053, section 7.1.1), or null: not a point of P-256. */
export function keyOfCompressed(x: Bytes, yIsOdd: boolean): PublicKey | null {
  const xValue = numberOf(x);
  if (x.length !== 32 || xValue >= P) return null;
  const square = rightSideOf(xValue);
  const root = rootOf(square);
  if ((root * root) % P !== square) return null;
  const y = (root & 1n) === (yIsOdd ? 1n : 0n) ? root : P - root;
  return new PublicKey(x, hexToBytes(y.toString(16).padStart(64, "0")));
}

/** Whether a raw signature fits; one whose r or s is out of range fits nothing. */
export async function verifiesEs256(key: PublicKey, signature: Bytes, message: Bytes): Promise<boolean> {
  return crypto.subtle.verify(ECDSA, await key.imported, signature, message);
}

/** Whether s is at most half of the group's order: of two signatures that fit, one has that. */
export function isLowS(signature: Bytes): boolean {
  return numberOf(signature.subarray(32)) <= HALF_ORDER;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x0${bytesToHex(bytes)}`);
}

// y² = x³ - 3x + b
function rightSideOf(x: bigint): bigint {
  return (x * x * x + (P - 3n) * x + B) % P;
}

// P is 3 modulo 4, so a root is the power (P + 1) / 4 = 2^254 - 2^222 + 2^190 + 2^94.
function rootOf(square: bigint): bigint {
  let [root, power] = [1n, square];
  for (let exponent = (P + 1n) / 4n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) root = (root * power) % P;
    power = (power * power) % P;
  }
  return root;
}
