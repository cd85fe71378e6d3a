// P-256: ES256 by WebCrypto, keys from JWK and from an x with the parity of y.

import { webcrypto } from "node:crypto";

import { bigEndian, decodeBase64url, encodeBase64url, toBigInt } from "./encodings.mjs";
import { isObject, isString } from "./json.mjs";
import { refuse } from "./refusal.mjs";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const HALF_ORDER = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const mod = (value) => ((value % P) + P) % P;

function power(base, exponent) {
  let result = 1n;
  for (let square = base; exponent > 0n; exponent >>= 1n, square = mod(square * square)) {
    if (exponent & 1n) result = mod(result * square);
  }
  return result;
}

const rightSide = (x) => mod(x * x * x - 3n * x + B);

export async function sha256(bytes) {
  return new Uint8Array(await webcrypto.subtle.digest("SHA-256", bytes));
}

function coordinate(value) {
  const bytes = isString(value) ? decodeBase64url(value) : [];
  return bytes.length === 32 ? bytes : refuse("MalformedJws", "a coordinate has 32 bytes");
}

// A public key as {x, y}, each base64url of 32 bytes: a point of the curve.
export function readPublicJwk(jwk) {
  if (!isObject(jwk) || PRIVATE.some((name) => name in jwk)) refuse("MalformedJws", "not a public key");
  if (jwk.kty !== "EC" || jwk.crv !== "P-256") refuse("MalformedJws", "not a P-256 key");
  const [x, y] = [toBigInt(coordinate(jwk.x)), toBigInt(coordinate(jwk.y))];
  if (x >= P || y >= P || mod(y * y) !== rightSide(x)) refuse("MalformedJws", "not a point of P-256");
  return { x: jwk.x, y: jwk.y };
}

export function keyFromX(xBytes, yIsOdd) {
  const x = toBigInt(xBytes);
  const root = power(rightSide(x), (P + 1n) / 4n);
  if (x >= P || mod(root * root) !== rightSide(x)) refuse("MalformedCode", "not a point of P-256");
  const y = (root & 1n) === (yIsOdd ? 1n : 0n) ? root : P - root;
  return { x: encodeBase64url(xBytes), y: encodeBase64url(bigEndian(y, 32)) };
}

export async function thumbprintOf(key) {
  const text = `{"crv":"P-256","kty":"EC","x":"${key.x}","y":"${key.y}"}`;
  return sha256(new TextEncoder().encode(text));
}

export async function verifies(key, signature, message) {
  const jwk = { kty: "EC", crv: "P-256", ...key };
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const imported = await webcrypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  return webcrypto.subtle.verify(algorithm, imported, signature, message);
}

export async function verifiesLowS(key, signature, message) {
  return toBigInt(signature.subarray(32)) <= HALF_ORDER && verifies(key, signature, message);
}
