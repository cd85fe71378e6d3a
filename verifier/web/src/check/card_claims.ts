/** What an E1 says: the CWT claims of the ESC QR (docs/esc-qr.md, section 2.2). */

import { countCharacters, encodeUtf8, isBytes, type Bytes } from "./bytes.ts";
import { isCborArray, isCborMap, readCbor, type Cbor } from "./cbor.ts";
import { refuse } from "./errors.ts";
import { LEVELS, parseEsiSuffix, type AcademicLevel, type Esi } from "./identifiers.ts";

const MAX_NAME_BYTES = 64; // UTF-8
const MAX_ESI_SUFFIX_CHARS = 88;
const MAX_UINT32 = 0xffffffff; // times: the year 2106

const [EXP, IAT, CNF] = [4, 6, 8]; // CWT claims (RFC 8392, section 3.1; RFC 8747, section 3.1)
const REQUIRED: readonly Cbor[] = [EXP, IAT, CNF, "n", "s"];
const OPTIONAL: readonly Cbor[] = ["e", "l"];
// Control characters, line separators, and the marks that turn the direction of text.
// eslint-disable-next-line no-control-regex -- those are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const SPACE_AROUND = /^\p{Zs}|\p{Zs}$/u;

/** Which of a card's two signed E1 a code is (section 2.3). */
export type Profile = "status" | "identity";

/** The phone's public key, compressed P-256 (RFC 9053, section 7.1.1). */
export interface HolderKey {
  readonly x: Bytes; // 32 bytes
  readonly yIsOdd: boolean;
}

export interface CardClaims {
  readonly issuedAt: number; // seconds since 1970, UTC
  readonly expiresAt: number; // first second in which it is no longer valid
  readonly name: string;
  readonly level: AcademicLevel | null;
  readonly esi: Esi | null; // null in the status profile
  readonly statusList: number; // the institution's list number, from 1
  readonly statusIndex: number;
  readonly holderKey: HolderKey;
}

/** Identity where there is an ESI, status where there is none. */
export function profileOf(claims: CardClaims): Profile {
  return claims.esi === null ? "status" : "identity";
}

/** Reads the payload of an E1. */
export function parseClaims(payload: Bytes): CardClaims {
  const members = readCbor(payload);
  if (!isCborMap(members)) return refuse("MalformedCode", "claims are a map");
  if (!REQUIRED.every((key) => members.has(key))) refuse("MalformedCode", "a claim is missing");
  for (const key of members.keys()) {
    if (!REQUIRED.includes(key) && !OPTIONAL.includes(key)) refuse("MalformedCode", "an unknown claim");
  }
  const [issuedAt, expiresAt] = [parseUint(members.get(IAT)), parseUint(members.get(EXP))];
  if (expiresAt <= issuedAt) refuse("MalformedCode", "it ends before it begins");
  const [statusList, statusIndex] = parseStatus(members.get("s"));
  const holderKey = parseHolderKey(members.get(CNF));
  return {
    issuedAt,
    expiresAt,
    name: parseName(members.get("n")),
    level: members.has("l") ? parseLevel(members.get("l")) : null,
    esi: members.has("e") ? parseEsi(members.get("e")) : null,
    statusList,
    statusIndex,
    holderKey,
  };
}

/** An unsigned integer of at most 32 bits. */
export function parseUint(value: Cbor | undefined): number {
  if (typeof value !== "number" || value < 0 || value > MAX_UINT32) {
    return refuse("MalformedCode", "a number out of its range");
  }
  return value;
}

/** Whether a text can be shown as it is: no control or direction marks, no space around. */
export function isPlainText(text: string): boolean {
  return !CONTROL.test(text) && !SPACE_AROUND.test(text);
}

function parseName(value: Cbor | undefined): string {
  const size = typeof value === "string" ? encodeUtf8(value).length : 0;
  if (typeof value !== "string" || size === 0 || size > MAX_NAME_BYTES) {
    return refuse("MalformedCode", "a name has 1 to 64 bytes");
  }
  if (!isPlainText(value)) refuse("MalformedCode", "a name has no control characters and no space around it");
  return value;
}

function parseLevel(value: Cbor | undefined): AcademicLevel {
  const level = typeof value === "number" ? LEVELS[value - 1] : undefined;
  return level ?? refuse("MalformedCode", "a level is 1, 2 or 3");
}

function parseEsi(value: Cbor | undefined): Esi {
  if (typeof value !== "string" || countCharacters(value) > MAX_ESI_SUFFIX_CHARS) {
    return refuse("MalformedCode", "an ESI has at most 88 characters in a code");
  }
  return parseEsiSuffix(value);
}

function parseStatus(value: Cbor | undefined): [number, number] {
  if (!isCborArray(value) || value.length !== 2) {
    return refuse("MalformedCode", "a status is a list number and an index");
  }
  return [parseUint(value[0]), parseUint(value[1])];
}

function parseHolderKey(value: Cbor | undefined): HolderKey {
  const key = isCborMap(value) && value.size === 1 ? value.get(1) : undefined;
  if (!isCborMap(key) || key.size !== 4 || key.get(1) !== 2 || key.get(-1) !== 1) {
    return refuse("MalformedCode", "cnf holds one compressed P-256 key");
  }
  const [x, yIsOdd] = [key.get(-2), key.get(-3)];
  if (!isBytes(x) || x.length !== 32 || typeof yIsOdd !== "boolean") {
    return refuse("MalformedCode", "cnf holds one compressed P-256 key");
  }
  return { x, yIsOdd };
}
