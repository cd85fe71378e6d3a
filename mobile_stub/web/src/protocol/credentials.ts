/**
 * What the phone checks of a credential before it keeps it, and what it reads from one later.
 *
 * The phone cannot judge the institution's signature (it knows no trust list), but it can see that a
 * credential is of a shape it can use and is bound to its own key: anything else would be refused at
 * the first counter, too late for the student to notice.
 */

import { fromBase64url } from "../codes/base64url.ts";
import type { DeviceKey } from "../codes/device_key.ts";
import { parseStaticCode, type BoundCode } from "../codes/esc_qr.ts";
import { WalletRefusal, type Profile, type StaticCode } from "../model.ts";
import { isArray, isObject, parseJson, parseJsonObject, textOf, type Json, type JsonObject } from "./json.ts";

export const SD_JWT_VC = "dc+sd-jwt";
export const ESC_QR = "esc-qr";
export const PROFILES: readonly Profile[] = ["status", "identity"];
const MAX_CHARS = 256 * 1024;

/** One credential as issued: text for SD-JWT VC, texts by profile for the ESC QR. */
export interface Credential {
  readonly format: string;
  readonly value: string | Readonly<Partial<Record<Profile, string>>>;
}

/** The credential, when it is one that this phone can use with this key. */
export function checkCredential(format: string, value: Json, key: DeviceKey): Credential {
  if (format === ESC_QR) return { format, value: checkCodes(value, key) };
  if (typeof value !== "string" || value.length > MAX_CHARS || !/^[!-~]+$/.test(value)) return unusable();
  if (format === SD_JWT_VC) checkSdJwt(value, key);
  return { format, value };
}

/** The signed profiles of the ESC QR among these, by name. */
export function codesOf(credentials: Iterable<Credential>): Partial<Record<Profile, StaticCode>> {
  const codes: Partial<Record<Profile, StaticCode>> = {};
  for (const { format, value } of credentials) {
    if (format !== ESC_QR || typeof value === "string") continue;
    for (const profile of PROFILES) {
      const bound = parseStaticCode(value[profile] ?? "");
      if (bound !== undefined) codes[profile] ??= bound.code;
    }
  }
  return codes;
}

/** The claims of an SD-JWT VC with its top-level disclosures, nothing verified (RFC 9901, section 4). */
export function sdJwtClaims(text: string): JsonObject {
  const [token, ...disclosures] = text.split("~");
  const payload = (token ?? "").split(".");
  if (disclosures.pop() !== "" || payload.length !== 3) return unusable();
  const claims = parseJsonObject(fromBase64url(payload[1] ?? "") ?? "");
  if (claims === undefined) return unusable();
  const opened = disclosures.map((one) => parseJson(fromBase64url(one) ?? ""));
  const disclosed = opened.flatMap((one): [string, Json][] => {
    if (!isArray(one) || one.length !== 3) return [];
    const [, name, value] = one;
    return typeof name === "string" && value !== undefined ? [[name, value]] : [];
  });
  return { ...Object.fromEntries(disclosed), ...claims };
}

/** The claims of the first SD-JWT VC among these; empty when there is none. */
export function claimsOf(credentials: Iterable<Credential>): JsonObject {
  for (const { format, value } of credentials) {
    if (format === SD_JWT_VC && typeof value === "string") return sdJwtClaims(value);
  }
  return {};
}

/** The card's number, as far as a credential tells it. */
export function escnOf(credentials: readonly Credential[]): string | null {
  const [code] = Object.values(codesOf(credentials));
  return code?.escn ?? textOf(claimsOf(credentials)["esc_number"]);
}

function checkCodes(value: Json, key: DeviceKey): Partial<Record<Profile, string>> {
  if (!isObject(value)) return unusable();
  const texts = PROFILES.filter((profile) => profile in value).map((profile) => {
    const text = value[profile];
    const bound = typeof text === "string" ? parseStaticCode(text) : undefined;
    return bound !== undefined && isBoundTo(bound, key) ? ([profile, bound.code] as const) : unusable();
  });
  const isOneCard = new Set(texts.map(([, code]) => code.escn)).size === 1;
  return isOneCard ? Object.fromEntries(texts.map(([profile, code]) => [profile, code.text])) : unusable();
}

function isBoundTo(bound: BoundCode, key: DeviceKey): boolean {
  return bound.holderKey.every((byte, at) => byte === key.compressed[at]);
}

function checkSdJwt(text: string, key: DeviceKey): void {
  const cnf = sdJwtClaims(text)["cnf"];
  const jwk = isObject(cnf) ? cnf["jwk"] : undefined;
  const isOurs = isObject(jwk) && Object.entries(key.publicJwk).every(([name, part]) => jwk[name] === part);
  if (!isOurs) unusable();
}

function unusable(): never {
  throw new WalletRefusal("bad-answer", { what: "credential" });
}
