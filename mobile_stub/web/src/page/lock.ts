/**
 * The lock of the screen: a PIN, or the phone's own check (WebAuthn).
 *
 * It keeps somebody who holds the unlocked phone from showing the card. Keys and cards are not
 * encrypted by it: a PIN of a few digits could be tried out by whoever reads the memory.
 */

import type { Wallet } from "../model.ts";

const SETTING = "lock";
const FAILURES = "lock-failures";
const ITERATIONS = 600_000; // OWASP's figure for PBKDF2 with SHA-256
const FREE_TRIES = 3;
const FIRST_DELAY = 5; // seconds, doubled by each further failure
const LONGEST_DELAY = 3_600;

export type Lock =
  | { readonly kind: "pin"; readonly salt: string; readonly check: string; readonly iterations: number }
  | { readonly kind: "device"; readonly credential: string; readonly key: string };

export type PinAnswer = "open" | "wrong" | { readonly wait: number };

interface Failures {
  readonly count: number;
  readonly at: number;
}

export function isPin(text: string): boolean {
  return /^[0-9]{4,12}$/.test(text);
}

export async function lockOf(wallet: Wallet): Promise<Lock | null> {
  const text = await wallet.setting(SETTING);
  return text === null ? null : (JSON.parse(text) as Lock); // written below, by nobody else
}

export async function removeLock(wallet: Wallet): Promise<void> {
  await wallet.keepSetting(SETTING, null);
  await wallet.keepSetting(FAILURES, null);
}

export async function setPin(wallet: Wallet, pin: string): Promise<void> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const check = await derive(pin, salt, ITERATIONS);
  const lock: Lock = { kind: "pin", salt: textOf(salt), check: textOf(check), iterations: ITERATIONS };
  await wallet.keepSetting(FAILURES, null);
  await wallet.keepSetting(SETTING, JSON.stringify(lock));
}

/** Tries a PIN; a failure is written down before it is told, so closing the page does not undo it. */
export async function tryPin(
  wallet: Wallet,
  lock: Lock & { kind: "pin" },
  pin: string,
  now: number,
): Promise<PinAnswer> {
  const failures = await failuresOf(wallet);
  const wait = waitFor(failures, now);
  if (wait > 0) return { wait };
  await keepFailures(wallet, { count: failures.count + 1, at: now });
  const check = await derive(pin, bytesOf(lock.salt), lock.iterations);
  if (!isSame(check, bytesOf(lock.check))) return "wrong";
  await wallet.keepSetting(FAILURES, null);
  return "open";
}

/** Seconds to wait after so many failures; a clock set back does not shorten it to nothing. */
export function waitFor({ count, at }: Failures, now: number): number {
  if (count < FREE_TRIES) return 0;
  const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (count - FREE_TRIES));
  return now < at ? delay : Math.max(0, Math.ceil(at + delay - now));
}

async function failuresOf(wallet: Wallet): Promise<Failures> {
  const text = await wallet.setting(FAILURES);
  return text === null ? { count: 0, at: 0 } : (JSON.parse(text) as Failures);
}

async function keepFailures(wallet: Wallet, failures: Failures): Promise<void> {
  await wallet.keepSetting(FAILURES, JSON.stringify(failures));
}

async function derive(pin: string, salt: BufferSource, iterations: number): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, [
    "deriveBits",
  ]);
  const method = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(method, key, 256));
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  one.forEach((byte, index) => (difference |= byte ^ (other[index] ?? 0)));
  return difference === 0;
}

/** Whether this phone has a check of its own that pages may ask for. */
export async function hasDeviceCheck(): Promise<boolean> {
  if (!("PublicKeyCredential" in window)) return false;
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
}

/** Sets the phone's own check as the lock; false: it was not given. */
export async function setDeviceLock(wallet: Wallet, name: string): Promise<boolean> {
  const publicKey: PublicKeyCredentialCreationOptions = {
    challenge: crypto.getRandomValues(new Uint8Array(32)),
    rp: { name },
    user: { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name },
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    authenticatorSelection: { authenticatorAttachment: "platform", userVerification: "required" },
    attestation: "none",
  };
  const made = await asked(() => navigator.credentials.create({ publicKey }));
  if (made === null || !(made.response instanceof AuthenticatorAttestationResponse)) return false;
  const key = made.response.getPublicKey();
  if (key === null) return false;
  const lock: Lock = {
    kind: "device",
    credential: textOf(new Uint8Array(made.rawId)),
    key: textOf(new Uint8Array(key)),
  };
  await wallet.keepSetting(SETTING, JSON.stringify(lock));
  return true;
}

/** Asks the phone for its check, and looks at the signature: that the user was verified, just now. */
export async function tryDevice(lock: Lock & { kind: "device" }): Promise<boolean> {
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const publicKey: PublicKeyCredentialRequestOptions = {
    challenge,
    userVerification: "required",
    allowCredentials: [{ type: "public-key", id: bytesOf(lock.credential), transports: ["internal"] }],
  };
  const given = await asked(() => navigator.credentials.get({ publicKey }));
  if (given === null || !(given.response instanceof AuthenticatorAssertionResponse)) return false;
  const { authenticatorData, clientDataJSON, signature } = given.response;
  const client = JSON.parse(new TextDecoder().decode(clientDataJSON)) as Record<string, unknown>;
  const wasVerified = ((new Uint8Array(authenticatorData)[32] ?? 0) & 0x04) !== 0; // WebAuthn 6.1, UV
  const isAnswer = client["type"] === "webauthn.get" && client["challenge"] === urlText(challenge);
  const isHere = client["origin"] === location.origin;
  if (!wasVerified || !isAnswer || !isHere) return false;
  const hash = await crypto.subtle.digest("SHA-256", clientDataJSON);
  const signed = new Uint8Array([...new Uint8Array(authenticatorData), ...new Uint8Array(hash)]);
  return verified(lock.key, new Uint8Array(signature), signed);
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential | null> {
  try {
    const given = await ask();
    return given instanceof PublicKeyCredential ? given : null;
  } catch (error) {
    if (error instanceof DOMException) return null; // refused, timed out, or not there
    throw error;
  }
}

async function verified(spki: string, signature: Uint8Array, signed: BufferSource): Promise<boolean> {
  const method = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("spki", bytesOf(spki), method, false, ["verify"]);
  const raw = rawSignature(signature);
  return raw !== null && crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, raw, signed);
}

/** DER's two integers as the 64 bytes that WebCrypto takes. */
function rawSignature(der: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const raw = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0;
    if (der[at] !== 0x02 || length === 0 || length > 33) return null;
    const digits = der.slice(at + 2, at + 2 + length);
    const kept = digits.length > 32 ? digits.slice(1) : digits;
    raw.set(kept, end - kept.length);
    at += 2 + length;
  }
  return raw;
}

function textOf(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function urlText(bytes: Uint8Array): string {
  return textOf(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
