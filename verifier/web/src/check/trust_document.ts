/**
 * The trust list as a document: its types, and reading them from JSON (docs/trust-list.md,
 * section 2). `trust.ts` checks the signature, the sequence and the times around it.
 */

import { bytesToHex, countCharacters, type Bytes } from "./bytes.ts";
import { CardError, refuse } from "./errors.ts";
import { parsePic, type Pic } from "./identifiers.ts";
import { integerOf, isJsonArray, isJsonObject, type Json, type JsonObject } from "./json.ts";
import { b64urlEncode, parsePublicJwk, thumbprintOf } from "./jws.ts";
import type { PublicKey } from "./p256.ts";
import { parseSeconds } from "./status.ts";

const TRUST_LIST_VERSION = 1;
const KEY_STATES = ["active", "retired", "compromised"] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** A key of an institution, and when it may have signed. */
export interface TrustedKey {
  readonly kid: string; // RFC 7638 thumbprint, 43 characters
  readonly kidBytes: string; // the eight bytes of it that an ESC QR carries, hexadecimal
  readonly publicKey: PublicKey;
  readonly state: KeyState;
  readonly validFrom: number;
  readonly validUntil: number;
  readonly compromisedSince: number | null;
}

/** What the trust list says of an institution. */
export interface TrustedInstitution {
  readonly pic: Pic;
  readonly name: string;
  readonly country: string; // ISO 3166-1 alpha-2, upper case
  readonly schacHomeOrganization: string;
  readonly issuer: string; // `iss` of its SD-JWT VCs
  readonly esiScopes: ReadonlySet<string>; // lower case
  readonly keys: readonly TrustedKey[];
  readonly statusLists: ReadonlyMap<number, string>; // number to address
  readonly processor: string | null; // who issues for it, by name
}

/** A trust list; `trust.ts` checks its signature, sequence and times. */
export interface TrustList {
  readonly sequence: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly institutions: ReadonlyMap<Pic, TrustedInstitution>;
  readonly anchors: readonly PublicKey[]; // the keys that may sign the next one
  readonly typeIntegrity: ReadonlyMap<string, string>; // `vct` to W3C SRI of its type metadata
  readonly token: string;
  readonly bundle: string | null; // where it is published with its status lists
  readonly byIssuer: ReadonlyMap<string, TrustedInstitution>;
  readonly byKidBytes: ReadonlyMap<string, readonly KeyOwner[]>;
}

/** A key, and whose it is. */
export interface KeyOwner {
  readonly institution: TrustedInstitution;
  readonly key: TrustedKey;
}

/** The first eight bytes of a thumbprint, as `TrustList.byKidBytes` has them. */
export function kidBytesOf(thumbprint: Bytes): string {
  return bytesToHex(thumbprint.subarray(0, 8));
}

/** Reads the claims of a trust list; whatever breaks its format is `MalformedDocument`. */
export async function parseTrustList(claims: JsonObject, token: string): Promise<TrustList> {
  try {
    return await readTrustList(claims, token);
  } catch (error) {
    if (!(error instanceof CardError)) throw error;
    throw new CardError("MalformedDocument", "a trust list that breaks its format", error);
  }
}

async function readTrustList(claims: JsonObject, token: string): Promise<TrustList> {
  if (positiveOf(claims.get("version")) !== TRUST_LIST_VERSION) malformed("another version");
  const institutions = await Promise.all(arrayOf(claims.get("institutions")).map(readInstitution));
  refuseTwice(institutions.map((institution) => institution.pic));
  refuseTwice(institutions.map((institution) => institution.issuer));
  // An address of two institutions would let one sign the other's list.
  refuseTwice(institutions.flatMap((institution) => [...institution.statusLists.values()]));
  const anchors = arrayOf(claims.get("anchors")).map(parsePublicJwk);
  if (anchors.length === 0) malformed("a trust list names the keys of its successor");
  const types = [...objectOf(claims.get("types"))];
  return {
    sequence: positiveOf(claims.get("sequence")),
    issuedAt: parseSeconds(claims.get("iat")),
    expiresAt: parseSeconds(claims.get("exp")),
    institutions: new Map(institutions.map((institution) => [institution.pic, institution])),
    anchors,
    typeIntegrity: new Map(types.map(([vct, value]) => [textOf(vct), textOf(value)])),
    token,
    bundle: claims.has("bundle") ? textOf(claims.get("bundle")) : null,
    byIssuer: new Map(institutions.map((institution) => [institution.issuer, institution])),
    byKidBytes: ownersByKidBytes(institutions),
  };
}

function ownersByKidBytes(institutions: readonly TrustedInstitution[]): Map<string, KeyOwner[]> {
  const owners = new Map<string, KeyOwner[]>();
  for (const institution of institutions) {
    for (const key of institution.keys) {
      const found = owners.get(key.kidBytes);
      if (found === undefined) owners.set(key.kidBytes, [{ institution, key }]);
      else found.push({ institution, key });
    }
  }
  return owners;
}

async function readInstitution(value: Json): Promise<TrustedInstitution> {
  const entry = objectOf(value);
  const keys = await Promise.all(arrayOf(entry.get("keys")).map(readKey));
  refuseTwice(keys.map((key) => key.kid));
  const lists = arrayOf(entry.get("status_lists")).map(objectOf);
  const numbered = lists.map((list): [number, string] => [
    positiveOf(list.get("number")),
    textOf(list.get("uri")),
  ]);
  refuseTwice(numbered.map(([number]) => number));
  return {
    pic: parsePic(textOf(entry.get("pic"))),
    name: textOf(entry.get("name")),
    country: textOf(entry.get("country")),
    schacHomeOrganization: textOf(entry.get("schac_home_organization")),
    issuer: textOf(entry.get("issuer")),
    esiScopes: new Set(arrayOf(entry.get("esi_scopes")).map((scope) => textOf(scope).toLowerCase())),
    keys,
    statusLists: new Map(numbered),
    processor: entry.has("processor") ? textOf(entry.get("processor")) : null,
  };
}

async function readKey(value: Json): Promise<TrustedKey> {
  const entry = objectOf(value);
  const state = KEY_STATES.find((one) => one === entry.get("state")) ?? malformed("a key's state");
  const publicKey = parsePublicJwk(entry.get("jwk"));
  const thumbprint = await thumbprintOf(publicKey);
  return {
    kid: b64urlEncode(thumbprint),
    kidBytes: kidBytesOf(thumbprint),
    publicKey,
    state,
    validFrom: parseSeconds(entry.get("valid_from")),
    validUntil: parseSeconds(entry.get("valid_until")),
    compromisedSince: state === "compromised" ? parseSeconds(entry.get("compromised_since")) : null,
  };
}

function arrayOf(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : malformed("an array is expected");
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : malformed("an object is expected");
}

function textOf(value: Json | undefined): string {
  if (typeof value !== "string" || value === "" || countCharacters(value) > 1024) {
    return malformed("a text of 1 to 1024 characters");
  }
  return value;
}

function positiveOf(value: Json | undefined): number {
  const number = integerOf(value) ?? 0;
  return number >= 1 && number <= 0xffffffff ? number : malformed("a number from 1 to 2^32 - 1");
}

function refuseTwice(values: readonly (string | number)[]): void {
  if (new Set(values).size !== values.length) malformed("something twice that must be there once");
}

function malformed(what: string): never {
  return refuse("MalformedDocument", what);
}
