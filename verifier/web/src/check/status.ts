/**
 * Token Status List (draft-ietf-oauth-status-list-20): its form and looking up. A list's signer is
 * judged in `bundle.ts`, its age in `policy.ts`.
 */

import { isLongerThan, type Bytes } from "./bytes.ts";
import { refuse, refusingAs, type RefusalName } from "./errors.ts";
import { integerOf, isJsonObject, JsonNumber, type Json } from "./json.ts";
import { b64urlDecode, parseJws, type UnverifiedJws } from "./jws.ts";
import type { StatusDelta } from "./status_delta.ts";
import { unpackZlib } from "./unpacking.ts";

// 2 bits x 40 million cards, the whole of Europe's students: no list is larger.
export const MAX_LIST_BYTES = 10 * 1024 * 1024;
export const MAX_TOKEN_CHARS = 16 * 1024 * 1024;
export const MAX_SECONDS = 0xffffffff;
const STATUS_LIST_TYP = "statuslist+jwt";
export const WIDTHS: readonly number[] = [1, 2, 4, 8];

/** The values that are written (section 7.1); any other is not valid. */
export const CARD_STATUS = { valid: 0, revoked: 1, suspended: 2 } as const;

/** An unpacked list: `width` bits an entry, least significant bits first (section 4.1). */
export class StatusList {
  readonly width: number;
  readonly data: Bytes;

  constructor(width: number, data: Bytes) {
    this.width = width;
    this.data = data;
  }

  get size(): number {
    return (this.data.length * 8) / this.width;
  }

  /** The value of an entry; null for an index outside of the list (section 8.3, step 6). */
  valueAt(index: number): number | null {
    if (index < 0 || index >= this.size) return null;
    const bit = index * this.width;
    return ((this.data[bit >> 3] ?? 0) >> (bit & 7)) & ((1 << this.width) - 1);
  }
}

/**
 * A status list token whose form is right; who may have signed it is not yet judged.
 *
 * After a delta (`status_delta.ts`) its times and entries are those of the delta; `base` is then the
 * list as it was signed.
 */
export interface StatusListToken {
  readonly uri: string; // `sub`
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  readonly ttl: number | null; // seconds
  readonly entries: StatusList;
  readonly jws: UnverifiedJws;
  readonly text: string;
  readonly base: StatusListToken | null;
  readonly delta: StatusDelta | null;
}

/** A status list token whose entries are still packed. */
export interface PackedStatusList extends Omit<StatusListToken, "entries" | "base" | "delta"> {
  readonly width: number;
  readonly lst: string;
}

/** Reads a status list token: `MalformedDocument`, or `DocumentTooLarge`. */
export function parseStatusListToken(text: string): StatusListToken {
  const { width, lst, ...token } = parsePackedList(text);
  return { ...token, entries: decompress(lst, width), base: null, delta: null };
}

/** Reads all of a status list token but its entries: `MalformedDocument`, or `DocumentTooLarge`. */
export function parsePackedList(text: string): PackedStatusList {
  if (isLongerThan(text, MAX_TOKEN_CHARS)) refuse("DocumentTooLarge", "a token of more than 16 MiB");
  const jws = refusingAs("MalformedDocument", "not a status list token", () =>
    parseJws(text, STATUS_LIST_TYP, MAX_TOKEN_CHARS),
  );
  const [uri, body] = [jws.payload.get("sub"), jws.payload.get("status_list")];
  if (typeof uri !== "string" || !isJsonObject(body)) {
    return refuse("MalformedDocument", "a status list token has sub and status_list");
  }
  const [width, lst] = [integerOf(body.get("bits")), body.get("lst")];
  if (width === null || typeof lst !== "string")
    refuse("MalformedDocument", "a status list has bits and lst");
  const optional = (name: string) => (jws.payload.has(name) ? parseSeconds(jws.payload.get(name)) : null);
  const issuedAt = parseSeconds(jws.payload.get("iat"));
  const [expiresAt, ttl] = [optional("exp"), optional("ttl")];
  return { uri, issuedAt, expiresAt, ttl, width, lst, jws, text };
}

/** Unpacks a `lst` member (section 4.2), never beyond `MAX_LIST_BYTES`. */
export function decompress(lst: string, width: number): StatusList {
  if (!WIDTHS.includes(width)) refuse("MalformedDocument", "a list has 1, 2, 4 or 8 bits an entry");
  const packed = refusingAs("MalformedDocument", "not base64url", () => b64urlDecode(lst));
  const data = unpackZlib(packed, MAX_LIST_BYTES);
  if (data.length === 0) refuse("MalformedDocument", "an empty status list");
  return new StatusList(width, data);
}

/** Seconds since 1970 in a claim; a fraction is cut off. */
export function parseSeconds(value: Json | undefined, refusal: RefusalName = "MalformedDocument"): number {
  if (!(value instanceof JsonNumber)) return refuse(refusal, "a time is a number");
  if (!(value.value >= 0 && value.value <= MAX_SECONDS)) refuse(refusal, "a time out of its range");
  return Math.trunc(value.value);
}
