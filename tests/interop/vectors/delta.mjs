// Deltas of status lists and the document of changes (status-delta.md).

import { checkSigned, statusAt } from "./bundle.mjs";
import { decodeBase64url, equal } from "./encodings.mjs";
import { unpackGzip } from "./inflating.mjs";
import { isInteger, isObject, isString, readJsonObject } from "./json.mjs";
import { readJws } from "./jws.mjs";
import { sha256 } from "./keys.mjs";
import { as, Refusal, refuse } from "./refusal.mjs";

const MIB = 1024 * 1024;
const MOST_CHARACTERS = 256 * 1024;
const bad = (message) => refuse("MalformedDocument", message);

function instant(value) {
  return isInteger(value) && value >= 0 && value < 2 ** 32 ? value : bad("seconds, an integer");
}

// Section 1: the numbers of one text, and from these the indices.
function readIndices(text) {
  if (!isString(text)) bad("indices are a text");
  const bytes = as("MalformedDocument", () => decodeBase64url(text));
  if (bytes.length === 0) bad("at least one number");
  const indices = [];
  let groups = [];
  for (const byte of bytes) {
    groups.push(byte % 128);
    if (groups.length > 5) bad("a gap of six bytes");
    if (byte >= 128) continue;
    if (groups.length > 1 && byte === 0) bad("more bytes than it needs");
    const gap = groups.reduce((sum, group, place) => sum + group * 128 ** place, 0);
    if (gap >= 2 ** 32) bad("a gap of more than 32 bits");
    indices.push((indices.at(-1) ?? -1) + 1 + gap);
    groups = [];
  }
  if (groups.length > 0) bad("a number that is cut off");
  return indices;
}

function readChanged(changes, bits) {
  const found = new Map();
  for (const [name, text] of Object.entries(changes)) {
    const value = /^(0|[1-9][0-9]{0,2})$/.test(name) ? Number(name) : bad("a value in decimal");
    if (value >= 2 ** bits) bad("a value beyond its bits");
    for (const index of readIndices(text)) {
      if (found.has(index)) bad("an index under two values");
      found.set(index, value);
    }
  }
  return found;
}

export function readDelta(token) {
  if ([...token].length > MOST_CHARACTERS) refuse("DocumentTooLarge");
  const jws = as("MalformedDocument", () => readJws(token, "esc-status-delta+jwt", MOST_CHARACTERS));
  const { sub: uri, bits, changes, sha256: text } = jws.payload;
  if (!isString(uri) || !isObject(changes) || !isString(text)) bad("sub, changes and sha256");
  if (!isInteger(bits) || ![1, 2, 4, 8].includes(bits)) bad("bits");
  const [iat, exp, since] = ["iat", "exp", "since"].map((name) => instant(jws.payload[name]));
  const ttl = "ttl" in jws.payload ? instant(jws.payload.ttl) : null;
  if (since > iat) bad("since after iat");
  const digest = as("MalformedDocument", () => decodeBase64url(text));
  if (digest.length !== 32) bad("a SHA-256 has 32 bytes");
  return { uri, iat, exp, ttl, since, bits, changed: readChanged(changes, bits), digest, jws };
}

// Section 2, from "a list is held" on.
export async function changeList(held, delta) {
  if (held === undefined) refuse("BaseNotHeld");
  if (delta.iat < held.iat) refuse("DocumentRolledBack");
  const signed = held.signed ?? held;
  if (delta.since > signed.iat || delta.bits !== signed.bits) refuse("BaseNotHeld");
  const data = Uint8Array.from(signed.data);
  for (const [index, value] of delta.changed) {
    if (index >= signed.size) refuse("BaseNotHeld");
    const [at, shift] = [Math.floor((index * signed.bits) / 8), (index * signed.bits) % 8];
    const before = statusAt({ bits: signed.bits, data }, index);
    data[at] += (value - before) * 2 ** shift;
  }
  if (!equal(new Uint8Array(await sha256(data)), delta.digest)) refuse("BaseNotHeld");
  const { iat, exp, ttl } = delta;
  return { ...signed, iat, exp, ttl, data, signed, delta };
}

export async function takeDelta(token, lists, owners, now) {
  const delta = readDelta(token);
  await checkSigned(delta, owners.get(delta.uri), now);
  lists.set(delta.uri, await changeList(lists.get(delta.uri), delta));
  return lists.get(delta.uri);
}

// Section 3.
export function readChanges(data) {
  if (data.length > 4 * MIB) refuse("DocumentTooLarge");
  const text = unpackGzip(data, 16 * MIB);
  const body = as("MalformedDocument", () => readJsonObject(text));
  const { version, sequence, status_deltas: deltas } = body;
  if (!isInteger(version) || version !== 1 || !isInteger(sequence) || sequence < 1) bad("version, sequence");
  return { sequence, since: instant(body.since), deltas: readDeltas(deltas) };
}

export function readDeltas(deltas) {
  if (!Array.isArray(deltas) || !deltas.every(isString)) bad("status_deltas");
  if (deltas.length > 20_000) refuse("DocumentTooLarge");
  return deltas;
}

export async function takeChanges({ sequence, since, deltas }, { trust, lists, owners }, now) {
  const after = new Map(lists);
  const newest = Math.max(trust.iat, ...[...lists.values()].map((list) => list.iat));
  let enough = sequence <= trust.sequence && since <= newest;
  for (const token of deltas) {
    try {
      await takeDelta(token, after, owners, now);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      enough &&= error.name === "DocumentRolledBack";
    }
  }
  const isNewer = ([uri, list]) => list.iat > lists.get(uri).iat || !equal(list.data, lists.get(uri).data);
  const taken = [...after].filter(isNewer).map(([uri, list]) => [uri, list.iat]);
  return { taken: Object.fromEntries(taken), enough };
}
