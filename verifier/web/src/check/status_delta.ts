/**
 * A signed delta: what changed in one status list in the last day (docs/status-delta.md). Its form,
 * and applying it to the list that is held; who may sign is judged in `status_list_trust.ts`.
 */

import { compare, isLongerThan, sha256, type Bytes } from "./bytes.ts";
import { refuse, refusingAs } from "./errors.ts";
import { integerOf, isJsonObject, type Json, type JsonObject } from "./json.ts";
import { b64urlDecode, parseJws, type UnverifiedJws } from "./jws.ts";
import { MAX_SECONDS, StatusList, WIDTHS, type StatusListToken } from "./status.ts";

const STATUS_DELTA_TYP = "esc-status-delta+jwt";
const MAX_DELTA_CHARS = 256 * 1024; // some 80,000 changes
const MAX_GAP = 0xffffffff;
const MAX_SCALE = 2 ** 28; // of the fifth byte, in which a gap of 32 bits ends
const DIGEST_BYTES = 32;

/** A delta whose form is right; who may have signed it is not yet judged. */
export interface StatusDelta {
  readonly uri: string; // of the list
  readonly issuedAt: number; // the list is as it was then
  readonly expiresAt: number;
  readonly ttl: number | null; // seconds
  readonly since: number; // every entry changed since then is in `changes`
  readonly width: number;
  readonly changes: ReadonlyMap<number, number>; // index to value
  readonly sha256: Bytes; // of the list's bytes afterwards
  readonly jws: UnverifiedJws;
  readonly text: string;
}

/** Reads a delta: `MalformedDocument`, or `DocumentTooLarge`. */
export function parseStatusDelta(text: string): StatusDelta {
  if (isLongerThan(text, MAX_DELTA_CHARS)) refuse("DocumentTooLarge", "a delta of more than 256 KiB");
  const jws = refusingAs("MalformedDocument", "not a delta", () =>
    parseJws(text, STATUS_DELTA_TYP, MAX_DELTA_CHARS),
  );
  const claim = (name: string) => jws.payload.get(name);
  const [uri, changes, width] = [claim("sub"), claim("changes"), integerOf(claim("bits"))];
  if (typeof uri !== "string" || !isJsonObject(changes)) malformed("a delta has sub and changes");
  if (width === null || !WIDTHS.includes(width)) malformed("a list has 1, 2, 4 or 8 bits an entry");
  const [issuedAt, since] = [parseInstant(claim("iat")), parseInstant(claim("since"))];
  if (since > issuedAt) malformed("a delta begins before it ends");
  return {
    uri,
    issuedAt,
    expiresAt: parseInstant(claim("exp")),
    ttl: jws.payload.has("ttl") ? parseInstant(claim("ttl")) : null,
    since,
    width,
    changes: unpackChanged(changes, width),
    sha256: parseDigest(claim("sha256")),
    jws,
    text,
  };
}

/** The list as of a delta: the signed list that is held, with the delta's changes. */
export async function amend(held: StatusListToken | undefined, delta: StatusDelta): Promise<StatusListToken> {
  if (held === undefined) return refuse("BaseNotHeld", "no status list is known to which it belongs");
  if (delta.issuedAt < held.issuedAt) refuse("DocumentRolledBack", "it is older than what is known");
  const base = held.base ?? held;
  if (delta.since > base.issuedAt) refuse("BaseNotHeld", "it begins after the status list that is held");
  const entries = await changed(base.entries, delta);
  const { issuedAt, expiresAt, ttl } = delta;
  return { ...base, issuedAt, expiresAt, ttl, entries, base, delta };
}

/** Seconds, written as a whole number. */
export function parseInstant(value: Json | undefined): number {
  const seconds = integerOf(value);
  if (seconds === null || !(seconds >= 0 && seconds <= MAX_SECONDS)) {
    return malformed("a time is a whole number of seconds");
  }
  return seconds;
}

async function changed(entries: StatusList, delta: StatusDelta): Promise<StatusList> {
  if (entries.width !== delta.width) refuse("BaseNotHeld", "it is for a status list of another width");
  const [data, width] = [Uint8Array.from(entries.data), entries.width];
  const mask = (1 << width) - 1;
  for (const [index, value] of delta.changes) {
    if (index >= entries.size) refuse("BaseNotHeld", "it is for a longer status list");
    const [at, shift] = [Math.floor((index * width) / 8), (index * width) % 8];
    data[at] = ((data[at] ?? 0) & ~(mask << shift)) | (value << shift);
  }
  if (compare(await sha256(data), delta.sha256) !== 0) {
    refuse("BaseNotHeld", "with its changes the status list is not the one that was signed");
  }
  return new StatusList(width, data);
}

function unpackChanged(packed: JsonObject, width: number): Map<number, number> {
  const changes = new Map<number, number>();
  let count = 0;
  for (const [name, text] of packed) {
    if (typeof text !== "string") malformed("the indices of a delta are texts");
    const value = Number(name);
    const isValue = Number.isInteger(value) && value >= 0 && value < 1 << width;
    // Compared as text, so that no other spelling of a number passes.
    if (!isValue || String(value) !== name) malformed("a value that its list cannot have");
    const data = refusingAs("MalformedDocument", "the indices of a delta", () => b64urlDecode(text));
    for (const index of unpackIndices(data)) {
      changes.set(index, value);
      count += 1;
    }
  }
  if (count !== changes.size) malformed("a delta gives an entry two values");
  return changes;
}

/** Ascending indices from the gaps between them in LEB128, each in as few bytes as it needs. */
export function unpackIndices(data: Uint8Array): number[] {
  if (data.length === 0 || (data.at(-1) ?? 0) & 0x80) malformed("indices that are empty or cut off");
  const indices: number[] = [];
  let [index, gap, scale] = [-1, 0, 1];
  for (const byte of data) {
    gap += (byte & 0x7f) * scale;
    if (gap > MAX_GAP || scale > MAX_SCALE) malformed("a gap that is too large");
    scale *= 128;
    if (byte & 0x80) continue;
    if (byte === 0 && scale > 128) malformed("a gap that is longer than it needs to be");
    index += gap + 1;
    indices.push(index);
    [gap, scale] = [0, 1];
  }
  return indices;
}

function parseDigest(value: Json | undefined): Bytes {
  if (typeof value !== "string") return malformed("a delta has a digest");
  const digest = refusingAs("MalformedDocument", "a delta's digest", () => b64urlDecode(value));
  return digest.length === DIGEST_BYTES ? digest : malformed("a digest has 32 bytes");
}

function malformed(what: string): never {
  return refuse("MalformedDocument", what);
}
